#include "server/runtime/epoll_loop.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "server/runtime/os.h"

/* The events of poll() are handed through unchanged. */
static_assert(POLLIN == EPOLLIN && POLLOUT == EPOLLOUT && POLLERR == EPOLLERR &&
                  POLLHUP == EPOLLHUP,
              "epoll and poll number their events alike");

int epoll_loop_init(struct epoll_loop *loop, size_t capacity) {
    *loop = (struct epoll_loop){.capacity = capacity};
    loop->epoll_fd = os_epoll_create();
    if (loop->epoll_fd < 0) {
        return loop->epoll_fd;
    }
    loop->watches = calloc(capacity, sizeof *loop->watches);
    if (loop->watches == NULL) {
        (void)os_close(loop->epoll_fd);
        return -ENOMEM;
    }
    for (size_t index = 0; index < capacity; index++) {
        loop->watches[index].next_free = (uint32_t)index + 1;
    }
    return 0;
}

void epoll_loop_destroy(struct epoll_loop *loop) {
    if (loop->watches == NULL) {
        return;
    }
    free(loop->watches);
    (void)os_close(loop->epoll_fd);
    *loop = (struct epoll_loop){0};
}

/* The event's data names the watch and its generation. */
static int control(struct epoll_loop *loop, int operation, int watch_index, short events) {
    const struct epoll_watch *watch = &loop->watches[watch_index];
    struct epoll_event event = {
        .events = (uint32_t)events,
        .data = {.u64 = (uint64_t)watch->generation << 32 | (uint32_t)watch_index},
    };
    return os_epoll_control(loop->epoll_fd, operation, watch->fd, &event);
}

int epoll_loop_add_inputs(struct epoll_loop *loop, const struct epoll_input *inputs, size_t count) {
    int watch_index = 0;
    for (size_t index = 0; index < count && watch_index >= 0; index++) {
        const struct epoll_input *input = &inputs[index];
        if (input->fd >= 0) {
            watch_index = epoll_loop_add(loop, input->fd, POLLIN, input->handler, input->context);
        }
    }
    return watch_index < 0 ? watch_index : 0;
}

int epoll_loop_set_events(struct epoll_loop *loop, int watch_index, short events) {
    struct epoll_watch *watch = &loop->watches[watch_index];
    if (events == watch->events) {
        return 0;
    }
    int operation = events == 0          ? EPOLL_CTL_DEL
                    : watch->events != 0 ? EPOLL_CTL_MOD
                                         : EPOLL_CTL_ADD;
    int error = control(loop, operation, watch_index, events);
    if (error == 0 || events == 0) {
        watch->events = events;
        return 0; /* taking away what is known cannot fail */
    }
    return error;
}

static void free_watch(struct epoll_loop *loop, int watch_index) {
    struct epoll_watch *watch = &loop->watches[watch_index];
    watch->handler = NULL;
    watch->generation++;
    watch->next_free = loop->first_free;
    loop->first_free = (uint32_t)watch_index;
}

int epoll_loop_add(struct epoll_loop *loop, int fd, short events, epoll_handler *handler,
                   void *context) {
    if (loop->first_free == loop->capacity) {
        return -ENOSPC;
    }
    int index = (int)loop->first_free;
    struct epoll_watch *watch = &loop->watches[index];
    loop->first_free = watch->next_free;
    watch->handler = handler;
    watch->context = context;
    watch->fd = fd;
    watch->events = 0;
    int error = epoll_loop_set_events(loop, index, events);
    if (error != 0) {
        free_watch(loop, index);
        return error;
    }
    return index;
}

void epoll_loop_remove(struct epoll_loop *loop, int watch_index) {
    (void)epoll_loop_set_events(loop, watch_index, 0);
    free_watch(loop, watch_index);
}

static void hand_out(struct epoll_loop *loop, const struct epoll_event *event) {
    uint32_t generation = (uint32_t)(event->data.u64 >> 32);
    const struct epoll_watch *watch = &loop->watches[(uint32_t)event->data.u64];
    if (watch->handler != NULL && watch->generation == generation && watch->events != 0) {
        watch->handler(watch->context, (short)event->events);
    }
}

int epoll_loop_run_once(struct epoll_loop *loop, int timeout_ms) {
    struct epoll_event events[EPOLL_LOOP_ROUND_COUNT];
    int count = os_epoll_wait(loop->epoll_fd, events, EPOLL_LOOP_ROUND_COUNT, timeout_ms);
    for (int index = 0; index < count; index++) {
        hand_out(loop, &events[index]);
    }
    return count;
}

int epoll_loop_run_until(struct epoll_loop *loop, int64_t due_ms) {
    if (due_ms == INT64_MAX) {
        return epoll_loop_run_once(loop, -1);
    }
    int64_t wait_ms = due_ms - os_now_ms();
    if (wait_ms < 0) {
        wait_ms = 0;
    }
    return epoll_loop_run_once(loop, wait_ms < INT_MAX ? (int)wait_ms : INT_MAX);
}
