/*
 * Progress on standard error: percent, rate and time left. On a terminal it is a bar that is drawn
 * at most ten times a second; elsewhere, in a pipe or a log, a line every ten seconds. So it may be
 * told of every small step, and what is done before that is not told of.
 *
 * Ownership: the caller owns the structure and the label. Threading: one thread.
 */
#ifndef SERVER_RUNTIME_PROGRESS_H_
#define SERVER_RUNTIME_PROGRESS_H_

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Room for any line that progress_format_line writes, with its terminating NUL. */
#define PROGRESS_LINE_CAPACITY 128

struct progress {
    const char *label;
    uint64_t total; /* 0: unknown, then only the count and the rate are shown */
    bool enabled;
    bool is_terminal;
    int64_t start_ns;
    int64_t last_draw_ns;
};

/* Starts the clock. It stays silent where it is not wanted. */
void progress_start(struct progress *progress, const char *label, uint64_t total, bool wanted);

/* Tells how much of total is done; it is shown when the last time is long enough ago. */
void progress_update(struct progress *progress, uint64_t done);

/* Wipes the bar from the terminal, so that the next line of output starts clean. */
void progress_finish(struct progress *progress);

/* Whether it is time to show it again, and then notes that it was shown at now_ns. */
bool progress_is_due(struct progress *progress, int64_t now_ns);

/*
 * The text of the bar without any terminal control: line has PROGRESS_LINE_CAPACITY bytes. Pure,
 * and apart from the rest so that it can be tested.
 */
void progress_format_line(char *line, const char *label, uint64_t done, uint64_t total,
                          double elapsed_seconds);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RUNTIME_PROGRESS_H_ */
