#include "server/runtime/poll_loop.h"

#include <errno.h>
#include <stdlib.h>

#include "server/runtime/os.h"

/* poll() skips negative descriptors; the complement keeps the number for when the watch goes on. */
static int paused(int fd) {
    return fd < 0 ? fd : ~fd;
}

static int active(int fd) {
    return fd < 0 ? ~fd : fd;
}

int poll_loop_init(struct poll_loop *loop, size_t capacity) {
    *loop = (struct poll_loop){.capacity = capacity, .now_ms = os_now_ms()};
    loop->polled = calloc(capacity, sizeof *loop->polled);
    loop->watches = calloc(capacity, sizeof *loop->watches);
    if (loop->polled == NULL || loop->watches == NULL) {
        poll_loop_destroy(loop);
        return -ENOMEM;
    }
    return 0;
}

void poll_loop_destroy(struct poll_loop *loop) {
    free(loop->polled);
    free(loop->watches);
    *loop = (struct poll_loop){0};
}

int poll_loop_add(struct poll_loop *loop, int fd, short events, poll_handler *handler,
                  void *context) {
    size_t index = 0;
    while (index < loop->used_count && loop->watches[index].handler != NULL) {
        index++;
    }
    if (index == loop->capacity) {
        return -ENOSPC;
    }
    if (index == loop->used_count) {
        loop->used_count++;
    }
    loop->polled[index] = (struct pollfd){.fd = fd, .events = events};
    loop->watches[index] = (struct poll_watch){.handler = handler, .context = context};
    poll_loop_set_events(loop, (int)index, events);
    return (int)index;
}

void poll_loop_set_events(struct poll_loop *loop, int watch_index, short events) {
    struct pollfd *polled = &loop->polled[watch_index];
    polled->events = events;
    polled->fd = events == 0 ? paused(polled->fd) : active(polled->fd);
    if (events == 0) {
        polled->revents = 0;
    }
}

void poll_loop_remove(struct poll_loop *loop, int watch_index) {
    loop->polled[watch_index] = (struct pollfd){.fd = -1};
    loop->watches[watch_index] = (struct poll_watch){0};
    while (loop->used_count > 0 && loop->watches[loop->used_count - 1].handler == NULL) {
        loop->used_count--;
    }
}

void poll_loop_start_behind(struct poll_loop *loop, int watch_index) {
    loop->first_index = (size_t)watch_index + 1;
}

int poll_loop_run_once(struct poll_loop *loop, int timeout_ms) {
    int fired_count = os_poll(loop->polled, loop->used_count, timeout_ms);
    loop->now_ms = os_now_ms();
    if (fired_count <= 0) {
        return fired_count;
    }
    /* Handlers may change used_count, but not what belongs to this round: a watch that is added has
     * no event yet, one that is removed has none any more. */
    size_t count = loop->used_count;
    size_t first_index = loop->first_index;
    for (size_t offset = 0; offset < count; offset++) {
        size_t index = (first_index + offset) % count;
        short events = loop->polled[index].revents;
        if (events != 0) {
            loop->polled[index].revents = 0;
            loop->watches[index].handler(loop->watches[index].context, events);
        }
    }
    return fired_count;
}
