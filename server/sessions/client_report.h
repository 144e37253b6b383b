/*
 * What a client tells its user on standard error while it works: how far it is, where that is a
 * terminal, and that it tries again.
 *
 * Ownership: the caller owns the struct. Threading: one thread.
 */
#ifndef SERVER_SESSIONS_CLIENT_REPORT_H_
#define SERVER_SESSIONS_CLIENT_REPORT_H_

#include <stdbool.h>
#include <stdint.h>

struct client_report {
    bool has_progress;   /* a bar is to be drawn */
    int64_t progress_ms; /* when it is drawn next */
};

/* Draws the bar, as often as an eye can follow, and the last time whatever the time is. */
void client_report_progress(struct client_report *report, uint32_t done, uint32_t total,
                            bool is_last);

/* Makes room for a message where the bar is. */
void client_report_clear(const struct client_report *report);

/* Ends the line that says what went wrong, counts one more attempt in *retry_count, those in a row
 * that brought nothing new, and waits until it is due (backoff.h). False: retry_count_max of them
 * were in vain, and there is none. */
bool client_report_retry(uint32_t *retry_count, int64_t retry_count_max, int64_t retry_delay_ms);

#endif /* SERVER_SESSIONS_CLIENT_REPORT_H_ */
