#include "server/numbers/clients.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "server/numbers/limits.h"
#include "server/runtime/os.h"

static void list_remove(struct client_list *list, struct client *client) {
    *(client->previous != NULL ? &client->previous->next : &list->first) = client->next;
    *(client->next != NULL ? &client->next->previous : &list->last) = client->previous;
    list->count--;
}

static void list_append(struct client_list *list, struct client *client) {
    client->previous = list->last;
    client->next = NULL;
    *(list->last != NULL ? &list->last->next : &list->first) = client;
    list->last = client;
    list->count++;
}

/* What the client's watch waits for in its state. */
static short wanted_events(const struct client *client) {
    bool is_read = !client->clients->is_held_back;
    switch (client->state) {
    case CLIENT_WAITING:
        return POLLRDHUP;
    case CLIENT_RECEIVING:
        return is_read ? POLLIN | POLLRDHUP : 0;
    case CLIENT_ENDED:
        return is_read ? POLLIN : 0;
    default:
        return 0;
    }
}

static void watch(const struct client *client) {
    poll_loop_set_events(client->clients->configuration.loop, client->watch_index,
                         wanted_events(client));
}

static void move(struct client *client, enum client_state state) {
    struct clients *clients = client->clients;
    list_remove(&clients->lists[client->state], client);
    client->state = state;
    list_append(&clients->lists[state], client);
}

static size_t count(const struct clients *clients, enum client_state state) {
    return clients->lists[state].count;
}

/* Frees the client's entry. Its descriptor has been closed. */
static void release(struct client *client) {
    if (client->state != CLIENT_STORING) {
        poll_loop_remove(client->clients->configuration.loop, client->watch_index);
    }
    move(client, CLIENT_FREE);
}

static void reset(struct client *client) {
    listener_reset_connection(client->fd);
    release(client);
}

void client_reject(struct client *client, enum rejection reason, int error) {
    rejections_add(&client->clients->rejections, reason, &client->peer, client->session.rest,
                   client->session.rest_size, error);
    reset(client);
}

void client_note_received(struct client *client) {
    client->last_received_ms = client->clients->configuration.loop->now_ms;
    move(client, client->state); /* to the end of the list */
}

void client_await(struct client *client, uint64_t batch) {
    poll_loop_remove(client->clients->configuration.loop, client->watch_index);
    client->awaited_batch = batch;
    move(client, CLIENT_STORING);
}

void clients_confirm(struct clients *clients, uint64_t stored_batch) {
    struct client *client;
    while ((client = clients->lists[CLIENT_STORING].first) != NULL &&
           client->awaited_batch <= stored_batch) {
        listener_finish_connection(client->fd);
        clients->confirmed_count++;
        release(client);
    }
}

static void on_event(void *context, short events) {
    struct client *client = context;
    struct clients *clients = client->clients;
    if (client->state == CLIENT_RECEIVING) {
        clients->has_found_input = true;
        clients->input_count++;
    }
    if (client->state != CLIENT_ENDED && (events & (POLLRDHUP | POLLHUP | POLLERR)) != 0) {
        move(client, CLIENT_ENDED);
        watch(client);
    }
    if (!clients->is_held_back) {
        clients->configuration.receive(clients->configuration.context, client);
    }
}

void clients_hold_back(struct clients *clients, bool is_held_back) {
    static const enum client_state read_states[] = {CLIENT_RECEIVING, CLIENT_ENDED};
    if (clients->is_held_back == is_held_back) {
        return;
    }
    clients->is_held_back = is_held_back;
    clients->is_look = false;
    for (size_t index = 0; index < sizeof read_states / sizeof read_states[0]; index++) {
        struct client *client = clients->lists[read_states[index]].first;
        for (; client != NULL; client = client->next) {
            watch(client);
            /* The silence so far was the server's, not the client's. */
            client->last_received_ms = clients->configuration.loop->now_ms;
        }
    }
}

static int64_t idle_deadline_ms(const struct clients *clients) {
    const struct client *client = clients->lists[CLIENT_RECEIVING].first;
    bool is_timed = clients->configuration.idle_timeout_ms > 0 && !clients->is_held_back;
    return is_timed && client != NULL
               ? client->last_received_ms + clients->configuration.idle_timeout_ms
               : INT64_MAX;
}

/* Resets the clients that have been silent for too long. It runs after the events of a turn, so
 * that a client whose bytes waited while the whole process did is not taken for a silent one. */
static void end_idle_clients(struct clients *clients) {
    while (clients->configuration.loop->now_ms >= idle_deadline_ms(clients)) {
        client_reject(clients->lists[CLIENT_RECEIVING].first, REJECTION_IDLE, 0);
    }
}

static bool has_free_place(const struct clients *clients) {
    return count(clients, CLIENT_RECEIVING) < clients->configuration.place_count;
}

static void give_places(struct clients *clients) {
    struct client *client;
    while (has_free_place(clients) && (client = clients->lists[CLIENT_WAITING].first) != NULL) {
        move(client, CLIENT_RECEIVING);
        client->last_received_ms = clients->configuration.loop->now_ms;
        clients->place_given_look = clients->look_count;
        clients->place_given_input = clients->input_count;
        watch(client);
    }
}

/* When those who have a place will all have been silent for long enough. */
static int64_t silence_ms(const struct clients *clients) {
    const struct client *last_heard = clients->lists[CLIENT_RECEIVING].last;
    return last_heard == NULL ? 0 : last_heard->last_received_ms + REFUSAL_SILENCE_MS;
}

static uint64_t later(uint64_t left, uint64_t right) {
    return left > right ? left : right;
}

/* Whether what had arrived on the others when this one came has been looked at, as far as one who
 * got a place since then is not among them: that begins the count anew. Its turn ended before this
 * turn's poll. */
static bool is_surplus(const struct clients *clients, const struct client *newcomer) {
    bool is_quiet = clients->is_look && !clients->has_found_input &&
                    clients->configuration.loop->now_ms >= silence_ms(clients);
    uint64_t first_look = later(newcomer->first_look, clients->place_given_look);
    uint64_t first_input = later(newcomer->first_input, clients->place_given_input);
    return is_quiet || clients->look_count - first_look >= LOOK_COUNT_MAX ||
           clients->input_count - first_input >=
               LOOK_COUNT_MAX * clients->configuration.place_count;
}

static void refuse_surplus(struct clients *clients) {
    struct client *client;
    clients->look_count += clients->is_look && clients->has_found_input;
    while ((client = clients->lists[CLIENT_WAITING].first) != NULL && is_surplus(clients, client)) {
        client_reject(client, REJECTION_FULL, 0);
    }
}

/* Whether there is room for one more, with a place or to look at. */
static bool wants_more(const struct clients *clients) {
    bool may_look = clients->configuration.when_full == WHEN_FULL_REFUSE && !clients->is_held_back;
    return !clients->is_stopped && clients->accept_again_ms == INT64_MAX &&
           count(clients, CLIENT_FREE) > 0 && (has_free_place(clients) || may_look);
}

static void open_client(struct clients *clients, int fd, const struct sockaddr_storage *peer) {
    struct client *client = clients->lists[CLIENT_FREE].first;
    listener_tune_connection(fd);
    client->fd = fd;
    client->peer = *peer;
    client->first_look = clients->look_count;
    client->first_input = clients->input_count;
    client->accepted_ms = clients->configuration.loop->now_ms;
    client->number_count = 0;
    clients->accepted_count++;
    session_init(&client->session);
    client->watch_index =
        poll_loop_add(clients->configuration.loop, fd, POLLRDHUP, on_event, client);
    assert(client->watch_index >= 0); /* the loop has a watch for every entry of the table */
    move(client, CLIENT_WAITING);
    give_places(clients);
}

/* Leaves accepting alone for a moment: what it lacks (descriptors, memory) may come back. */
static void pause_accepting(struct clients *clients, int error) {
    int64_t now_ms = clients->configuration.loop->now_ms;
    if (warning_limiter_allows(&clients->accept_warning, now_ms)) {
        logger_print(clients->configuration.logger, LOG_LEVEL_WARNING, "cannot accept a client: %s",
                     strerror(-error));
    }
    clients->accept_again_ms = now_ms + ACCEPT_PAUSE_MS;
}

static void accept_some(struct clients *clients, int listening_fd, int count_max) {
    for (int index = 0; index < count_max && wants_more(clients); index++) {
        struct sockaddr_storage peer;
        int fd = os_accept(listening_fd, &peer);
        if (fd == -EAGAIN) {
            return;
        }
        if (fd == -ECONNABORTED) {
            continue; /* the client has given up already */
        }
        if (fd < 0) {
            pause_accepting(clients, fd);
            return;
        }
        open_client(clients, fd, &peer);
    }
}

static void accept_everywhere(struct clients *clients, int count_max) {
    for (size_t index = 0; index < clients->configuration.listener->count; index++) {
        accept_some(clients, clients->configuration.listener->fds[index], count_max);
    }
}

/* One handler for all listeners: which one is ready matters little, accept tells. */
static void on_listeners(void *context, short events) {
    (void)events;
    struct clients *clients = context;
    clients->is_accept_due = true;
}

static void watch_listeners(struct clients *clients) {
    bool is_accepting = wants_more(clients);
    if (is_accepting == clients->is_accepting) {
        return;
    }
    clients->is_accepting = is_accepting;
    for (size_t index = 0; index < clients->configuration.listener->count; index++) {
        poll_loop_set_events(clients->configuration.loop, clients->listener_watches[index],
                             is_accepting ? POLLIN : 0);
    }
}

void clients_run(struct clients *clients, bool has_polled) {
    int64_t now_ms = clients->configuration.loop->now_ms;
    clients->is_look = clients->is_look && has_polled;
    end_idle_clients(clients);
    give_places(clients);
    refuse_surplus(clients);
    if (now_ms >= clients->accept_again_ms) {
        clients->accept_again_ms = INT64_MAX;
    }
    if (clients->is_accept_due && wants_more(clients)) {
        clients->is_accept_due = false;
        accept_everywhere(clients, ACCEPTS_PER_TURN);
    }
    watch_listeners(clients);
    rejections_run(&clients->rejections, now_ms);
    clients->is_look = !clients->is_held_back;
    clients->has_found_input = false;
}

static int64_t earlier(int64_t left_ms, int64_t right_ms) {
    return left_ms < right_ms ? left_ms : right_ms;
}

int64_t clients_deadline_ms(const struct clients *clients) {
    if (count(clients, CLIENT_WAITING) > 0 && !clients->is_held_back) {
        return silence_ms(clients); /* the next look decides then, if it finds nothing */
    }
    return earlier(clients->accept_again_ms, earlier(idle_deadline_ms(clients),
                                                     rejections_deadline_ms(&clients->rejections)));
}

/* Keeps those in a state whose end has arrived, and resets the others. */
static void keep_ended(struct clients *clients, enum client_state state) {
    struct client *client;
    while ((client = clients->lists[state].first) != NULL) {
        struct pollfd polled = {.fd = client->fd, .events = POLLRDHUP};
        if (os_poll(&polled, 1, 0) > 0) {
            move(client, CLIENT_ENDED);
            watch(client);
        } else {
            reset(client);
        }
    }
}

void clients_stop(struct clients *clients) {
    clients->configuration.when_full =
        WHEN_FULL_REFUSE; /* who waits in the kernel's queue may have ended */
    accept_everywhere(clients, LISTENER_BACKLOG + 1);
    clients->is_stopped = true;
    keep_ended(clients, CLIENT_RECEIVING);
    keep_ended(clients, CLIENT_WAITING);
    watch_listeners(clients);
}

bool clients_have_ended(const struct clients *clients) {
    return count(clients, CLIENT_ENDED) > 0;
}

size_t clients_watch_count_max(size_t place_count) {
    return place_count + PLACELESS_COUNT_MAX + LISTENER_CAPACITY;
}

static int watch_new_listeners(struct clients *clients) {
    const struct listener *listener = clients->configuration.listener;
    for (size_t index = 0; index < listener->count; index++) {
        /* Linux hands this on to the connections accepted, from their first moment. Only a
         * confirmation takes it back: should the process be killed, no client is to mistake the
         * kernel's close for the promise that its numbers are stored. */
        listener_set_reset_on_close(listener->fds[index], true);
        int watch_index = poll_loop_add(clients->configuration.loop, listener->fds[index], POLLIN,
                                        on_listeners, clients);
        if (watch_index < 0) {
            return watch_index;
        }
        clients->listener_watches[index] = watch_index;
    }
    clients->is_accepting = true;
    return 0;
}

int clients_init(struct clients *clients, const struct clients_configuration *configuration) {
    *clients = (struct clients){
        .configuration = *configuration, .accept_again_ms = INT64_MAX, .is_look = true};
    size_t capacity = configuration->place_count + PLACELESS_COUNT_MAX;
    clients->table = calloc(capacity, sizeof *clients->table);
    if (clients->table == NULL) {
        return -ENOMEM;
    }
    for (size_t index = 0; index < capacity; index++) {
        clients->table[index].clients = clients;
        list_append(&clients->lists[CLIENT_FREE], &clients->table[index]);
    }
    rejections_init(&clients->rejections, configuration->logger);
    int error = watch_new_listeners(clients);
    if (error != 0) {
        clients_destroy(clients);
    }
    return error;
}

void clients_destroy(struct clients *clients) {
    for (enum client_state state = CLIENT_WAITING; state < CLIENT_STATE_COUNT; state++) {
        while (clients->lists[state].first != NULL) {
            reset(clients->lists[state].first);
        }
    }
    rejections_finish(&clients->rejections);
    free(clients->table);
    clients->table = NULL;
}
