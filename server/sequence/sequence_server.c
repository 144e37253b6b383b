#include "server/sequence/sequence_server.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "server/runtime/http/http_server.h"
#include "server/runtime/os.h"
#include "server/runtime/signals.h"
#include "server/runtime/startup.h"
#include "server/sequence/limits.h"
#include "server/sessions/session_store_open.h"

enum {
    /* Connections above the limit that can be told so at the same time. */
    REFUSAL_COUNT = 64,
    /* The signals, the service manager's timer, and the status page. */
    OWN_WATCH_COUNT = 3,
    /* How soon to try again when the port cannot be listened on after being offline. */
    RELISTEN_PAUSE_MS = 100,
    /* Refusals, standard streams, signals, listening sockets, the store's connection, those of the
     * status page, and some to spare. */
    OTHER_DESCRIPTOR_COUNT = REFUSAL_COUNT + LISTENER_CAPACITY + HTTP_DESCRIPTOR_COUNT + 32,
};

static void stop_listening(struct sequence_server *server) {
    clients_stop_listening(&server->clients);
    listener_close(&server->listener);
}

/* Drops everyone and refuses connections until the time is over. */
static void go_offline(struct sequence_server *server, int64_t now_ms) {
    logger_print(server->configuration.logger, LOG_LEVEL_INFO, "going offline for %.15g s",
                 (double)server->configuration.offline_ms / 1000);
    stop_listening(server);
    clients_end_all(&server->clients);
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
            clients_stop_serving(&server->clients, index);
        }
        clients_await(&server->clients, index, connection_wanted_events(connection),
                      connection_deadline_ms(connection));
        break;
    case CONNECTION_FINISHED:
        clients_end(&server->clients, index);
        break;
    case CONNECTION_FAILED:
        clients_end(&server->clients, index);
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
        connection_begin(connection, configuration, fd, clients_peer(&server->clients, index),
                         now_ms);
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

static const struct clients_handlers handlers = {
    .open = open_connection,
    .handle_events = handle_events,
    .handle_time = handle_time,
    .close = close_connection,
};

static void handle_signal(void *context, short events) {
    struct sequence_server *server = context;
    (void)events;
    int signal_number = signals_next(server->signal_fd);
    if (signal_number == 0) {
        return;
    }
    logger_print(server->configuration.logger, LOG_LEVEL_INFO, "shutting down: %s",
                 signal_number > 0 ? strsignal(signal_number)
                                   : "a signal came that cannot be read");
    server->is_stopping = true;
    service_manager_say_stopping(server->configuration.manager);
}

/* Listens on `port`, and watches for connections. `logger` is told why that fails. */
static int start_listening(struct sequence_server *server, uint16_t port,
                           const struct logger *logger) {
    const struct sequence_server_configuration *configuration = &server->configuration;
    int error = startup_listen(&server->listener, NULL, configuration->addresses, port, logger);
    if (error != 0) {
        return error;
    }
    error = clients_listen(&server->clients, &server->listener);
    if (error != 0) {
        (void)startup_fail(logger, "watch the port", error);
        listener_close(&server->listener);
    }
    return error;
}

static void come_online(struct sequence_server *server, int64_t now_ms) {
    /* No message is so important: why it fails is not told at every attempt. */
    static const struct logger silence = {.lowest = LOG_LEVEL_ERROR + 1};
    const struct logger *logger = warning_limiter_allows(&server->relisten_warning, now_ms)
                                      ? server->configuration.logger
                                      : &silence;
    if (start_listening(server, server->port, logger) != 0) {
        server->online_ms = now_ms + RELISTEN_PAUSE_MS;
        return;
    }
    server->online_ms = INT64_MAX;
    logger_print(server->configuration.logger, LOG_LEVEL_INFO, "online again");
}

static void handle_due(struct sequence_server *server) {
    int64_t now_ms = os_now_ms();
    clients_handle_due(&server->clients, now_ms);
    if (server->online_ms <= now_ms) {
        come_online(server, now_ms);
    }
    session_store_purge(server->configuration.conversation.store, os_now_ms(),
                        session_store_print_purged, NULL);
}

static int64_t earlier(int64_t one_ms, int64_t other_ms) {
    return one_ms < other_ms ? one_ms : other_ms;
}

static int64_t find_due_ms(const struct sequence_server *server) {
    int64_t purge_ms = session_store_next_purge_ms(server->configuration.conversation.store);
    return earlier(purge_ms, earlier(clients_due_ms(&server->clients), server->online_ms));
}

static int make_room(struct sequence_server *server) {
    const struct sequence_server_configuration *configuration = &server->configuration;
    const struct clients_configuration clients_configuration = {
        .handlers = &handlers,
        .context = server,
        .loop = &server->loop,
        .served_max = configuration->connection_count_max,
        .refused_max = REFUSAL_COUNT,
        .peer_max = configuration->peer_connection_count_max,
        .logger = configuration->logger,
    };
    size_t watch_count =
        clients_watch_count_max(configuration->connection_count_max, REFUSAL_COUNT);
    int error = epoll_loop_init(&server->loop, watch_count + OWN_WATCH_COUNT);
    error = error != 0 ? error : clients_init(&server->clients, &clients_configuration);
    if (error == 0) {
        server->connections = calloc(server->clients.place_count, sizeof *server->connections);
        error = server->connections == NULL ? -ENOMEM : 0;
    }
    if (error != 0) {
        logger_print(configuration->logger, LOG_LEVEL_ERROR,
                     "cannot make room for %zu connections: %s",
                     configuration->connection_count_max, strerror(-error));
    }
    return error;
}

static int watch_own_descriptors(struct sequence_server *server) {
    struct service_manager *manager = server->configuration.manager;
    struct inquiry *inquiry = server->configuration.inquiry;
    const struct epoll_input inputs[OWN_WATCH_COUNT] = {
        {server->signal_fd, handle_signal, server},
        {service_manager_timer_fd(manager), service_manager_handle_timer, manager},
        {inquiry_fd(inquiry), inquiry_on_asked, inquiry},
    };
    int error = epoll_loop_add_inputs(&server->loop, inputs, OWN_WATCH_COUNT);
    if (error != 0) {
        (void)startup_fail(server->configuration.logger, "watch for signals", error);
    }
    return error;
}

/* Whether the system has a descriptor left for a client. */
static int check_room(const struct sequence_server *server) {
    int fd = os_eventfd();
    int error = fd < 0 ? fd : os_close(fd);
    if (error != 0) {
        (void)startup_fail(server->configuration.logger, "serve a single client", error);
    }
    return error;
}

int sequence_server_open(struct sequence_server *server,
                         const struct sequence_server_configuration *configuration, int signal_fd) {
    *server = (struct sequence_server){
        .configuration = *configuration, .signal_fd = signal_fd, .online_ms = INT64_MAX};
    server->configuration.connection.conversation = &server->configuration.conversation;
    startup_allow_clients(configuration->connection_count_max, OTHER_DESCRIPTOR_COUNT,
                          configuration->logger);
    int error = make_room(server);
    error = error != 0 ? error : watch_own_descriptors(server);
    error =
        error != 0 ? error : start_listening(server, configuration->port, configuration->logger);
    error = error != 0 ? error : check_room(server);
    if (error != 0) {
        return error;
    }
    server->port = listener_port(&server->listener);
    listener_announce(&server->listener, configuration->logger);
    service_manager_say_ready(configuration->manager);
    return 0;
}

int sequence_server_run(struct sequence_server *server) {
    while (!server->is_stopping) {
        int fired_count = epoll_loop_run_until(&server->loop, find_due_ms(server));
        if (fired_count < 0) {
            logger_print(server->configuration.logger, LOG_LEVEL_ERROR, "epoll failed: %s",
                         strerror(-fired_count));
            return fired_count;
        }
        handle_due(server);
    }
    return 0;
}

void sequence_server_close(struct sequence_server *server) {
    clients_destroy(&server->clients);
    listener_close(&server->listener);
    epoll_loop_destroy(&server->loop);
    free(server->connections);
}
