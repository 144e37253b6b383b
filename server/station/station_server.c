#include "server/station/station_server.h"

#include <errno.h>
#include <stdlib.h>

#include "server/runtime/os.h"
#include "server/runtime/startup.h"
#include "server/sessions/session_store_open.h"
#include "server/station/limits.h"

static int64_t take_time(struct station_server *server) {
    server->services.now_ms = os_now_ms();
    return server->services.now_ms;
}

/* Goes on with a connection, or ends it, after something has happened to it. */
static void settle(struct station_server *server, uint32_t index, enum http2_outcome outcome) {
    const struct http2_connection *connection = &server->connections[index];
    if (outcome == HTTP2_FINISHED) {
        clients_end(&server->daemon->clients, index);
    } else {
        clients_await(&server->daemon->clients, index, http2_wanted_events(connection),
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
                           clients_peer(&server->daemon->clients, index), take_time(server));
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

/* Does something to all connections, and advances them. */
static void change_all(struct station_server *server, void (*change)(struct http2_connection *)) {
    for (uint32_t index = 0; index < server->daemon->clients.place_count; index++) {
        if (clients_is_open(&server->daemon->clients, index)) {
            change(&server->connections[index]);
            note_changed(server, index);
        }
    }
}

static void begin_drain(struct station_server *server) {
    server->phase = STATION_SERVER_ANNOUNCED;
    session_daemon_stop_listening(server->daemon);
    int64_t now_ms = take_time(server);
    server->phase_end_ms = now_ms + LIMIT_GOAWAY_PAUSE_MS;
    server->drain_end_ms = now_ms + server->configuration.drain_ms;
    services_begin_drain(&server->services);
    change_all(server, http2_announce_end);
}

static void end(void *context, bool is_first) {
    struct station_server *server = context;
    if (is_first) {
        begin_drain(server);
    } else {
        server->phase = STATION_SERVER_STOPPED;
    }
}

static const struct session_daemon_service service = {
    .clients = {.open = open_connection,
                .handle_events = handle_events,
                .handle_time = handle_time,
                .close = close_connection},
    .end = end,
};

/* Goes on with the shutdown when the phase is over. */
static void handle_phase(struct station_server *server) {
    if (server->phase == STATION_SERVER_SERVING || server->phase == STATION_SERVER_STOPPED) {
        return;
    }
    if (clients_are_none(&server->daemon->clients)) {
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
    clients_handle_due(&server->daemon->clients, take_time(server));
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
        if (clients_is_open(&server->daemon->clients, index)) {
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
    due_ms = earlier(due_ms, services_due_ms(&server->services));
    return server->phase == STATION_SERVER_SERVING ? due_ms : earlier(due_ms, server->phase_end_ms);
}

static int make_room(struct station_server *server) {
    size_t count = server->daemon->clients.place_count;
    server->connections = calloc(count, sizeof *server->connections);
    server->is_changed = calloc(count, sizeof *server->is_changed);
    server->changed_indexes = calloc(count, sizeof *server->changed_indexes);
    int error =
        server->connections == NULL || server->is_changed == NULL || server->changed_indexes == NULL
            ? -ENOMEM
            : 0;
    error = error != 0 ? error : services_init(&server->services, &server->configuration.services);
    error = error != 0
                ? error
                : http2_configuration_init(&server->http2, &services_handlers, &server->services);
    if (error != 0) {
        (void)startup_fail(&server->daemon->logger, "make room for connections and streams", error);
    }
    return error;
}

int station_server_open(struct station_server *server,
                        const struct station_server_configuration *configuration,
                        struct session_daemon *daemon) {
    *server = (struct station_server){.configuration = *configuration, .daemon = daemon};
    int error = session_daemon_open_loop(daemon, &service, server);
    error = error != 0 ? error : make_room(server);
    error = error != 0
                ? error
                : session_daemon_listen(daemon, (uint16_t)daemon->settings->port, &daemon->logger);
    if (error == 0) {
        session_daemon_say_ready(daemon);
    }
    return error;
}

int station_server_run(struct station_server *server) {
    while (server->phase != STATION_SERVER_STOPPED) {
        int error = session_daemon_run_until(server->daemon, find_due_ms(server));
        if (error != 0) {
            return error;
        }
        handle_due(server);
        advance_changed(server);
        session_store_purge(server->configuration.services.store, server->services.now_ms,
                            session_store_print_purged, NULL);
    }
    return 0;
}

void station_server_close(struct station_server *server) {
    http2_configuration_destroy(&server->http2);
    services_destroy(&server->services);
    free(server->connections);
    free(server->is_changed);
    free(server->changed_indexes);
}
