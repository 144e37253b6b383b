/*
 * The page that a browser shows: one HTML document with nothing to be loaded beside it.
 *
 * Its style sheet and its script are page.css and page.js, put into the document by the build
 * together with their hashes, which are all that STATUS_PAGE_POLICY lets a browser use. The script
 * fetches the page again every few seconds and puts the new figures into it; without scripts the
 * browser loads it anew.
 *
 * Threading: none inside; a function of its arguments.
 */
#ifndef SERVER_RUNTIME_HTTP_STATUS_PAGE_H_
#define SERVER_RUNTIME_HTTP_STATUS_PAGE_H_

#include <stdbool.h>
#include <stdint.h>

#include "server/runtime/http/rate_history.h"
#include "server/runtime/http/status.h"
#include "server/runtime/http/text_buffer.h"

#ifdef __cplusplus
extern "C" {
#endif

struct status_page {
    const struct status_source *source;
    const struct daemon_status *status;
    const struct rate_history *history;
    int64_t uptime_ms;
    int64_t silence_ms;   /* for how long the daemon's loop has not answered; 0: it does */
    const char *settings; /* the options in force, a line each (option_settings.h) */
};

void status_page_write(struct text_buffer *text, const struct status_page *page);

/* The Content-Security-Policy that goes with it. */
extern const char status_page_policy[];

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RUNTIME_HTTP_STATUS_PAGE_H_ */
