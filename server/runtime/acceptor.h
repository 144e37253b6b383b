/*
 * Accepts connections at a listener as long as there is a place for them; the others wait in the
 * kernel's queue, so that nothing they have sent is lost. When the system lacks what a connection
 * needs, descriptors or memory, accepting rests for a moment instead of trying without end.
 *
 * Ownership: the listener is the caller's, and stays open until the acceptor is closed; an accepted
 * descriptor is the callback's.
 * Threading: the poll loop's thread.
 */
#ifndef SERVER_RUNTIME_ACCEPTOR_H_
#define SERVER_RUNTIME_ACCEPTOR_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/runtime/epoll_loop.h"
#include "server/runtime/listener.h"
#include "server/runtime/logger.h"

#ifdef __cplusplus
extern "C" {
#endif

struct acceptor_configuration {
    struct epoll_loop *loop;
    const struct listener *listener;
    size_t place_count;
    /* Takes over a new connection; there is a place for it. 0, or a negative errno value with the
     * descriptor closed. */
    int (*open_connection)(void *context, int fd);
    void *context;
    const struct logger *logger;
};

struct acceptor {
    struct acceptor_configuration configuration;
    int watch_indexes[LISTENER_CAPACITY];
    size_t watch_count;
    size_t used_count; /* places taken */
    bool is_accepting;
    bool is_stopped;
    int64_t again_ms; /* after a failure: when to go on, else INT64_MAX */
    struct warning_limiter warning;
};

/* Begins to accept. 0, or a negative errno value with nothing left to close. */
int acceptor_init(struct acceptor *acceptor, const struct acceptor_configuration *configuration);

/* Says that a connection has gone and its place is free. */
void acceptor_release(struct acceptor *acceptor);

/* When to go on after a failure: INT64_MAX if there was none. */
int64_t acceptor_again_ms(const struct acceptor *acceptor);

/* Goes on after a failure, when it is time. True: it is not time yet, so call again. */
bool acceptor_tick(struct acceptor *acceptor, int64_t now_ms);

/* Accepts what is waiting now, as far as there are places, and then no more. */
void acceptor_stop(struct acceptor *acceptor);

/* Accepts nothing any more and lets go of the listener, which may be closed then. Does nothing to a
 * zeroed acceptor, or the second time. */
void acceptor_close(struct acceptor *acceptor);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RUNTIME_ACCEPTOR_H_ */
