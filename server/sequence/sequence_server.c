#include "server/sequence/sequence_server.h"

#include <errno.h>
#include <stdlib.h>

#include "server/runtime/os.h"
#include "server/runtime/startup.h"
#include "server/sequence/limits.h"
#include "server/sessions/session_store_open.h"

enum {
    /* Connections above the limit that can be told so at the same time. */
    REFUSAL_COUNT = 64,
    /* How soon to try again when the port cannot be listened on after being offline. */
    RELISTEN_PAUSE_MS = 100,
};

/* Drops everyone and refuses connections until the time is over. */
static void go_offline(struct sequence_server *server, int64_t now_ms) {
    logger_print(&server->daemon->logger, LOG_LEVEL_INFO, "going offline for %.15g s",
                 (double)server->configuration.offline_ms / 1000);
    session_daemon_stop_listening(server->daemon);
    clients_end_all(&server->daemon->clients);
    server->relisten_warning = (struct warning_limiter){0};
    server->online_ms = now_ms + server->configuration.offline_ms;
}

/* Goes on with a connection, or ends it, after something has happened to it. */
static void settle(struct sequence_server *server, uint32_t index, enum connection_outcome outcome,
                   int64_t now_ms) {
    const struct connection *connection = &server->connections[index];
    switch (outcome) {
    case CONNECTION_OPEN:
        if (connection->is_lingering) {
            clients_stop_serving(&server->daemon->clients, index);
        }
        clients_await(&server->daemon->clients, index, connection_wanted_events(connection),
                      connection_deadline_ms(connection));
        break;
    case CONNECTION_FINISHED:
        clients_end(&server->daemon->clients, index);
        break;
    case CONNECTION_FAILED:
        clients_end(&server->daemon->clients, index);
        if (server->configuration.offline_ms > 0) {
            go_offline(server, now_ms);
        }
        break;
    }
}

static void handle_events(void *context, uint32_t index, short events) {
    struct sequence_server *server = context;
    int64_t now_ms = os_now_ms();
    settle(server, index, connection_handle_events(&server->connections[index], events, now_ms),
           now_ms);
}

static void handle_time(void *context, uint32_t index) {
    struct sequence_server *server = context;
    int64_t now_ms = os_now_ms();
    settle(server, index, connection_handle_time(&server->connections[index], now_ms), now_ms);
}

static int open_connection(void *context, uint32_t index, int fd,
                           enum clients_admission admission) {
    struct sequence_server *server = context;
    struct connection *connection = &server->connections[index];
    const struct connection_configuration *configuration = &server->configuration.connection;
    int64_t now_ms = os_now_ms();
    server->accepted_count++;
    listener_bound_connection(fd, configuration->idle_timeout_ms > 0
                                      ? configuration->idle_timeout_ms
                                      : LIMIT_DEAD_PEER_MS);
    if (admission == CLIENTS_ADMITTED) {
        connection_begin(connection, configuration, fd,
                         clients_peer(&server->daemon->clients, index), now_ms);
        settle(server, index, CONNECTION_OPEN, now_ms);
    } else {
        server->refused_count++;
        connection_refuse(connection, configuration, fd,
                          admission == CLIENTS_FULL ? PROTOCOL_TEXT_TOO_MANY_CONNECTIONS
                                                    : PROTOCOL_TEXT_TOO_MANY_OF_ONE_PEER,
                          now_ms);
        settle(server, index, connection_handle_events(connection, 0, now_ms), now_ms);
    }
    return 0;
}

static void close_connection(void *context, uint32_t index) {
    struct sequence_server *server = context;
    connection_end(&server->connections[index], os_now_ms());
}

/* One signal is enough. */
static void end(void *context, bool is_first) {
    struct sequence_server *server = context;
    (void)is_first;
    server->is_stopping = true;
}

static const struct session_daemon_service service = {
    .clients = {.open = open_connection,
                .handle_events = handle_events,
                .handle_time = handle_time,
                .close = close_connection},
    .end = end,
    .refused_max = REFUSAL_COUNT,
};

static void come_online(struct sequence_server *server, int64_t now_ms) {
    /* No message is so important: why it fails is not told at every attempt. */
    static const struct logger silence = {.lowest = LOG_LEVEL_ERROR + 1};
    const struct logger *logger = warning_limiter_allows(&server->relisten_warning, now_ms)
                                      ? &server->daemon->logger
                                      : &silence;
    if (session_daemon_listen(server->daemon, server->port, logger) != 0) {
        server->online_ms = now_ms + RELISTEN_PAUSE_MS;
        return;
    }
    server->online_ms = INT64_MAX;
    logger_print(&server->daemon->logger, LOG_LEVEL_INFO, "online again");
}

static void handle_due(struct sequence_server *server) {
    int64_t now_ms = os_now_ms();
    clients_handle_due(&server->daemon->clients, now_ms);
    if (server->online_ms <= now_ms) {
        come_online(server, now_ms);
    }
    session_store_purge(server->configuration.conversation.store, os_now_ms(),
                        session_store_print_purged, NULL);
}

static int64_t find_due_ms(const struct sequence_server *server) {
    int64_t purge_ms = session_store_next_purge_ms(server->configuration.conversation.store);
    return purge_ms < server->online_ms ? purge_ms : server->online_ms;
}

static int make_room(struct sequence_server *server) {
    server->connections = calloc(server->daemon->clients.place_count, sizeof *server->connections);
    if (server->connections == NULL) {
        (void)startup_fail(&server->daemon->logger, "make room for connections", -ENOMEM);
        return -ENOMEM;
    }
    return 0;
}

/* Whether the system has a descriptor left for a client. */
static int check_room(const struct sequence_server *server) {
    int fd = os_eventfd();
    int error = fd < 0 ? fd : os_close(fd);
    if (error != 0) {
        (void)startup_fail(&server->daemon->logger, "serve a single client", error);
    }
    return error;
}

int sequence_server_open(struct sequence_server *server,
                         const struct sequence_server_configuration *configuration,
                         struct session_daemon *daemon) {
    *server = (struct sequence_server){
        .configuration = *configuration, .daemon = daemon, .online_ms = INT64_MAX};
    server->configuration.connection.conversation = &server->configuration.conversation;
    int error = session_daemon_open_loop(daemon, &service, server);
    error = error != 0 ? error : make_room(server);
    error = error != 0
                ? error
                : session_daemon_listen(daemon, (uint16_t)daemon->settings->port, &daemon->logger);
    error = error != 0 ? error : check_room(server);
    if (error == 0) {
        server->port = listener_port(&daemon->listener);
        session_daemon_say_ready(daemon);
    }
    return error;
}

int sequence_server_run(struct sequence_server *server) {
    while (!server->is_stopping) {
        int error = session_daemon_run_until(server->daemon, find_due_ms(server));
        if (error != 0) {
            return error;
        }
        handle_due(server);
    }
    return 0;
}

void sequence_server_close(struct sequence_server *server) {
    free(server->connections);
}
