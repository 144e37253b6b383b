#include "server/runtime/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "server/runtime/os.h"

enum { BAR_WIDTH = 30 };

/* How often a terminal is drawn on, and how often a line is printed elsewhere. */
static const int64_t draw_interval_ns = 100 * 1000 * 1000;
static const int64_t line_interval_ns = 10 * (int64_t)1000 * 1000 * 1000;

/* Scales to a number below 1000 and its unit letter, for rates from 1 to billions a second. */
static double scale_to_unit(double value, const char **unit) {
    static const char *const units[] = {"", "k", "M", "G", "T"};
    size_t index = 0;
    while (value >= 1000 && index + 1 < sizeof units / sizeof units[0]) {
        value /= 1000;
        index++;
    }
    *unit = units[index];
    return value;
}

void progress_format_line(char *line, const char *label, uint64_t done, uint64_t total,
                          double elapsed_seconds) {
    const char *unit;
    double rate = elapsed_seconds > 0 ? (double)done / elapsed_seconds : 0;
    double scaled = scale_to_unit(rate, &unit);
    if (total == 0) {
        (void)snprintf(line, PROGRESS_LINE_CAPACITY, "%.24s %" PRIu64 "  %.1f %s/s", label, done,
                       scaled, unit);
        return;
    }
    double share = done >= total ? 1 : (double)done / (double)total;
    double left_seconds = rate > 0 && done < total ? (double)(total - done) / rate : 0;
    int filled = (int)(share * (int)BAR_WIDTH);
    char bar[BAR_WIDTH + 1];
    memset(bar, '.', BAR_WIDTH);
    memset(bar, '#', (size_t)filled);
    bar[BAR_WIDTH] = '\0';
    (void)snprintf(line, PROGRESS_LINE_CAPACITY, "%.24s [%s] %3d %%  %.1f %s/s  %.0f s left", label,
                   bar, (int)(share * 100), scaled, unit, left_seconds);
}

void progress_start(struct progress *progress, const char *label, uint64_t total, bool wanted) {
    progress->label = label;
    progress->total = total;
    progress->enabled = wanted;
    progress->is_terminal = isatty(STDERR_FILENO);
    progress->start_ns = os_now_ns();
    progress->last_draw_ns = progress->start_ns;
}

bool progress_is_due(struct progress *progress, int64_t now_ns) {
    int64_t interval_ns = progress->is_terminal ? draw_interval_ns : line_interval_ns;
    bool is_due = now_ns - progress->last_draw_ns >= interval_ns;
    if (is_due) {
        progress->last_draw_ns = now_ns;
    }
    return is_due;
}

void progress_update(struct progress *progress, uint64_t done) {
    char line[PROGRESS_LINE_CAPACITY];
    if (!progress->enabled) {
        return;
    }
    int64_t now_ns = os_now_ns();
    if (!progress_is_due(progress, now_ns)) {
        return;
    }
    progress_format_line(line, progress->label, done, progress->total,
                         (double)(now_ns - progress->start_ns) / 1e9);
    (void)fprintf(stderr, progress->is_terminal ? "\r\033[K%s" : "%s\n", line);
}

void progress_finish(struct progress *progress) {
    if (progress->enabled && progress->is_terminal) {
        (void)fputs("\r\033[K", stderr);
    }
}
