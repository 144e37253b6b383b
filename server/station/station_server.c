#include "server/station/station_server.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "server/runtime/http/http_server.h"
#include "server/runtime/os.h"
#include "server/runtime/signals.h"
#include "server/runtime/startup.h"
#include "server/sessions/session_store_open.h"
#include "server/station/limits.h"

enum {
    /* Standard streams, signals, listening sockets, the store's connection, those of the status
     * page, and some to spare. */
    OTHER_DESCRIPTOR_COUNT = LISTENER_CAPACITY + HTTP_DESCRIPTOR_COUNT + 32,
    /* The signals, the service manager's timer, and the status page. */
    OWN_WATCH_COUNT = 3,
};

static int64_t take_time(struct station_server *server) {
    server->services.now_ms = os_now_ms();
    return server->services.now_ms;
}

/* Goes on with a connection, or ends it, after something has happened to it. */
static void settle(struct station_server *server, uint32_t index, enum http2_outcome outcome) {
    const struct http2_connection *connection = &server->connections[index];
    if (outcome == HTTP2_FINISHED) {
        clients_end(&server->clients, index);
    } else {
        clients_await(&server->clients, index, http2_wanted_events(connection),
                      http2_deadline_ms(connection));
    }
}

static void advance(struct station_server *server, uint32_t index) {
    settle(server, index, http2_advance(&server->connections[index], server->services.now_ms));
}

static void note_changed(struct station_server *server, uint32_t index) {
    if (!server->is_changed[index]) {
        server->is_changed[index] = true;
        server->changed_indexes[server->changed_count++] = index;
    }
}

static int open_connection(void *context, uint32_t index, int fd,
                           enum clients_admission admission) {
    struct station_server *server = context;
    (void)admission; /* there are no places to be refused in */
    server->accepted_count++;
    int error = http2_open(&server->connections[index], &server->http2, fd,
                           clients_peer(&server->clients, index), take_time(server));
    if (error == 0) {
        advance(server, index);
    }
    return error;
}

static void handle_events(void *context, uint32_t index, short events) {
    struct station_server *server = context;
    settle(server, index,
           http2_handle_events(&server->connections[index], events, take_time(server)));
}

static void handle_time(void *context, uint32_t index) {
    note_changed(context, index);
}

static void close_connection(void *context, uint32_t index) {
    struct station_server *server = context;
    http2_close(&server->connections[index]);
}

static const struct clients_handlers handlers = {
    .open = open_connection,
    .handle_events = handle_events,
    .handle_time = handle_time,
    .close = close_connection,
};

/* Does something to all connections, and advances them. */
static void change_all(struct station_server *server, void (*change)(struct http2_connection *)) {
    for (uint32_t index = 0; index < server->clients.place_count; index++) {
        if (clients_is_open(&server->clients, index)) {
            change(&server->connections[index]);
            note_changed(server, index);
        }
    }
}

static void begin_drain(struct station_server *server) {
    server->phase = STATION_SERVER_ANNOUNCED;
    clients_stop_listening(&server->clients);
    listener_close(&server->listener);
    int64_t now_ms = take_time(server);
    server->phase_end_ms = now_ms + LIMIT_GOAWAY_PAUSE_MS;
    server->drain_end_ms = now_ms + server->configuration.drain_ms;
    services_begin_drain(&server->services);
    change_all(server, http2_announce_end);
}

static void handle_signal(void *context, short events) {
    struct station_server *server = context;
    (void)events;
    int signal_number = signals_next(server->signal_fd);
    if (signal_number == 0) {
        return;
    }
    bool is_first = server->phase == STATION_SERVER_SERVING;
    logger_print(server->configuration.logger, LOG_LEVEL_INFO, "shutting down%s: %s",
                 is_first ? "" : " at once",
                 signal_number > 0 ? strsignal(signal_number)
                                   : "a signal came that cannot be read");
    if (is_first) {
        service_manager_say_stopping(server->configuration.manager);
        begin_drain(server);
    } else {
        server->phase = STATION_SERVER_STOPPED;
    }
}

/* Goes on with the shutdown when the phase is over. */
static void handle_phase(struct station_server *server) {
    if (server->phase == STATION_SERVER_SERVING || server->phase == STATION_SERVER_STOPPED) {
        return;
    }
    if (clients_are_none(&server->clients)) {
        server->phase = STATION_SERVER_STOPPED;
    } else if (server->phase_end_ms > server->services.now_ms) {
        return;
    } else if (server->phase == STATION_SERVER_ANNOUNCED) {
        server->phase = STATION_SERVER_DRAINING;
        server->phase_end_ms = server->drain_end_ms;
        change_all(server, http2_refuse_new_streams);
    } else if (server->phase == STATION_SERVER_DRAINING) {
        server->phase = STATION_SERVER_CLOSING;
        server->phase_end_ms = server->services.now_ms + LIMIT_FAREWELL_MS;
        change_all(server, services_end_calls);
    } else {
        server->phase = STATION_SERVER_STOPPED;
    }
}

static void handle_due(struct station_server *server) {
    clients_handle_due(&server->clients, take_time(server));
    struct http2_connection *connection;
    while ((connection = services_handle_due(&server->services)) != NULL) {
        note_changed(server, (uint32_t)(connection - server->connections));
    }
    handle_phase(server);
}

static void advance_changed(struct station_server *server) {
    for (size_t place = 0; place < server->changed_count; place++) {
        uint32_t index = server->changed_indexes[place];
        server->is_changed[index] = false;
        if (clients_is_open(&server->clients, index)) {
            advance(server, index);
        }
    }
    server->changed_count = 0;
}

static int64_t earlier(int64_t one_ms, int64_t other_ms) {
    return one_ms < other_ms ? one_ms : other_ms;
}

static int64_t find_due_ms(const struct station_server *server) {
    int64_t due_ms = session_store_next_purge_ms(server->configuration.services.store);
    due_ms = earlier(due_ms, clients_due_ms(&server->clients));
    due_ms = earlier(due_ms, services_due_ms(&server->services));
    return server->phase == STATION_SERVER_SERVING ? due_ms : earlier(due_ms, server->phase_end_ms);
}

static int make_room(struct station_server *server) {
    const struct station_server_configuration *configuration = &server->configuration;
    const struct clients_configuration clients_configuration = {
        .handlers = &handlers,
        .context = server,
        .loop = &server->loop,
        .served_max = configuration->connection_count_max,
        .peer_max = configuration->peer_connection_count_max,
        .logger = configuration->logger,
    };
    size_t count = configuration->connection_count_max;
    server->connections = calloc(count, sizeof *server->connections);
    server->is_changed = calloc(count, sizeof *server->is_changed);
    server->changed_indexes = calloc(count, sizeof *server->changed_indexes);
    int error =
        server->connections == NULL || server->is_changed == NULL || server->changed_indexes == NULL
            ? -ENOMEM
            : 0;
    error = error != 0 ? error : services_init(&server->services, &configuration->services);
    error = error != 0
                ? error
                : http2_configuration_init(&server->http2, &services_handlers, &server->services);
    error = error != 0 ? error
                       : epoll_loop_init(&server->loop,
                                         clients_watch_count_max(count, 0) + OWN_WATCH_COUNT);
    error = error != 0 ? error : clients_init(&server->clients, &clients_configuration);
    if (error != 0) {
        (void)startup_fail(configuration->logger, "make room for connections and streams", error);
    }
    return error;
}

static int watch_own_descriptors(struct station_server *server) {
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

static int start_listening(struct station_server *server) {
    const struct station_server_configuration *configuration = &server->configuration;
    int error = startup_listen(&server->listener, NULL, configuration->addresses,
                               configuration->port, configuration->logger);
    if (error != 0) {
        return error;
    }
    error = clients_listen(&server->clients, &server->listener);
    if (error != 0) {
        (void)startup_fail(configuration->logger, "watch the port", error);
    }
    return error;
}

int station_server_open(struct station_server *server,
                        const struct station_server_configuration *configuration, int signal_fd) {
    *server = (struct station_server){.configuration = *configuration, .signal_fd = signal_fd};
    startup_allow_clients(configuration->connection_count_max, OTHER_DESCRIPTOR_COUNT,
                          configuration->logger);
    int error = make_room(server);
    error = error != 0 ? error : watch_own_descriptors(server);
    error = error != 0 ? error : start_listening(server);
    if (error == 0) {
        listener_announce(&server->listener, configuration->logger);
        service_manager_say_ready(configuration->manager);
    }
    return error;
}

int station_server_run(struct station_server *server) {
    while (server->phase != STATION_SERVER_STOPPED) {
        int fired_count = epoll_loop_run_until(&server->loop, find_due_ms(server));
        if (fired_count < 0) {
            logger_print(server->configuration.logger, LOG_LEVEL_ERROR, "epoll failed: %s",
                         strerror(-fired_count));
            return fired_count;
        }
        handle_due(server);
        advance_changed(server);
        session_store_purge(server->configuration.services.store, server->services.now_ms,
                            session_store_print_purged, NULL);
    }
    return 0;
}

void station_server_close(struct station_server *server) {
    clients_destroy(&server->clients);
    listener_close(&server->listener);
    epoll_loop_destroy(&server->loop);
    http2_configuration_destroy(&server->http2);
    services_destroy(&server->services);
    free(server->connections);
    free(server->is_changed);
    free(server->changed_indexes);
}
