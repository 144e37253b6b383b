/*
 * The load generator of the records server: users, many at a time, each of which sends its records
 * one after the other, every one over a connection of its own.
 *
 * A request is over when the server has ended the connection in an orderly way; under the server's
 * --ack that means that the record is in the store. Anything else is a failed request; only where
 * this machine has no free port or descriptor for another connection is it tried again.
 *
 * Threading: one thread, one epoll. Ownership: a user owns its socket.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netdb.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/percentile.h"
#include "server/runtime/epoll_loop.h"
#include "server/runtime/exit_code.h"
#include "server/runtime/listener.h"
#include "server/runtime/options.h"
#include "server/runtime/os.h"
#include "server/runtime/progress.h"

enum {
    USER_COUNT_MAX = 10000,
    REQUEST_COUNT_MAX = 100 * 1000 * 1000,
    DAY_MS = 24 * 60 * 60 * 1000,
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

struct load {
    const char *host;
    int64_t port;
    int64_t user_count;
    int64_t requests_per_user;
    int64_t delay_ms; /* between two requests of a user */
    bool is_quiet;
    struct sockaddr_storage address;
    socklen_t address_size;
    struct epoll_loop loop;
    struct user *users;
    int64_t active_count; /* users who have not sent everything yet */
    double *latencies_ms; /* of the orderly requests, sent_count */
    uint64_t sent_count;
    uint64_t failed_count; /* records of connections that did not end in an orderly way */
    uint64_t error_count;  /* lines that the server answered with {"error": ...} */
    int last_error;        /* errno of the last connection that failed, 0 if none */
};

enum user_state { USER_PAUSING, USER_SENDING, USER_AWAITING_END, USER_DONE };

struct user {
    struct load *load;
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

static void pause_user(struct user *user, int64_t pause_us) {
    user->state = USER_PAUSING;
    user->resume_us = now_us() + pause_us;
}

/* Ends the connection; its record counts as sent, or as failed with an errno value. */
static void end_connection(struct user *user, int error) {
    struct load *load = user->load;
    epoll_loop_remove(&load->loop, user->watch_index);
    (void)os_close(user->fd);
    if (error == 0) {
        load->latencies_ms[load->sent_count++] = (double)(now_us() - user->begin_us) / 1000;
    } else {
        load->failed_count++;
        load->last_error = error;
    }
    user->is_retrying = false;
    if (++user->finished_count == (uint64_t)load->requests_per_user) {
        user->state = USER_DONE;
        load->active_count--;
    } else {
        pause_user(user, load->delay_ms * 1000);
    }
}

static void retry_later(struct user *user) {
    epoll_loop_remove(&user->load->loop, user->watch_index);
    (void)os_close(user->fd);
    user->is_retrying = true;
    pause_user(user, RETRY_PAUSE_US);
}

static void watch(struct user *user, short events) {
    int error = epoll_loop_set_events(&user->load->loop, user->watch_index, events);
    if (error != 0) {
        end_connection(user, -error);
    }
}

/* The record leaves together with the end of the stream. */
static void send_record(struct user *user) {
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

static void count_errors(struct load *load, const char *bytes, size_t size) {
    static const char ERROR_PREFIX[] = "{\"error\"";
    for (size_t at = 0; at + sizeof ERROR_PREFIX - 1 <= size; at++) {
        load->error_count += memcmp(bytes + at, ERROR_PREFIX, sizeof ERROR_PREFIX - 1) == 0;
    }
}

static void receive_answer(struct user *user) {
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
        count_errors(user->load, bytes, (size_t)size);
    }
}

static void on_ready(void *context, short events) {
    struct user *user = context;
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
static void choose_source(const struct user *user) {
    const struct sockaddr_storage *server = &user->load->address;
    const int yes = 1;
    if (server->ss_family == AF_INET && listener_is_loopback((const struct sockaddr *)server)) {
        struct sockaddr_in source = {
            .sin_family = AF_INET,
            .sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + (uint32_t)user->index % SOURCE_COUNT)};
        (void)setsockopt(user->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
        (void)bind(user->fd, (const struct sockaddr *)&source, sizeof source);
    }
}

static void begin_connection(struct user *user) {
    struct load *load = user->load;
    if (!user->is_retrying) {
        user->begin_us = now_us();
    }
    user->fd = os_socket(load->address.ss_family, SOCK_STREAM, 0);
    if (user->fd < 0) {
        user->is_retrying = true;
        pause_user(user, RETRY_PAUSE_US);
        return;
    }
    choose_source(user);
    user->state = USER_SENDING;
    user->watch_index = epoll_loop_add(&user->load->loop, user->fd, 0, on_ready, user);
    int error = connect(user->fd, (const struct sockaddr *)&load->address, load->address_size) == 0
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

/* 0, or a negative errno value. */
static int prepare_users(struct load *load) {
    size_t user_count = (size_t)load->user_count;
    int error = epoll_loop_init(&load->loop, user_count);
    if (error != 0) {
        return error;
    }
    load->users = calloc(user_count, sizeof *load->users);
    load->latencies_ms =
        calloc(user_count * (size_t)load->requests_per_user, sizeof *load->latencies_ms);
    if (load->users == NULL || load->latencies_ms == NULL) {
        return -ENOMEM;
    }
    load->active_count = load->user_count;
    for (size_t index = 0; index < user_count; index++) {
        load->users[index] = (struct user){.load = load, .index = index};
        pause_user(&load->users[index], 0);
    }
    return 0;
}

/* Goes on for a moment. False: all users are done. */
static bool run_once(struct load *load) {
    bool is_anyone_pausing = false;
    int64_t time_us = now_us();
    for (int64_t index = 0; index < load->user_count; index++) {
        struct user *user = &load->users[index];
        if (user->state == USER_PAUSING && user->resume_us <= time_us) {
            begin_connection(user);
        }
        is_anyone_pausing = is_anyone_pausing || user->state == USER_PAUSING;
    }
    if (load->active_count > 0) {
        (void)epoll_loop_run_once(&load->loop, is_anyone_pausing ? PAUSE_MS : -1);
    }
    return load->active_count > 0;
}

static const char summary[] =
    "Sends records to a records server as many users at a time, each waiting for the end of a "
    "request\n"
    "before the next one, and tells how long that took. Exit code 0: every request came to its "
    "orderly end\nwithout an error.";

static const char examples[] =
    "  records_load                                        1000 users, 100 requests each\n"
    "  records_load --concurrent-users=250 --delay=0.001   one record every millisecond each\n";

static enum options_outcome read_options(struct load *load, int argc, char **argv) {
    *load = (struct load){
        .host = "127.0.0.1", .port = 2525, .user_count = 1000, .requests_per_user = 100};
    const struct option_spec specs[] = {
        {"host", "HOST", "name or address of the server", OPTION_TEXT, &load->host, 0, 0, NULL},
        {"port", "NUMBER", "its ingest port", OPTION_INTEGER, &load->port, 1, 65535, NULL},
        {"concurrent-users", "NUMBER", "users at a time", OPTION_INTEGER, &load->user_count, 1,
         USER_COUNT_MAX, NULL},
        {"requests-per-user", "NUMBER", "records that each of them sends", OPTION_INTEGER,
         &load->requests_per_user, 1, REQUEST_COUNT_MAX, NULL},
        {"delay", "SECONDS", "pause between two requests of a user", OPTION_SECONDS,
         &load->delay_ms, 0, DAY_MS, NULL},
        {"quiet", NULL, "no summary and no progress bar", OPTION_FLAG, &load->is_quiet, 0, 0, NULL},
    };
    const struct options options = {
        .program = "records_load",
        .summary = summary,
        .examples = examples,
        .specs = specs,
        .spec_count = sizeof specs / sizeof specs[0],
    };
    int first_argument_index;
    enum options_outcome outcome = options_parse(&options, argc, argv, &first_argument_index);
    if (outcome == OPTIONS_RUN && load->user_count * load->requests_per_user > REQUEST_COUNT_MAX) {
        options_complain(&options, "more than %d requests in all", REQUEST_COUNT_MAX);
        return OPTIONS_INVALID;
    }
    return outcome;
}

static bool find_server(struct load *load) {
    char port[8];
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *addresses;
    (void)snprintf(port, sizeof port, "%d", (int)load->port);
    int error = getaddrinfo(load->host, port, &hints, &addresses);
    if (error != 0) {
        (void)fprintf(stderr, "records_load: %s: %s\n", load->host, gai_strerror(error));
        return false;
    }
    memcpy(&load->address, addresses->ai_addr, addresses->ai_addrlen);
    load->address_size = addresses->ai_addrlen;
    freeaddrinfo(addresses);
    return true;
}

static void print_summary(struct load *load, double seconds) {
    static const double percents[] = {50, 90, 99, 99.9};
    (void)printf("%" PRIu64 " records in %.3f s: %.0f a second, %.0f a minute; %" PRIu64
                 " failed, %" PRIu64 " refused with an error\n",
                 load->sent_count, seconds, (double)load->sent_count / seconds,
                 60 * (double)load->sent_count / seconds, load->failed_count, load->error_count);
    if (load->sent_count == 0) {
        return;
    }
    percentile_sort(load->latencies_ms, load->sent_count);
    (void)printf("latency of a request in ms: shortest %.3f",
                 percentile_of(load->latencies_ms, load->sent_count, 0));
    for (size_t index = 0; index < sizeof percents / sizeof percents[0]; index++) {
        (void)printf(", %g %% %.3f", percents[index],
                     percentile_of(load->latencies_ms, load->sent_count, percents[index]));
    }
    (void)printf(", longest %.3f\n", percentile_of(load->latencies_ms, load->sent_count, 100));
}

static int run(struct load *load) {
    struct progress progress;
    int64_t start_ns = os_now_ns();
    progress_start(&progress, "records", (uint64_t)(load->user_count * load->requests_per_user),
                   !load->is_quiet);
    while (run_once(load)) {
        progress_update(&progress, load->sent_count + load->failed_count);
    }
    progress_finish(&progress);
    if (!load->is_quiet) {
        print_summary(load, (double)(os_now_ns() - start_ns) / 1e9);
    }
    if (load->failed_count > 0) {
        (void)fprintf(stderr, "records_load: %s port %d: not all requests were confirmed (%s)\n",
                      load->host, (int)load->port, strerror(load->last_error));
    }
    return load->failed_count == 0 && load->error_count == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv) {
    struct load load;
    enum options_outcome outcome = read_options(&load, argc, argv);
    if (outcome != OPTIONS_RUN) {
        return outcome == OPTIONS_SHOWN ? EXIT_CODE_OK : EXIT_CODE_USAGE;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    if (!find_server(&load)) {
        return EXIT_FAILURE;
    }
    int error = prepare_users(&load);
    if (error != 0) {
        (void)fprintf(stderr, "records_load: %s\n", strerror(-error));
    }
    int exit_code = error != 0 ? EXIT_FAILURE : run(&load);
    free(load.latencies_ms);
    free(load.users);
    epoll_loop_destroy(&load.loop);
    return exit_code;
}
