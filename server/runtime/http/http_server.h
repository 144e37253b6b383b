/*
 * Metrics, probes and a status page over HTTP, for whoever runs the daemon: at loopback addresses
 * only, read only.
 *
 *   /         a page for people        /metrics  for Prometheus
 *   /healthz  the daemon serves        /readyz   and can store what it is sent
 *
 * DESIGN. One thread with libmicrohttpd inside, beside the daemon's own ones, which need the
 * processor more: it takes 500 connections a second and no more. It asks the daemon's loop
 * (inquiry.h) when somebody looks, though not more often than every STATUS_PERIOD_MS, and every two
 * seconds for the chart. A loop that does not answer is no reason to wait long: the page shows the
 * last figures then, and says so.
 *
 * Everything is bounded and allocated at the start: so many connections, each with one request, one
 * answer, and a time to do it in; who comes when all are taken waits in the kernel's queue.
 *
 * Ownership: the server owns its thread, sockets and memory. Threading: everything here belongs to
 * the owner's thread; `source` is called in the loop's.
 */
#ifndef SERVER_RUNTIME_HTTP_HTTP_SERVER_H_
#define SERVER_RUNTIME_HTTP_HTTP_SERVER_H_

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "server/runtime/http/inquiry.h"
#include "server/runtime/http/status.h"
#include "server/runtime/listener.h"
#include "server/runtime/logger.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    HTTP_PORT_NONE = -1, /* no server is wanted */
    HTTP_CONNECTION_MAX = 16,
    /* Those, its listener, the library's epoll, and the eventfd that ends it. */
    HTTP_DESCRIPTOR_COUNT = HTTP_CONNECTION_MAX + 3,
};

struct http_server_configuration {
    struct status_source source;
    const char *settings; /* the options in force, a line each; stays the caller's */
    const struct logger *logger;
};

struct http_service;

/* A zeroed one is not wanted: all functions do nothing then. */
struct http_server {
    struct listener listener;
    struct inquiry inquiry;
    struct http_service *service; /* the thread's; NULL: not started */
    pthread_t thread;
};

/* Takes the port, 0 for any free one, and sets the inquiry up; HTTP_PORT_NONE does nothing. False:
 * the reason was printed. */
bool http_server_open(struct http_server *server, int64_t port, const struct logger *logger);

/* Starts the thread, if a port was taken, and says where to look. From now on requests are
 * answered, the daemon being said not to be ready until its loop answers. False: the reason was
 * printed. */
bool http_server_start(struct http_server *server,
                       const struct http_server_configuration *configuration);

/* The inquiry that the loop has to watch (inquiry.h); NULL: none. */
struct inquiry *http_server_inquiry(struct http_server *server);

/* Ends the thread. The loop need not run any more. */
void http_server_stop(struct http_server *server);

void http_server_close(struct http_server *server);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RUNTIME_HTTP_HTTP_SERVER_H_ */
