/*
 * What an HTTP request is answered with, by its method, its path and its headers alone: the daemon
 * is looked at, by this machine, and nothing else.
 *
 * A page of elsewhere that a browser shows must not read ours. A name of theirs that is made to
 * mean this machine (DNS rebinding) shows in Host, and their scripts show in Origin.
 *
 * Threading: none inside; functions of their arguments.
 */
#ifndef SERVER_RUNTIME_HTTP_HTTP_REQUEST_H_
#define SERVER_RUNTIME_HTTP_HTTP_REQUEST_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct http_request {
    const char *method;
    const char *path;
    const char *host; /* NULL: none */
    size_t host_count;
    const char *origin; /* NULL: none */
    size_t origin_count;
    uint16_t port; /* the one it came to */
};

enum http_answer {
    HTTP_ANSWER_PAGE,
    HTTP_ANSWER_METRICS,
    HTTP_ANSWER_HEALTH,
    HTTP_ANSWER_READINESS,
    HTTP_ANSWER_NOT_FOUND,      /* 404 */
    HTTP_ANSWER_BAD_METHOD,     /* 405 */
    HTTP_ANSWER_FOREIGN_ORIGIN, /* 403 */
    HTTP_ANSWER_FOREIGN_HOST,   /* 421 */
};

enum http_answer http_request_judge(const struct http_request *request);

/* Whether a Host means this machine: "localhost", "127.0.0.1" or "[::1]", in any case of letters,
 * with the port or without one. */
bool http_request_is_own_host(const char *host, uint16_t port);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RUNTIME_HTTP_HTTP_REQUEST_H_ */
