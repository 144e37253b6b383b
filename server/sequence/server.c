#include "server/sequence/server.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/runtime/os.h"
#include "server/runtime/output.h"
#include "server/runtime/signals.h"
#include "server/runtime/startup.h"
#include "server/sequence/limits.h"

enum {
    /* Connections above the limit that can be told so at the same time. */
    REFUSAL_COUNT = 64,
    /* How soon to try again when the port cannot be listened on after being offline. */
    RELISTEN_PAUSE_MS = 100,
    /* Refusals, standard streams, signals, listening sockets, the store's connection, and some to
     * spare. */
    OTHER_DESCRIPTOR_COUNT = REFUSAL_COUNT + LISTENER_CAPACITY + 32,
    NO_WATCH = -1,
    /* Less than PIPE_BUF: see output.h. */
    PURGE_LINE_CAPACITY = sizeof "Purging client info for: \n" + CLIENT_ID_LENGTH,
};

/* A place for a connection, which is in server->connections under the same index: what is looked at
 * for all places is kept apart, so that the pages of unused connections stay untouched. */
struct server_slot {
    struct server *server;
    int watch_index;  /* NO_WATCH: free */
    bool is_serving;  /* counts as one of the connections that are served */
    uint32_t peer;    /* the token of peer_counts.h while it is serving */
    int64_t armed_ms; /* its deadline in the heap, at or before the connection's; INT64_MAX: none */
};

static uint32_t slot_index(const struct server_slot *slot) {
    return (uint32_t)(slot - slot->server->slots);
}

static struct connection *connection_of(const struct server_slot *slot) {
    return &slot->server->connections[slot_index(slot)];
}

/* The heap's item for the return from being offline. */
static uint32_t listener_item(const struct server *server) {
    return (uint32_t)server->slot_count;
}

static void stop_counting(struct server_slot *slot) {
    slot->server->serving_count -= slot->is_serving ? 1 : 0;
    slot->is_serving = false;
    peer_counts_release(&slot->server->peers, slot->peer);
    slot->peer = PEER_COUNTS_NONE;
}

static void end_slot(struct server_slot *slot, int64_t now_ms) {
    struct server *server = slot->server;
    uint32_t index = slot_index(slot);
    epoll_loop_remove(&server->loop, slot->watch_index);
    deadline_heap_clear(&server->deadlines, index);
    connection_end(connection_of(slot), now_ms);
    stop_counting(slot);
    slot->watch_index = NO_WATCH;
    server->free_slots[server->free_count++] = index;
    acceptor_release(&server->acceptor);
}

static void end_all_slots(struct server *server, int64_t now_ms) {
    for (size_t i = 0; i < server->slot_count; i++) {
        if (server->slots[i].watch_index != NO_WATCH) {
            end_slot(&server->slots[i], now_ms);
        }
    }
}

static void stop_listening(struct server *server) {
    acceptor_close(&server->acceptor);
    listener_close(&server->listener);
}

/* Drops everyone and refuses connections until the time is over. */
static void go_offline(struct server *server, int64_t now_ms) {
    logger_print(server->configuration.logger, LOG_LEVEL_INFO, "going offline for %.15g s",
                 (double)server->configuration.offline_ms / 1000);
    stop_listening(server);
    end_all_slots(server, now_ms);
    server->relisten_warning = (struct warning_limiter){0};
    deadline_heap_set(&server->deadlines, listener_item(server),
                      now_ms + server->configuration.offline_ms);
}

/* Watches for what the connection waits for now; false if the system has no room for that. A
 * deadline that moved later is left in the heap: when it comes, the connection finds nothing to do.
 * So the heap is not touched for every message. */
static bool update_slot(struct server_slot *slot) {
    struct connection *connection = connection_of(slot);
    if (connection->is_lingering) {
        stop_counting(slot);
    }
    if (epoll_loop_set_events(&slot->server->loop, slot->watch_index,
                              connection_wanted_events(connection)) != 0) {
        return false;
    }
    int64_t deadline_ms = connection_deadline_ms(connection);
    if (deadline_ms < slot->armed_ms) {
        slot->armed_ms = deadline_ms;
        deadline_heap_set(&slot->server->deadlines, slot_index(slot), deadline_ms);
    }
    return true;
}

static void settle_slot(struct server_slot *slot, enum connection_outcome outcome, int64_t now_ms) {
    switch (outcome) {
    case CONNECTION_OPEN:
        if (!update_slot(slot)) {
            end_slot(slot, now_ms);
        }
        break;
    case CONNECTION_FINISHED:
        end_slot(slot, now_ms);
        break;
    case CONNECTION_FAILED:
        end_slot(slot, now_ms);
        if (slot->server->configuration.offline_ms > 0) {
            go_offline(slot->server, now_ms);
        }
        break;
    }
}

static void handle_connection(void *context, short events) {
    struct server_slot *slot = context;
    int64_t now_ms = os_now_ms();
    settle_slot(slot, connection_handle_events(connection_of(slot), events, now_ms), now_ms);
}

/* Why the connection of a new slot cannot be served; NULL: it counts from now on. */
static const char *find_refusal(struct server_slot *slot, int fd) {
    struct server *server = slot->server;
    struct sockaddr_storage storage = {0};
    struct sockaddr *address = (struct sockaddr *)&storage;
    socklen_t size = sizeof storage;
    if (server->serving_count >= server->configuration.connection_count_max) {
        return PROTOCOL_TEXT_TOO_MANY_CONNECTIONS;
    }
    bool is_known = getpeername(fd, address, &size) == 0; /* else it has gone already */
    size_t limit = server->configuration.peer_connection_count_max;
    if (limit > 0 && is_known &&
        (server->configuration.is_loopback_limited || !listener_is_loopback(address))) {
        slot->peer = peer_counts_take(&server->peers, address, limit);
        if (slot->peer == PEER_COUNTS_NONE) {
            return PROTOCOL_TEXT_TOO_MANY_OF_ONE_PEER;
        }
    }
    slot->is_serving = true;
    server->serving_count++;
    return NULL;
}

/* Puts an accepted connection into a free slot: there are as many as the acceptor has places. */
static int add_connection(void *context, int fd) {
    struct server *server = context;
    int64_t now_ms = os_now_ms();
    struct server_slot *slot = &server->slots[server->free_slots[server->free_count - 1]];
    int watch_index = epoll_loop_add(&server->loop, fd, POLLIN, handle_connection, slot);
    if (watch_index < 0) {
        (void)os_close(fd);
        return watch_index;
    }
    server->free_count--;
    slot->watch_index = watch_index;
    slot->armed_ms = INT64_MAX;
    int64_t idle_timeout_ms = server->configuration.connection.idle_timeout_ms;
    listener_bound_connection(fd, idle_timeout_ms > 0 ? idle_timeout_ms : LIMIT_DEAD_PEER_MS);
    const char *refusal = find_refusal(slot, fd);
    if (refusal == NULL) {
        connection_begin(connection_of(slot), &server->configuration.connection, fd, now_ms);
        settle_slot(slot, CONNECTION_OPEN, now_ms);
    } else {
        connection_refuse(connection_of(slot), &server->configuration.connection, fd, refusal,
                          now_ms);
        settle_slot(slot, connection_handle_events(connection_of(slot), 0, now_ms), now_ms);
    }
    return 0;
}

static void handle_signal(void *context, short events) {
    struct server *server = context;
    (void)events;
    int signal_number = signals_next(server->signal_fd);
    if (signal_number == 0) {
        return;
    }
    logger_print(server->configuration.logger, LOG_LEVEL_INFO, "shutting down: %s",
                 signal_number > 0 ? strsignal(signal_number)
                                   : "a signal came that cannot be read");
    server->is_stopping = true;
}

/* Listens on `port`, and watches for connections. `logger` is told why that fails. */
static int start_listening(struct server *server, uint16_t port, const struct logger *logger) {
    const struct server_configuration *configuration = &server->configuration;
    int error = listener_open(&server->listener, configuration->addresses,
                              configuration->address_count, port, logger);
    if (error != 0) {
        return error;
    }
    struct acceptor_configuration acceptor_configuration = {
        .loop = &server->loop,
        .listener = &server->listener,
        .place_count = server->slot_count,
        .open_connection = add_connection,
        .context = server,
        .logger = configuration->logger,
    };
    error = acceptor_init(&server->acceptor, &acceptor_configuration);
    if (error != 0) {
        logger_print(logger, LOG_LEVEL_ERROR, "cannot watch the port: %s", strerror(-error));
        listener_close(&server->listener);
    }
    return error;
}

static void come_online(struct server *server, int64_t now_ms) {
    /* No message is so important: why it fails is not told at every attempt. */
    static const struct logger silence = {.lowest = LOG_LEVEL_ERROR + 1};
    const struct logger *logger = warning_limiter_allows(&server->relisten_warning, now_ms)
                                      ? server->configuration.logger
                                      : &silence;
    if (start_listening(server, server->port, logger) != 0) {
        deadline_heap_set(&server->deadlines, listener_item(server), now_ms + RELISTEN_PAUSE_MS);
        return;
    }
    logger_print(server->configuration.logger, LOG_LEVEL_INFO, "online again");
}

static void handle_due_times(struct server *server) {
    uint32_t item;
    int64_t now_ms = os_now_ms();
    (void)acceptor_tick(&server->acceptor, now_ms);
    while (deadline_heap_take_due(&server->deadlines, now_ms, &item)) {
        if (item == listener_item(server)) {
            come_online(server, now_ms);
            continue;
        }
        struct server_slot *slot = &server->slots[item];
        slot->armed_ms = INT64_MAX;
        settle_slot(slot, connection_handle_time(connection_of(slot), now_ms), now_ms);
    }
}

static void print_purged(void *context, const char *client_id) {
    char line[PURGE_LINE_CAPACITY];
    (void)context;
    int size = snprintf(line, sizeof line, "Purging client info for: %s\n", client_id);
    /* Left out without room: all clients would wait with this thread. */
    (void)output_write_if_room(STDOUT_FILENO, line, (size_t)size);
}

/* How long to wait for events. */
static int find_timeout_ms(const struct server *server) {
    int64_t now_ms = os_now_ms();
    int timeout_ms = deadline_heap_timeout_ms(&server->deadlines, now_ms);
    int64_t due_ms = session_store_next_purge_ms(server->configuration.conversation.store);
    int64_t again_ms = acceptor_again_ms(&server->acceptor);
    if (again_ms < due_ms) {
        due_ms = again_ms;
    }
    if (due_ms == INT64_MAX) {
        return timeout_ms;
    }
    int64_t until_due_ms = due_ms > now_ms ? due_ms - now_ms : 0;
    if (timeout_ms >= 0 && timeout_ms < until_due_ms) {
        return timeout_ms;
    }
    return until_due_ms < INT32_MAX ? (int)until_due_ms : INT32_MAX;
}

static int allocate(struct server *server) {
    server->slot_count = server->configuration.connection_count_max + REFUSAL_COUNT;
    server->slots = calloc(server->slot_count, sizeof *server->slots);
    server->connections = calloc(server->slot_count, sizeof *server->connections);
    server->free_slots = calloc(server->slot_count, sizeof *server->free_slots);
    if (server->slots == NULL || server->connections == NULL || server->free_slots == NULL) {
        return -ENOMEM;
    }
    /* The lowest index is taken first, so few connections touch few pages. */
    for (size_t i = 0; i < server->slot_count; i++) {
        server->slots[i].server = server;
        server->slots[i].watch_index = NO_WATCH;
        server->free_slots[server->free_count++] = (uint32_t)(server->slot_count - 1 - i);
    }
    int error = epoll_loop_init(&server->loop, server->slot_count + LISTENER_CAPACITY + 1);
    if (error == 0) {
        error = peer_counts_init(&server->peers, server->slot_count);
    }
    return error != 0 ? error : deadline_heap_init(&server->deadlines, server->slot_count + 1);
}

/* Whether the system has a descriptor left for a client. 0, or a negative errno value. */
static int check_room(void) {
    int fd = os_eventfd();
    return fd < 0 ? fd : os_close(fd);
}

int server_open(struct server *server, const struct server_configuration *configuration,
                int signal_fd) {
    *server = (struct server){.configuration = *configuration, .signal_fd = signal_fd};
    server->configuration.connection.conversation = &server->configuration.conversation;
    int error = allocate(server);
    if (error != 0) {
        logger_print(configuration->logger, LOG_LEVEL_ERROR,
                     "cannot make room for %zu connections: %s",
                     configuration->connection_count_max, strerror(-error));
        server_close(server);
        return error;
    }
    startup_allow_clients(configuration->connection_count_max, OTHER_DESCRIPTOR_COUNT,
                          configuration->logger);
    int signal_watch = epoll_loop_add(&server->loop, signal_fd, POLLIN, handle_signal, server);
    if (signal_watch < 0) {
        (void)startup_fail(configuration->logger, "watch for signals", signal_watch);
        server_close(server);
        return signal_watch;
    }
    error = start_listening(server, configuration->port, configuration->logger);
    if (error != 0) {
        server_close(server);
        return error;
    }
    error = check_room();
    if (error != 0) {
        (void)startup_fail(configuration->logger, "serve a single client", error);
        server_close(server);
        return error;
    }
    server->port = listener_port(&server->listener);
    listener_announce(&server->listener, configuration->logger);
    return 0;
}

int server_run(struct server *server) {
    while (!server->is_stopping) {
        int fired_count = epoll_loop_run_once(&server->loop, find_timeout_ms(server));
        if (fired_count < 0) {
            logger_print(server->configuration.logger, LOG_LEVEL_ERROR, "epoll failed: %s",
                         strerror(-fired_count));
            return fired_count;
        }
        handle_due_times(server);
        session_store_purge(server->configuration.conversation.store, os_now_ms(), print_purged,
                            NULL);
    }
    return 0;
}

void server_close(struct server *server) {
    stop_listening(server);
    if (server->loop.watches != NULL) {
        end_all_slots(server, os_now_ms());
    }
    epoll_loop_destroy(&server->loop);
    deadline_heap_destroy(&server->deadlines);
    peer_counts_destroy(&server->peers);
    free(server->slots);
    free(server->connections);
    free(server->free_slots);
}
