/*
 * The poll loop: watches descriptors and calls each one's handler when something happened to it.
 *
 * It hands all of them to the kernel in each round, and pausing or resuming one is an assignment
 * that cannot fail: right for the numbers server, which has few and pauses all of them whenever it
 * has no room. epoll_loop.h is for thousands, most of them silent.
 *
 * Ownership: the caller owns the descriptors and the contexts; the loop owns its tables, allocated
 * once for `capacity` watches. Threading: one thread owns a loop and everything in it; other
 * threads reach it through a wakeup (wakeup.h).
 *
 * All events of a round are collected by one poll() before the first handler runs. A handler may
 * add and remove any watch, its own too: an event collected for a watch that an earlier handler of
 * the round removed is dropped.
 *
 * poll() reports errors and hang-ups whether it is asked to or not. A watch that is for them alone
 * names POLLERR, because a watch for nothing is paused.
 */
#ifndef SERVER_RUNTIME_POLL_LOOP_H_
#define SERVER_RUNTIME_POLL_LOOP_H_

#include <poll.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* events: the POLLIN, POLLOUT, POLLHUP, POLLERR that happened. */
typedef void poll_handler(void *context, short events);

struct poll_watch {
    poll_handler *handler;
    void *context;
};

struct poll_loop {
    struct pollfd *polled;      /* capacity entries; fd < 0: free or paused, which poll() skips */
    struct poll_watch *watches; /* capacity entries; handler NULL: free */
    size_t capacity;
    size_t used_count;  /* watches at and above this index are free */
    size_t first_index; /* where the rounds start, modulo used_count */
    int64_t now_ms;     /* the monotonic time when the last poll returned, before any handler ran */
};

/* 0, or -ENOMEM. */
int poll_loop_init(struct poll_loop *loop, size_t capacity);
void poll_loop_destroy(struct poll_loop *loop);

/* Starts to watch fd for events (0: paused) and returns the watch's index, or -ENOSPC. */
int poll_loop_add(struct poll_loop *loop, int fd, short events, poll_handler *handler,
                  void *context);

/* Changes what is watched for. 0 pauses the watch altogether, errors and hang-ups included. */
void poll_loop_set_events(struct poll_loop *loop, int watch_index, short events);

void poll_loop_remove(struct poll_loop *loop, int watch_index);

/* Lets the rounds start with the watch behind this one, and end with it. Where a handler may end
 * the round for the others (by pausing them), this makes the next round go on where it ended it. */
void poll_loop_start_behind(struct poll_loop *loop, int watch_index);

/* Waits for events for at most timeout_ms (< 0: without end) and runs their handlers. Returns how
 * many watches fired, 0 after a timeout or a signal, or a negative errno value if poll() failed. */
int poll_loop_run_once(struct poll_loop *loop, int timeout_ms);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RUNTIME_POLL_LOOP_H_ */
