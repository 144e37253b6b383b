#include "server/runtime/clients.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "server/runtime/os.h"

enum { NO_WATCH = -1 };

struct client_place {
    struct clients *clients;
    int watch_index;  /* NO_WATCH: free */
    bool is_served;   /* counts as one of those who are */
    uint64_t peer;    /* 0: one without limits */
    uint32_t token;   /* of peer_counts.h, while it is served */
    int64_t armed_ms; /* its deadline in the heap, at or before the real one; INT64_MAX: none */
};

static uint32_t index_of(const struct client_place *place) {
    return (uint32_t)(place - place->clients->places);
}

static void on_events(void *context, short events) {
    struct client_place *place = context;
    const struct clients_configuration *configuration = &place->clients->configuration;
    configuration->handlers->handle_events(configuration->context, index_of(place), events);
}

/* The peer that limits hold for; 0: they do not. */
static uint64_t find_peer(const struct clients_configuration *configuration, int fd) {
    struct sockaddr_storage storage = {0};
    struct sockaddr *address = (struct sockaddr *)&storage;
    socklen_t size = sizeof storage;
    bool is_limited = configuration->peer_max != 0 &&
                      getpeername(fd, address, &size) == 0 && /* else it has gone already */
                      (configuration->peer_max > 0 || !listener_is_loopback(address));
    return is_limited ? peer_counts_find_peer(address) : 0;
}

/* Counts a client as one that is served, if it may be. */
static enum clients_admission admit(struct client_place *place) {
    struct clients *clients = place->clients;
    const struct clients_configuration *configuration = &clients->configuration;
    if (clients->served_count >= configuration->served_max) {
        return CLIENTS_FULL;
    }
    if (place->peer != 0) {
        size_t peer_max = configuration->peer_max < 0 ? CLIENTS_PEER_MAX_DEFAULT
                                                      : (size_t)configuration->peer_max;
        place->token = peer_counts_take(&clients->peers, place->peer, peer_max);
        if (place->token == PEER_COUNTS_NONE) {
            return CLIENTS_PEER_FULL;
        }
    }
    place->is_served = true;
    clients->served_count++;
    return CLIENTS_ADMITTED;
}

static void free_place(struct client_place *place) {
    struct clients *clients = place->clients;
    clients_stop_serving(clients, index_of(place));
    epoll_loop_remove(clients->configuration.loop, place->watch_index);
    deadline_heap_clear(&clients->deadlines, index_of(place));
    place->watch_index = NO_WATCH;
    clients->free_indexes[clients->free_count++] = index_of(place);
}

/* Gives an accepted connection a free place: there are as many as the acceptor has. */
static int open_client(void *context, int fd) {
    struct clients *clients = context;
    const struct clients_configuration *configuration = &clients->configuration;
    struct client_place *place = &clients->places[clients->free_indexes[clients->free_count - 1]];
    /* Paused: many a client is over before it has to be waited for. */
    int watch_index = epoll_loop_add(configuration->loop, fd, 0, on_events, place);
    if (watch_index < 0) {
        (void)os_close(fd);
        return watch_index;
    }
    clients->free_count--;
    place->watch_index = watch_index;
    place->armed_ms = INT64_MAX;
    place->peer = find_peer(configuration, fd);
    enum clients_admission admission = admit(place);
    if (admission != CLIENTS_ADMITTED && configuration->refused_max == 0) {
        free_place(place);
        (void)os_close(fd);
        acceptor_release(&clients->acceptor);
        return 0;
    }
    int error =
        configuration->handlers->open(configuration->context, index_of(place), fd, admission);
    if (error != 0) {
        free_place(place);
        (void)os_close(fd);
    }
    return error;
}

size_t clients_watch_count_max(size_t served_max, size_t refused_max) {
    return served_max + refused_max + LISTENER_CAPACITY;
}

int clients_init(struct clients *clients, const struct clients_configuration *configuration) {
    size_t count = configuration->served_max + configuration->refused_max;
    *clients = (struct clients){
        .configuration = *configuration,
        .places = calloc(count, sizeof *clients->places),
        .place_count = count,
        .free_indexes = calloc(count, sizeof *clients->free_indexes),
    };
    int error = clients->places == NULL || clients->free_indexes == NULL ? -ENOMEM : 0;
    error = error != 0 ? error : peer_counts_init(&clients->peers, count);
    error = error != 0 ? error : deadline_heap_init(&clients->deadlines, count);
    if (error != 0) {
        clients->place_count = 0;
        clients_destroy(clients);
        return error;
    }
    /* The lowest index is taken first, so few clients touch few pages. */
    for (size_t index = 0; index < count; index++) {
        clients->places[index] = (struct client_place){.clients = clients, .watch_index = NO_WATCH};
        clients->free_indexes[clients->free_count++] = (uint32_t)(count - 1 - index);
    }
    return 0;
}

void clients_destroy(struct clients *clients) {
    clients_stop_listening(clients);
    clients_end_all(clients);
    deadline_heap_destroy(&clients->deadlines);
    peer_counts_destroy(&clients->peers);
    free(clients->places);
    free(clients->free_indexes);
    *clients = (struct clients){0};
}

int clients_listen(struct clients *clients, const struct listener *listener) {
    const struct acceptor_configuration configuration = {
        .loop = clients->configuration.loop,
        .listener = listener,
        .place_count = clients->place_count,
        .open_connection = open_client,
        .context = clients,
        .logger = clients->configuration.logger,
    };
    return acceptor_init(&clients->acceptor, &configuration);
}

void clients_listen_last(struct clients *clients) {
    acceptor_stop(&clients->acceptor);
}

void clients_stop_listening(struct clients *clients) {
    acceptor_close(&clients->acceptor);
}

void clients_await(struct clients *clients, uint32_t index, short events, int64_t deadline_ms) {
    struct client_place *place = &clients->places[index];
    if (epoll_loop_set_events(clients->configuration.loop, place->watch_index, events) != 0) {
        clients_end(clients, index);
        return;
    }
    if (deadline_ms < place->armed_ms) {
        place->armed_ms = deadline_ms;
        deadline_heap_set(&clients->deadlines, index, deadline_ms);
    }
}

void clients_stop_serving(struct clients *clients, uint32_t index) {
    struct client_place *place = &clients->places[index];
    clients->served_count -= place->is_served ? 1 : 0;
    place->is_served = false;
    peer_counts_release(&clients->peers, place->token);
    place->token = PEER_COUNTS_NONE;
}

void clients_end(struct clients *clients, uint32_t index) {
    free_place(&clients->places[index]);
    clients->configuration.handlers->close(clients->configuration.context, index);
    acceptor_release(&clients->acceptor);
}

void clients_end_all(struct clients *clients) {
    for (uint32_t index = 0; index < clients->place_count; index++) {
        if (clients_is_open(clients, index)) {
            clients_end(clients, index);
        }
    }
}

uint64_t clients_peer(const struct clients *clients, uint32_t index) {
    return clients->places[index].peer;
}

bool clients_is_open(const struct clients *clients, uint32_t index) {
    return clients->places[index].watch_index != NO_WATCH;
}

bool clients_are_none(const struct clients *clients) {
    return clients->free_count == clients->place_count;
}

int64_t clients_due_ms(const struct clients *clients) {
    int64_t deadline_ms = deadline_heap_next_ms(&clients->deadlines);
    int64_t again_ms = acceptor_again_ms(&clients->acceptor);
    return deadline_ms < again_ms ? deadline_ms : again_ms;
}

void clients_handle_due(struct clients *clients, int64_t now_ms) {
    uint32_t index;
    while (deadline_heap_take_due(&clients->deadlines, now_ms, &index)) {
        clients->places[index].armed_ms = INT64_MAX;
        clients->configuration.handlers->handle_time(clients->configuration.context, index);
    }
    /* Last, because the system may lack what those have used who end now. */
    (void)acceptor_tick(&clients->acceptor, now_ms);
}
