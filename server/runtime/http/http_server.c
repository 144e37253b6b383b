#include "server/runtime/http/http_server.h"

#include <string.h>

#include "server/runtime/http/http_service.h"
#include "server/runtime/os.h"

static bool fail(const struct logger *logger, const char *action, int error) {
    logger_print(logger, LOG_LEVEL_ERROR, "cannot %s: %s", action, strerror(-error));
    return false;
}

bool http_server_open(struct http_server *server, int64_t port, const struct logger *logger) {
    static const char *const addresses[] = {"127.0.0.1"};
    if (port == HTTP_PORT_NONE) {
        return true;
    }
    if (listener_open(&server->listener, addresses, 1, (uint16_t)port, logger) != 0) {
        return false;
    }
    int error = inquiry_init(&server->inquiry);
    if (error != 0) {
        listener_close(&server->listener);
        return fail(logger, "set up the status page", error);
    }
    return true;
}

static void *run(void *context) {
    http_service_run(context);
    return NULL;
}

static bool start_thread(struct http_server *server,
                         const struct http_server_configuration *configuration) {
    server->service = http_service_create(server, configuration);
    if (server->service == NULL) {
        return false;
    }
    int error = os_thread_create(&server->thread, "http", run, server->service);
    if (error != 0) {
        http_service_destroy(server->service);
        server->service = NULL;
        return fail(configuration->logger, "start the thread of the status page", error);
    }
    return true;
}

bool http_server_start(struct http_server *server,
                       const struct http_server_configuration *configuration) {
    if (server->listener.count == 0) {
        return true;
    }
    inquiry_set_source(&server->inquiry, &configuration->source);
    if (!start_thread(server, configuration)) {
        return false;
    }
    logger_announce(configuration->logger, "metrics and status page at http://127.0.0.1:%u/",
                    listener_port(&server->listener));
    return true;
}

struct inquiry *http_server_inquiry(struct http_server *server) {
    return server->listener.count > 0 ? &server->inquiry : NULL;
}

void http_server_stop(struct http_server *server) {
    if (server->service == NULL) {
        return;
    }
    inquiry_close(&server->inquiry);
    http_service_stop(server->service);
    (void)pthread_join(server->thread, NULL);
    http_service_destroy(server->service);
    server->service = NULL;
}

void http_server_close(struct http_server *server) {
    if (server->listener.count > 0) {
        inquiry_destroy(&server->inquiry);
        listener_close(&server->listener);
    }
}
