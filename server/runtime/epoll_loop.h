/*
 * The poll loop for thousands of descriptors: what a round costs depends on how many of them have
 * something to say, not on how many there are (poll_loop.h is the plain one, for a few).
 *
 * Ownership: the caller owns the descriptors and the contexts; the loop owns its tables, allocated
 * once for `capacity` watches, and its epoll descriptor. A watch must be removed before its
 * descriptor is closed. Threading: one thread owns a loop and everything in it.
 *
 * The events of a round are collected before the first handler runs. A handler may add and remove
 * any watch, its own too: an event collected for a watch that an earlier handler of the round
 * removed is dropped. A round hands out EPOLL_LOOP_ROUND_COUNT events at most; the rest have their
 * turn in the next one, before those that were served in this one.
 */
#ifndef SERVER_RUNTIME_EPOLL_LOOP_H_
#define SERVER_RUNTIME_EPOLL_LOOP_H_

#include <poll.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { EPOLL_LOOP_ROUND_COUNT = 256 };

/* events: the POLLIN, POLLOUT, POLLHUP, POLLERR that happened. */
typedef void epoll_handler(void *context, short events);

struct epoll_watch {
    epoll_handler *handler; /* NULL: free */
    void *context;
    int fd;
    short events;        /* what epoll reports; 0: paused, and not known to epoll */
    uint32_t generation; /* counts the watches that had this place, to tell late events from new */
    uint32_t next_free;
};

struct epoll_loop {
    int epoll_fd;
    struct epoll_watch *watches;
    size_t capacity;
    uint32_t first_free; /* capacity: none */
};

/* 0, or a negative errno value with nothing to destroy. Destroying a zeroed loop does nothing. */
int epoll_loop_init(struct epoll_loop *loop, size_t capacity);
void epoll_loop_destroy(struct epoll_loop *loop);

/* Starts to watch fd for events (0: paused) and returns the watch's index, or a negative errno
 * value: -ENOSPC when all places are taken. */
int epoll_loop_add(struct epoll_loop *loop, int fd, short events, epoll_handler *handler,
                   void *context);

/* What a daemon's loop watches beside its clients. */
struct epoll_input {
    int fd; /* < 0: there is none */
    epoll_handler *handler;
    void *context;
};

/* Starts to watch those for POLLIN as long as there is the loop. 0, or a negative errno value. */
int epoll_loop_add_inputs(struct epoll_loop *loop, const struct epoll_input *inputs, size_t count);

/* Changes what is watched for; costs nothing where that stays the same. 0 pauses the watch
 * altogether, errors and hang-ups included, which cannot fail. Returns 0, or a negative errno value
 * if the system has no room to watch a paused one again. */
int epoll_loop_set_events(struct epoll_loop *loop, int watch_index, short events);

void epoll_loop_remove(struct epoll_loop *loop, int watch_index);

/* Waits for events for at most timeout_ms (< 0: without end) and runs their handlers. Returns how
 * many watches fired, 0 after a timeout or a signal, or a negative errno value. */
int epoll_loop_run_once(struct epoll_loop *loop, int timeout_ms);

/* The same, waiting until the time is due_ms at the latest (INT64_MAX: without end). */
int epoll_loop_run_until(struct epoll_loop *loop, int64_t due_ms);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RUNTIME_EPOLL_LOOP_H_ */
