#include "server/station/station_server.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/runtime/os.h"
#include "server/runtime/output.h"
#include "server/runtime/signals.h"
#include "server/runtime/startup.h"
#include "server/station/limits.h"

enum {
    /* Standard streams, signals, listening sockets, the store's connection, and some to spare. */
    OTHER_DESCRIPTOR_COUNT = LISTENER_CAPACITY + 32,
    NO_WATCH = -1,
    /* Less than PIPE_BUF: see output.h. */
    PURGE_LINE_CAPACITY = sizeof "Purging client info for: \n" + CLIENT_ID_LENGTH,
};

/* A place for a connection, which is in server->connections under the same index: what is looked at
 * for all places is kept apart, so that the pages of unused connections stay untouched. */
struct station_server_slot {
    struct station_server *server;
    int watch_index;  /* NO_WATCH: free */
    uint32_t peer;    /* the token of peer_counts.h */
    bool is_changed;  /* and listed in server->changed_slots */
    int64_t armed_ms; /* its deadline in the heap, at or before the connection's; INT64_MAX: none */
};

static uint32_t slot_index(const struct station_server_slot *slot) {
    return (uint32_t)(slot - slot->server->slots);
}

static struct http2_connection *connection_of(const struct station_server_slot *slot) {
    return &slot->server->connections[slot_index(slot)];
}

static bool is_used(const struct station_server_slot *slot) {
    return slot->watch_index != NO_WATCH;
}

static int64_t take_time(struct station_server *server) {
    server->services.now_ms = os_now_ms();
    return server->services.now_ms;
}

static void end_slot(struct station_server_slot *slot) {
    struct station_server *server = slot->server;
    uint32_t index = slot_index(slot);
    epoll_loop_remove(&server->loop, slot->watch_index);
    deadline_heap_clear(&server->deadlines, index);
    http2_close(connection_of(slot));
    peer_counts_release(&server->peers, slot->peer);
    slot->watch_index = NO_WATCH;
    server->free_slots[server->free_count++] = index;
    acceptor_release(&server->acceptor);
}

static void end_all_slots(struct station_server *server) {
    for (size_t i = 0; i < server->configuration.connection_count_max; i++) {
        if (is_used(&server->slots[i])) {
            end_slot(&server->slots[i]);
        }
    }
}

/* Watches for what the connection waits for now; false if the system has no room for that. A
 * deadline that moved later is left in the heap: when it comes, the connection finds nothing to
 * do. */
static bool update_slot(struct station_server_slot *slot) {
    struct http2_connection *connection = connection_of(slot);
    if (epoll_loop_set_events(&slot->server->loop, slot->watch_index,
                              http2_wanted_events(connection)) != 0) {
        return false;
    }
    int64_t deadline_ms = http2_deadline_ms(connection);
    if (deadline_ms < slot->armed_ms) {
        slot->armed_ms = deadline_ms;
        deadline_heap_set(&slot->server->deadlines, slot_index(slot), deadline_ms);
    }
    return true;
}

static void settle_slot(struct station_server_slot *slot, enum http2_outcome outcome) {
    if (outcome == HTTP2_FINISHED || !update_slot(slot)) {
        end_slot(slot);
    }
}

static void advance_slot(struct station_server_slot *slot) {
    settle_slot(slot, http2_advance(connection_of(slot), slot->server->services.now_ms));
}

static void handle_connection(void *context, short events) {
    struct station_server_slot *slot = context;
    settle_slot(slot, http2_handle_events(connection_of(slot), events, take_time(slot->server)));
}

/* Counts a connection of the slot's. False: its peer has as many as it may have. */
static bool count_peer(struct station_server_slot *slot, int fd) {
    struct station_server *server = slot->server;
    struct sockaddr_storage storage = {0};
    struct sockaddr *address = (struct sockaddr *)&storage;
    socklen_t size = sizeof storage;
    size_t limit = server->configuration.peer_connection_count_max;
    slot->peer = PEER_COUNTS_NONE;
    if (limit == 0 || getpeername(fd, address, &size) != 0 || /* it has gone already */
        (!server->configuration.is_loopback_limited && listener_is_loopback(address))) {
        return true;
    }
    slot->peer = peer_counts_take(&server->peers, address, limit);
    return slot->peer != PEER_COUNTS_NONE;
}

/* Puts an accepted connection into a free slot: there are as many as the acceptor has places. */
static int add_connection(void *context, int fd) {
    struct station_server *server = context;
    struct station_server_slot *slot = &server->slots[server->free_slots[server->free_count - 1]];
    if (!count_peer(slot, fd)) {
        (void)os_close(fd);
        acceptor_release(&server->acceptor);
        return 0;
    }
    int watch_index = epoll_loop_add(&server->loop, fd, POLLIN, handle_connection, slot);
    if (watch_index < 0) {
        peer_counts_release(&server->peers, slot->peer);
        (void)os_close(fd);
        return watch_index;
    }
    int error = http2_open(connection_of(slot), &server->http2, fd, take_time(server));
    if (error != 0) {
        epoll_loop_remove(&server->loop, watch_index);
        peer_counts_release(&server->peers, slot->peer);
        (void)os_close(fd);
        return error;
    }
    server->free_count--;
    slot->watch_index = watch_index;
    slot->armed_ms = INT64_MAX;
    advance_slot(slot);
    return 0;
}

static void note_changed(struct station_server_slot *slot) {
    if (!slot->is_changed) {
        slot->is_changed = true;
        slot->server->changed_slots[slot->server->changed_count++] = slot_index(slot);
    }
}

/* Does something to all connections, and advances them. */
static void change_all(struct station_server *server, void (*change)(struct http2_connection *)) {
    for (size_t i = 0; i < server->configuration.connection_count_max; i++) {
        if (is_used(&server->slots[i])) {
            change(&server->connections[i]);
            note_changed(&server->slots[i]);
        }
    }
}

static void begin_drain(struct station_server *server) {
    server->phase = STATION_SERVER_ANNOUNCED;
    acceptor_close(&server->acceptor);
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
    bool is_empty = server->free_count == server->configuration.connection_count_max;
    if (is_empty) {
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

static void handle_due_times(struct station_server *server) {
    uint32_t index;
    int64_t now_ms = take_time(server);
    (void)acceptor_tick(&server->acceptor, now_ms);
    while (deadline_heap_take_due(&server->deadlines, now_ms, &index)) {
        server->slots[index].armed_ms = INT64_MAX;
        note_changed(&server->slots[index]);
    }
    struct http2_connection *connection;
    while ((connection = services_handle_due(&server->services)) != NULL) {
        note_changed(&server->slots[connection - server->connections]);
    }
    handle_phase(server);
}

static void advance_changed(struct station_server *server) {
    for (size_t i = 0; i < server->changed_count; i++) {
        struct station_server_slot *slot = &server->slots[server->changed_slots[i]];
        slot->is_changed = false;
        if (is_used(slot)) {
            advance_slot(slot);
        }
    }
    server->changed_count = 0;
}

static void print_purged(void *context, const char *client_id) {
    char line[PURGE_LINE_CAPACITY];
    (void)context;
    int size = snprintf(line, sizeof line, "Purging client info for: %s\n", client_id);
    /* Left out without room: all clients would wait with this thread. */
    (void)output_write_if_room(STDOUT_FILENO, line, (size_t)size);
}

static int64_t earlier(int64_t one_ms, int64_t other_ms) {
    return one_ms < other_ms ? one_ms : other_ms;
}

/* How long to wait for events. */
static int find_timeout_ms(struct station_server *server) {
    int64_t now_ms = take_time(server);
    int64_t due_ms = session_store_next_purge_ms(server->configuration.services.store);
    int connections_ms = deadline_heap_timeout_ms(&server->deadlines, now_ms);
    int services_ms = services_timeout_ms(&server->services);
    due_ms = earlier(due_ms, acceptor_again_ms(&server->acceptor));
    if (server->phase != STATION_SERVER_SERVING) {
        due_ms = earlier(due_ms, server->phase_end_ms);
    }
    if (connections_ms >= 0) {
        due_ms = earlier(due_ms, now_ms + connections_ms);
    }
    if (services_ms >= 0) {
        due_ms = earlier(due_ms, now_ms + services_ms);
    }
    if (due_ms == INT64_MAX) {
        return -1;
    }
    int64_t timeout_ms = due_ms > now_ms ? due_ms - now_ms : 0;
    return timeout_ms < INT32_MAX ? (int)timeout_ms : INT32_MAX;
}

static int allocate(struct station_server *server) {
    size_t count = server->configuration.connection_count_max;
    server->slots = calloc(count, sizeof *server->slots);
    server->connections = calloc(count, sizeof *server->connections);
    server->free_slots = calloc(count, sizeof *server->free_slots);
    server->changed_slots = calloc(count, sizeof *server->changed_slots);
    if (server->slots == NULL || server->connections == NULL || server->free_slots == NULL ||
        server->changed_slots == NULL) {
        return -ENOMEM;
    }
    /* The lowest index is taken first, so few connections touch few pages. */
    for (size_t i = 0; i < count; i++) {
        server->slots[i].server = server;
        server->slots[i].watch_index = NO_WATCH;
        server->free_slots[server->free_count++] = (uint32_t)(count - 1 - i);
    }
    int error = services_init(&server->services, &server->configuration.services);
    error = error != 0 ? error : deadline_heap_init(&server->deadlines, count);
    error = error != 0 ? error : peer_counts_init(&server->peers, count);
    error = error != 0
                ? error
                : http2_configuration_init(&server->http2, &services_handlers, &server->services);
    return error != 0 ? error : epoll_loop_init(&server->loop, count + LISTENER_CAPACITY + 1);
}

/* Listens and watches for connections. Why that fails is printed. */
static int start_listening(struct station_server *server) {
    const struct station_server_configuration *configuration = &server->configuration;
    int error =
        listener_open(&server->listener, configuration->addresses, configuration->address_count,
                      configuration->port, configuration->logger);
    if (error != 0) {
        return error;
    }
    struct acceptor_configuration acceptor_configuration = {
        .loop = &server->loop,
        .listener = &server->listener,
        .place_count = configuration->connection_count_max,
        .open_connection = add_connection,
        .context = server,
        .logger = configuration->logger,
    };
    error = acceptor_init(&server->acceptor, &acceptor_configuration);
    if (error != 0) {
        (void)startup_fail(configuration->logger, "watch the port", error);
    }
    return error;
}

/* Opens what may fail. The reason is printed. */
static int open_parts(struct station_server *server) {
    const struct logger *logger = server->configuration.logger;
    int error = allocate(server);
    if (error != 0) {
        (void)startup_fail(logger, "make room for connections and streams", error);
        return error;
    }
    startup_allow_clients(server->configuration.connection_count_max, OTHER_DESCRIPTOR_COUNT,
                          logger);
    int watch = epoll_loop_add(&server->loop, server->signal_fd, POLLIN, handle_signal, server);
    if (watch < 0) {
        (void)startup_fail(logger, "watch for signals", watch);
        return watch;
    }
    return start_listening(server);
}

int station_server_open(struct station_server *server,
                        const struct station_server_configuration *configuration, int signal_fd) {
    *server = (struct station_server){.configuration = *configuration, .signal_fd = signal_fd};
    int error = open_parts(server);
    if (error != 0) {
        station_server_close(server);
        return error;
    }
    listener_announce(&server->listener, configuration->logger);
    return 0;
}

int station_server_run(struct station_server *server) {
    while (server->phase != STATION_SERVER_STOPPED) {
        int fired_count = epoll_loop_run_once(&server->loop, find_timeout_ms(server));
        if (fired_count < 0) {
            logger_print(server->configuration.logger, LOG_LEVEL_ERROR, "epoll failed: %s",
                         strerror(-fired_count));
            return fired_count;
        }
        handle_due_times(server);
        advance_changed(server);
        session_store_purge(server->configuration.services.store, server->services.now_ms,
                            print_purged, NULL);
    }
    return 0;
}

void station_server_close(struct station_server *server) {
    acceptor_close(&server->acceptor);
    listener_close(&server->listener);
    if (server->loop.watches != NULL) {
        end_all_slots(server);
    }
    epoll_loop_destroy(&server->loop);
    http2_configuration_destroy(&server->http2);
    services_destroy(&server->services);
    deadline_heap_destroy(&server->deadlines);
    peer_counts_destroy(&server->peers);
    free(server->slots);
    free(server->connections);
    free(server->free_slots);
    free(server->changed_slots);
}
