#include "bench/records/users.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/runtime/listener.h"
#include "server/runtime/os.h"

enum {
    RECORD_CAPACITY = 128,
    ANSWER_CAPACITY = 4096,
    /* The pause when there is no free port or descriptor for another connection. */
    RETRY_PAUSE_US = 10 * 1000,
    /* Addresses of this machine that the users share: each has its own ports, of which a connection
     * occupies one for a second or more after its end. */
    SOURCE_COUNT = 200,
    /* How long to wait for events while users pause. */
    PAUSE_MS = 1,
};

enum user_state { USER_PAUSING, USER_SENDING, USER_AWAITING_END, USER_DONE };

struct records_user {
    struct records_users *users;
    enum user_state state;
    size_t index;
    int fd;
    int watch_index;
    int64_t resume_us; /* while pausing */
    int64_t begin_us;  /* of the request, its retries included */
    bool is_retrying;
    uint64_t finished_count; /* records whose connection has ended */
};

static int64_t now_us(void) {
    return os_now_ns() / 1000;
}

static void pause_user(struct records_user *user, int64_t pause_us) {
    user->state = USER_PAUSING;
    user->resume_us = now_us() + pause_us;
}

/* Ends the connection; its record counts as sent, or as failed with an errno value. */
static void end_connection(struct records_user *user, int error) {
    struct records_users *users = user->users;
    epoll_loop_remove(&users->loop, user->watch_index);
    (void)os_close(user->fd);
    if (error == 0) {
        users->latencies_ms[users->sent_count++] = (double)(now_us() - user->begin_us) / 1000;
    } else {
        users->failed_count++;
        users->last_error = error;
    }
    user->is_retrying = false;
    if (++user->finished_count == users->configuration.requests_per_user) {
        user->state = USER_DONE;
        users->active_count--;
    } else {
        pause_user(user, users->configuration.delay_us);
    }
}

static void retry_later(struct records_user *user) {
    epoll_loop_remove(&user->users->loop, user->watch_index);
    (void)os_close(user->fd);
    user->is_retrying = true;
    pause_user(user, RETRY_PAUSE_US);
}

static void watch(struct records_user *user, short events) {
    int error = epoll_loop_set_events(&user->users->loop, user->watch_index, events);
    if (error != 0) {
        end_connection(user, -error);
    }
}

/* The record leaves together with the end of the stream. */
static void send_record(struct records_user *user) {
    char record[RECORD_CAPACITY];
    int size =
        snprintf(record, sizeof record,
                 "{\"id\": \"user%zu-%" PRIu64 "\", \"name\": \"John Hasa\", \"age\": \"30\"}\n",
                 user->index, user->finished_count);
    ssize_t sent_size = os_send_before(user->fd, record, (size_t)size);
    if (sent_size == -EAGAIN) {
        watch(user, POLLIN | POLLOUT); /* not connected yet */
    } else if (sent_size != size) {
        /* The buffer of a new socket has room for all of it. */
        end_connection(user, sent_size < 0 ? (int)-sent_size : EMSGSIZE);
    } else {
        (void)shutdown(user->fd, SHUT_WR);
        user->state = USER_AWAITING_END;
        watch(user, POLLIN);
    }
}

static void count_errors(struct records_users *users, const char *bytes, size_t size) {
    static const char ERROR_PREFIX[] = "{\"error\"";
    for (size_t at = 0; at + sizeof ERROR_PREFIX - 1 <= size; at++) {
        users->error_count += memcmp(bytes + at, ERROR_PREFIX, sizeof ERROR_PREFIX - 1) == 0;
    }
}

static void receive_answer(struct records_user *user) {
    char bytes[ANSWER_CAPACITY];
    for (;;) {
        ssize_t size = os_recv(user->fd, bytes, sizeof bytes);
        if (size == -EAGAIN) {
            return;
        }
        if (size < 0) {
            end_connection(user, (int)-size);
            return;
        }
        if (size == 0) {
            /* An orderly end in the middle of our sending confirms nothing. */
            end_connection(user, user->state == USER_AWAITING_END ? 0 : ECONNRESET);
            return;
        }
        count_errors(user->users, bytes, (size_t)size);
    }
}

static void on_ready(void *context, short events) {
    struct records_user *user = context;
    if (user->state == USER_SENDING) {
        send_record(user);
    }
    bool has_connection = user->state == USER_SENDING || user->state == USER_AWAITING_END;
    if (has_connection && (events & (POLLIN | POLLHUP | POLLERR)) != 0) {
        receive_answer(user);
    }
}

/* Gives a connection to this machine one of its addresses (127.0.0.2 and following). Where that is
 * not to be had, it gets the usual one. */
static void choose_source(const struct records_user *user) {
    const struct sockaddr_storage *server = &user->users->configuration.address;
    const int yes = 1;
    if (server->ss_family == AF_INET && listener_is_loopback((const struct sockaddr *)server)) {
        struct sockaddr_in source = {
            .sin_family = AF_INET,
            .sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + (uint32_t)user->index % SOURCE_COUNT)};
        (void)setsockopt(user->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
        (void)bind(user->fd, (const struct sockaddr *)&source, sizeof source);
    }
}

static void begin_connection(struct records_user *user) {
    const struct records_users_configuration *configuration = &user->users->configuration;
    if (!user->is_retrying) {
        user->begin_us = now_us();
    }
    user->fd = os_socket(configuration->address.ss_family, SOCK_STREAM, 0);
    if (user->fd < 0) {
        user->is_retrying = true;
        pause_user(user, RETRY_PAUSE_US);
        return;
    }
    choose_source(user);
    user->state = USER_SENDING;
    user->watch_index = epoll_loop_add(&user->users->loop, user->fd, 0, on_ready, user);
    int error = connect(user->fd, (const struct sockaddr *)&configuration->address,
                        configuration->address_size) == 0
                    ? 0
                    : errno;
    if (error == EADDRNOTAVAIL) {
        retry_later(user);
    } else if (error != 0 && error != EINPROGRESS) {
        end_connection(user, error);
    } else {
        send_record(user);
    }
}

int records_users_init(struct records_users *users,
                       const struct records_users_configuration *configuration) {
    *users = (struct records_users){.configuration = *configuration,
                                    .active_count = configuration->user_count};
    int error = epoll_loop_init(&users->loop, configuration->user_count);
    if (error != 0) {
        return error;
    }
    users->users = calloc(configuration->user_count, sizeof *users->users);
    users->latencies_ms =
        calloc(configuration->user_count * (size_t)configuration->requests_per_user,
               sizeof *users->latencies_ms);
    if (users->users == NULL || users->latencies_ms == NULL) {
        records_users_destroy(users);
        return -ENOMEM;
    }
    for (size_t index = 0; index < configuration->user_count; index++) {
        users->users[index].users = users;
        users->users[index].index = index;
        pause_user(&users->users[index], 0);
    }
    return 0;
}

void records_users_destroy(struct records_users *users) {
    free(users->latencies_ms);
    free(users->users);
    epoll_loop_destroy(&users->loop);
}

bool records_users_run_once(struct records_users *users) {
    bool is_anyone_pausing = false;
    int64_t time_us = now_us();
    for (size_t index = 0; index < users->configuration.user_count; index++) {
        struct records_user *user = &users->users[index];
        if (user->state == USER_PAUSING && user->resume_us <= time_us) {
            begin_connection(user);
        }
        is_anyone_pausing = is_anyone_pausing || user->state == USER_PAUSING;
    }
    if (users->active_count > 0) {
        (void)epoll_loop_run_once(&users->loop, is_anyone_pausing ? PAUSE_MS : -1);
    }
    return users->active_count > 0;
}
