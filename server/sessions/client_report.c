#include "server/sessions/client_report.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "server/runtime/os.h"
#include "server/sessions/backoff.h"
#include "server/sessions/progress_bar.h"
#include "server/sessions/randomness.h"

enum {
    PROGRESS_INTERVAL_MS = 100,
    /* For a terminal that does not tell. */
    COLUMN_COUNT_DEFAULT = 80,
};

/* How long the terminal's lines are now. */
static size_t count_columns(void) {
    struct winsize size;
    bool is_known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    return is_known ? size.ws_col : COLUMN_COUNT_DEFAULT;
}

void client_report_progress(struct client_report *report, uint32_t done, uint32_t total,
                            bool is_last) {
    char text[PROGRESS_BAR_TEXT_SIZE];
    if (!report->has_progress || (!is_last && os_now_ms() < report->progress_ms)) {
        return;
    }
    report->progress_ms = os_now_ms() + PROGRESS_INTERVAL_MS;
    progress_bar_write(done, total, count_columns(), text);
    (void)fprintf(stderr, "%s%s", text, is_last ? "\n" : "");
}

void client_report_clear(const struct client_report *report) {
    if (report->has_progress) {
        (void)fputs(PROGRESS_BAR_CLEAR, stderr);
    }
}

bool client_report_retry(uint32_t *retry_count, int64_t retry_count_max, int64_t retry_delay_ms) {
    if (*retry_count >= retry_count_max) {
        (void)fprintf(stderr, "; giving up after %" PRIu32 " retries\n", *retry_count);
        return false;
    }
    uint32_t random = 0;
    (void)randomness_fill(&random, sizeof random);
    int64_t delay_ms = backoff_delay_ms(retry_delay_ms, *retry_count, random);
    (*retry_count)++;
    (void)fprintf(stderr, "; retry %" PRIu32 " in %g s\n", *retry_count, (double)delay_ms / 1000);
    (void)os_poll(NULL, 0, (int)delay_ms); /* coming back early does no harm */
    return true;
}
