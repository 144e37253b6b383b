#include "bench/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "server/runtime/os.h"

enum { BAR_WIDTH = 30, DRAW_INTERVAL_NS = 100 * 1000 * 1000 };

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
    progress->enabled = wanted && isatty(STDERR_FILENO);
    progress->start_ns = progress->enabled ? os_now_ns() : 0;
    progress->last_draw_ns = progress->start_ns;
}

void progress_update(struct progress *progress, uint64_t done) {
    char line[PROGRESS_LINE_CAPACITY];
    if (!progress->enabled) {
        return;
    }
    int64_t now_ns = os_now_ns();
    if (now_ns - progress->last_draw_ns < DRAW_INTERVAL_NS) {
        return;
    }
    progress->last_draw_ns = now_ns;
    progress_format_line(line, progress->label, done, progress->total,
                         (double)(now_ns - progress->start_ns) / 1e9);
    (void)fprintf(stderr, "\r\033[K%s", line);
}

void progress_finish(struct progress *progress) {
    if (progress->enabled) {
        (void)fputs("\r\033[K", stderr);
    }
}
