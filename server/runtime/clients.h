/*
 * The clients of a daemon in its event loop: who is accepted, who has a place, what each is waited
 * for, and when each is due. What they say is the service's business.
 *
 * A client is the index of its place, at which the service keeps what it knows of it. Beyond
 * `served_max` clients, or a peer's share of them, up to `refused_max` have places to be told so
 * in; beyond those, connections wait in the kernel's queue, and a peer that has its share is closed
 * at once.
 *
 * A deadline that moves later is left where it is: when it comes, the service finds nothing to do.
 * So the heap is not touched for each message.
 *
 * Ownership: a descriptor is the service's from open() to close(); the tables are allocated once,
 * and pages of places that are never used stay untouched. Threading: the event loop's thread.
 */
#ifndef SERVER_RUNTIME_CLIENTS_H_
#define SERVER_RUNTIME_CLIENTS_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/runtime/acceptor.h"
#include "server/runtime/deadline_heap.h"
#include "server/runtime/epoll_loop.h"
#include "server/runtime/listener.h"
#include "server/runtime/logger.h"
#include "server/runtime/peer_counts.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    /* The default of what one peer may have: an office behind one address fits. */
    CLIENTS_PEER_MAX_DEFAULT = 256,
};

enum clients_admission {
    CLIENTS_ADMITTED,
    CLIENTS_FULL,      /* served_max are served */
    CLIENTS_PEER_FULL, /* of these, its peer has peer_max */
};

struct clients_handlers {
    /* Begins with a new client, if only to refuse it, and calls clients_await() or clients_end().
     * 0, or a negative errno value with the descriptor not taken over. */
    int (*open)(void *context, uint32_t index, int fd, enum clients_admission admission);
    /* POLLIN, POLLOUT, POLLHUP, POLLERR have happened; the deadline has come. Each calls
     * clients_await() or clients_end(), at once or when something else has happened. */
    void (*handle_events)(void *context, uint32_t index, short events);
    void (*handle_time)(void *context, uint32_t index);
    /* Closes the descriptor: the client's end, whoever wants it. */
    void (*close)(void *context, uint32_t index);
};

struct clients_configuration {
    const struct clients_handlers *handlers;
    void *context;
    struct epoll_loop *loop;
    size_t served_max;
    size_t refused_max;
    int64_t peer_max; /* of one peer; 0: no limit; < 0: the default, and none on this machine */
    const struct logger *logger;
};

struct clients {
    struct clients_configuration configuration;
    struct acceptor acceptor;
    struct client_place *places;
    size_t place_count;
    uint32_t *free_indexes; /* a stack */
    size_t free_count;
    size_t served_count; /* of all clients, where there are no places to refuse some */
    struct peer_counts peers;
    struct deadline_heap deadlines; /* by index */
};

/* How many watches of the loop they take, with those of the listener. */
size_t clients_watch_count_max(size_t served_max, size_t refused_max);

/* Takes the memory. 0, or a negative errno value with nothing left over. */
int clients_init(struct clients *clients, const struct clients_configuration *configuration);

/* Ends all. Does nothing to zeroed clients. */
void clients_destroy(struct clients *clients);

/* Accepts connections of the listener, which is the caller's, until clients_stop_listening(). 0, or
 * a negative errno value. */
int clients_listen(struct clients *clients, const struct listener *listener);

/* Accepts what is waiting now, as far as there are places, and then no more. */
void clients_listen_last(struct clients *clients);

/* Lets go of the listener, if there is one. */
void clients_stop_listening(struct clients *clients);

/* What is waited for from now on: poll events (0: none), until when at the latest (INT64_MAX:
 * without end). Where the system cannot watch for that, the client is ended. */
void clients_await(struct clients *clients, uint32_t index, short events, int64_t deadline_ms);

/* It is only to be seen off: its share of those who are served is another's. */
void clients_stop_serving(struct clients *clients, uint32_t index);

void clients_end(struct clients *clients, uint32_t index);
void clients_end_all(struct clients *clients);

/* The client's peer (peer_counts.h), for other limits; 0: limits do not hold for it. */
uint64_t clients_peer(const struct clients *clients, uint32_t index);

/* Whether there is a client at an index, less than clients->place_count. */
bool clients_is_open(const struct clients *clients, uint32_t index);

bool clients_are_none(const struct clients *clients);

/* When clients_handle_due() has something to do; INT64_MAX: never. */
int64_t clients_due_ms(const struct clients *clients);

/* Hands the deadlines out that have come, and accepts again after a failure. */
void clients_handle_due(struct clients *clients, int64_t now_ms);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RUNTIME_CLIENTS_H_ */
