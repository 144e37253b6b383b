#include "server/numbers/accepting.h"

#include <errno.h>
#include <string.h>

#include "server/runtime/os.h"

void accepting_update(struct numbers_server *server) {
    const struct numbers_server_configuration *configuration = &server->configuration;
    bool has_place = server->client_count < configuration->client_capacity ||
                     configuration->when_full == WHEN_FULL_REFUSE;
    bool is_accepting =
        has_place && server->accept_again_ms == INT64_MAX && !server->is_shutting_down;
    if (is_accepting == server->is_accepting) {
        return;
    }
    server->is_accepting = is_accepting;
    for (size_t index = 0; index < configuration->listener->count; index++) {
        poll_loop_set_events(&server->loop, server->listener_watches[index],
                             is_accepting ? POLLIN : 0);
    }
}

static struct connection *find_free_connection(struct numbers_server *server) {
    for (size_t index = 0; index < server->configuration.client_capacity; index++) {
        if (server->connections[index].state == CONNECTION_FREE) {
            return &server->connections[index];
        }
    }
    return NULL;
}

/* A turn looks for silent clients before it accepts new ones, whose time is added here. */
static void note_idle_deadline(struct numbers_server *server) {
    int64_t timeout_ms = server->configuration.idle_timeout_ms;
    if (timeout_ms > 0 && server->loop.now_ms + timeout_ms < server->idle_deadline_ms) {
        server->idle_deadline_ms = server->loop.now_ms + timeout_ms;
    }
}

static void open_connection(struct numbers_server *server, int fd) {
    struct connection *connection = find_free_connection(server);
    int watch_index = -ENOSPC;
    if (connection != NULL) {
        watch_index = poll_loop_add(&server->loop, fd, server->is_stalled ? 0 : POLLIN,
                                    server->on_receivable, connection);
    }
    if (watch_index < 0) {
        logger_print(server->configuration.logger, LOG_LEVEL_DEBUG,
                     "refused a client: all places taken");
        listener_reset_connection(fd);
        return;
    }
    listener_tune_connection(fd);
    *connection =
        (struct connection){.server = server,
                            .state = CONNECTION_RECEIVING,
                            .fd = fd,
                            .watch_index = watch_index,
                            .last_received_ms = server->loop.now_ms,
                            /* Asked now: a peer that has reset by then has no address. */
                            .may_terminate = !server->configuration.refuses_remote_terminate ||
                                             listener_has_loopback_peer(fd)};
    session_init(&connection->session);
    server->client_count++;
    note_idle_deadline(server);
    accepting_update(server);
}

/* Leaves accepting alone for a moment: what it lacks (descriptors, memory) may come back. */
static void pause_accepting(struct numbers_server *server, int error) {
    if (warning_limiter_allows(&server->accept_warning, server->loop.now_ms)) {
        logger_print(server->configuration.logger, LOG_LEVEL_WARNING, "cannot accept a client: %s",
                     strerror(-error));
    }
    server->accept_again_ms = server->loop.now_ms + ACCEPT_PAUSE_MS;
    accepting_update(server);
}

static void accept_clients(struct numbers_server *server, int listening_fd) {
    for (int count = 0; count < ACCEPTS_PER_TURN && server->is_accepting; count++) {
        int fd = os_accept(listening_fd, NULL);
        if (fd == -EAGAIN) {
            return;
        }
        if (fd == -ECONNABORTED) {
            continue; /* the client has given up already */
        }
        if (fd < 0) {
            pause_accepting(server, fd);
            return;
        }
        open_connection(server, fd);
    }
}

/* One handler for all listeners: which one is ready matters little, accept tells. */
static void on_listeners(void *context, short events) {
    (void)events;
    struct numbers_server *server = context;
    server->is_accept_due = true;
}

void accepting_run(struct numbers_server *server) {
    if (!server->is_accept_due) {
        return;
    }
    server->is_accept_due = false;
    for (size_t index = 0; index < server->configuration.listener->count; index++) {
        accept_clients(server, server->configuration.listener->fds[index]);
    }
}

void accepting_retry(struct numbers_server *server) {
    if (server->loop.now_ms >= server->accept_again_ms) {
        server->accept_again_ms = INT64_MAX;
        accepting_update(server);
    }
}

int accepting_start(struct numbers_server *server, poll_handler *on_receivable) {
    const struct numbers_server_configuration *configuration = &server->configuration;
    server->on_receivable = on_receivable;
    for (size_t index = 0; index < configuration->listener->count; index++) {
        /* Linux hands this on to the connections accepted, from their first moment. Only
         * confirm_connection takes it back: should the process be killed, no client is to mistake
         * the kernel's close for the promise that its numbers are stored. */
        listener_set_reset_on_close(configuration->listener->fds[index], true);
        server->listener_watches[index] = poll_loop_add(
            &server->loop, configuration->listener->fds[index], POLLIN, on_listeners, server);
        if (server->listener_watches[index] < 0) {
            return server->listener_watches[index];
        }
    }
    server->is_accepting = true;
    return 0;
}
