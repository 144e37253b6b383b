#include "server/runtime/acceptor.h"

#include <errno.h>
#include <string.h>

#include "server/runtime/os.h"

enum {
    /* Connections taken in before the others have their turn again. */
    ACCEPTS_PER_TURN = 64,
    /* The pause after a failed accept: descriptors or memory may be there again then. */
    ACCEPT_PAUSE_MS = 100,
};

static void pause_after(struct acceptor *acceptor, int error) {
    int64_t now_ms = os_now_ms();
    if (warning_limiter_allows(&acceptor->warning, now_ms)) {
        logger_print(acceptor->configuration.logger, LOG_LEVEL_WARNING,
                     "cannot accept a client: %s", strerror(-error));
    }
    acceptor->again_ms = now_ms + ACCEPT_PAUSE_MS;
}

static int watch_all(struct acceptor *acceptor, short events) {
    int error = 0;
    for (size_t index = 0; index < acceptor->watch_count && error == 0; index++) {
        error = epoll_loop_set_events(acceptor->configuration.loop, acceptor->watch_indexes[index],
                                      events);
    }
    return error;
}

static void update(struct acceptor *acceptor) {
    bool is_accepting = !acceptor->is_stopped && acceptor->again_ms == INT64_MAX &&
                        acceptor->used_count < acceptor->configuration.place_count;
    if (is_accepting == acceptor->is_accepting) {
        return;
    }
    acceptor->is_accepting = is_accepting;
    int error = watch_all(acceptor, is_accepting ? POLLIN : 0);
    if (error != 0) {
        acceptor->is_accepting = false;
        (void)watch_all(acceptor, 0);
        pause_after(acceptor, error);
    }
}

/* Takes a place and hands the new connection on. 0, or a negative errno value. */
static int open_connection(struct acceptor *acceptor, int fd) {
    if (acceptor->configuration.listener->is_inherited) {
        listener_tune_connection(fd);
    }
    acceptor->used_count++;
    int error = acceptor->configuration.open_connection(acceptor->configuration.context, fd);
    if (error != 0) {
        acceptor->used_count--;
    }
    return error;
}

/* Accepts up to count_max connections at one socket. */
static void accept_some(struct acceptor *acceptor, int listening_fd, size_t count_max) {
    for (size_t count = 0; count < count_max && acceptor->is_accepting; count++) {
        int fd = os_accept(listening_fd, NULL);
        if (fd == -EAGAIN) {
            return;
        }
        if (fd == -ECONNABORTED) {
            continue; /* the client has given up already */
        }
        int error = fd < 0 ? fd : open_connection(acceptor, fd);
        if (error != 0) {
            pause_after(acceptor, error);
        }
        update(acceptor);
    }
}

static void accept_everywhere(struct acceptor *acceptor, size_t count_max) {
    for (size_t index = 0; index < acceptor->configuration.listener->count; index++) {
        accept_some(acceptor, acceptor->configuration.listener->fds[index], count_max);
    }
}

static void on_acceptable(void *context, short events) {
    (void)events;
    accept_everywhere(context, ACCEPTS_PER_TURN);
}

int acceptor_init(struct acceptor *acceptor, const struct acceptor_configuration *configuration) {
    *acceptor = (struct acceptor){
        .configuration = *configuration, .is_accepting = true, .again_ms = INT64_MAX};
    for (size_t index = 0; index < configuration->listener->count; index++) {
        int watch_index = epoll_loop_add(configuration->loop, configuration->listener->fds[index],
                                         POLLIN, on_acceptable, acceptor);
        if (watch_index < 0) {
            acceptor_close(acceptor);
            return watch_index;
        }
        acceptor->watch_indexes[acceptor->watch_count++] = watch_index;
    }
    return 0;
}

void acceptor_release(struct acceptor *acceptor) {
    acceptor->used_count--;
    update(acceptor);
}

int64_t acceptor_again_ms(const struct acceptor *acceptor) {
    return acceptor->again_ms;
}

bool acceptor_tick(struct acceptor *acceptor, int64_t now_ms) {
    if (now_ms >= acceptor->again_ms) {
        acceptor->again_ms = INT64_MAX;
        update(acceptor);
    }
    return acceptor->again_ms != INT64_MAX;
}

void acceptor_stop(struct acceptor *acceptor) {
    if (!acceptor->is_stopped) {
        accept_everywhere(acceptor, LISTENER_BACKLOG + 1);
        acceptor->is_stopped = true;
        update(acceptor);
    }
}

void acceptor_close(struct acceptor *acceptor) {
    acceptor->is_stopped = true;
    acceptor->is_accepting = false;
    acceptor->again_ms = INT64_MAX;
    while (acceptor->watch_count > 0) {
        epoll_loop_remove(acceptor->configuration.loop,
                          acceptor->watch_indexes[--acceptor->watch_count]);
    }
}
