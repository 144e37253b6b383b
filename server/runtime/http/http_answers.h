/*
 * The answers of the HTTP server: what the daemon told last, and texts made of it.
 *
 * Threading: belongs to the server's thread.
 */
#ifndef SERVER_RUNTIME_HTTP_HTTP_ANSWERS_H_
#define SERVER_RUNTIME_HTTP_HTTP_ANSWERS_H_

#include <stdbool.h>
#include <stdint.h>

#include "server/runtime/http/client_rates.h"
#include "server/runtime/http/http_request.h"
#include "server/runtime/http/inquiry.h"
#include "server/runtime/http/rate_history.h"
#include "server/runtime/http/text_buffer.h"

enum {
    HTTP_ANSWERS_SAMPLE_PERIOD_MS = RATE_HISTORY_PERIOD_MS,
    HTTP_ANSWERS_NAME_CAPACITY = 64,
};

struct http_answers {
    struct inquiry *inquiry;
    const struct status_source *source;
    const char *settings;
    struct daemon_status status;
    struct client_rates client_rates;
    struct rate_history history;
    int64_t start_ms;
    int64_t asked_ms;    /* the last time; -1: never */
    int64_t answered_ms; /* the last time that the loop did */
    bool is_answered;    /* it did when it was asked last */
    char build_info_name[HTTP_ANSWERS_NAME_CAPACITY];
};

/* settings: the options in force, a line each. All stay the caller's. */
void http_answers_init(struct http_answers *answers, struct inquiry *inquiry, const char *settings,
                       int64_t now_ms);

/* Takes a point of the chart: call it every HTTP_ANSWERS_SAMPLE_PERIOD_MS. */
void http_answers_sample(struct http_answers *answers);

/* Writes the body of an answer and returns its status code. */
unsigned int http_answers_write(struct http_answers *answers, enum http_answer answer,
                                struct text_buffer *text);

const char *http_answers_content_type(enum http_answer answer);

#endif /* SERVER_RUNTIME_HTTP_HTTP_ANSWERS_H_ */
