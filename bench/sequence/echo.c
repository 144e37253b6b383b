/* What the sequence protocol's messages cost a server that does nothing else: it answers each
 * message with a fixed one of the usual size, without a session, a number or a time limit. The
 * limit that the sequence server is compared with (throughput.cc). Ends with SIGTERM. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "server/runtime/exit_code.h"
#include "server/runtime/listener.h"
#include "server/runtime/logger.h"
#include "server/runtime/options.h"
#include "server/runtime/os.h"

enum { EVENT_COUNT = 256, BUFFER_SIZE = 4096, DESCRIPTOR_COUNT = 65536 };

/* The first letter of the message that each connection is in the middle of; 0: none. */
static char first_letters[DESCRIPTOR_COUNT];

static const char *find_reply(char first_letter) {
    switch (first_letter) {
    case 'I':
        return "ACK;";
    case 'F':
        return "FAC,f90b20dae8c9b7d7be2a5fb7cc856e8b;";
    default:
        return "NUM,6:41:81:68:68;";
    }
}

/* False: the connection is over. */
static bool answer(int fd) {
    char input[BUFFER_SIZE];
    char output[BUFFER_SIZE * 4];
    size_t output_size = 0;
    ssize_t size = os_recv(fd, input, sizeof input);
    if (size <= 0) {
        return size == -EAGAIN;
    }
    for (ssize_t i = 0; i < size; i++) {
        if (first_letters[fd] == 0) {
            first_letters[fd] = input[i];
        }
        if (input[i] == ';') {
            const char *reply = find_reply(first_letters[fd]);
            size_t reply_size = strlen(reply);
            if (output_size + reply_size <= sizeof output) {
                memcpy(output + output_size, reply, reply_size);
                output_size += reply_size;
            }
            first_letters[fd] = 0;
        }
    }
    return output_size == 0 || os_send(fd, output, output_size) == (ssize_t)output_size;
}

static void accept_all(int epoll_fd, int listening_fd) {
    int fd;
    while ((fd = os_accept(listening_fd, NULL)) >= 0) {
        struct epoll_event event = {.events = EPOLLIN, .data = {.fd = fd}};
        if (fd >= DESCRIPTOR_COUNT || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0) {
            (void)os_close(fd);
            continue;
        }
        first_letters[fd] = 0;
    }
}

static enum options_outcome read_options(int argc, char **argv) {
    const struct options options = {
        .program = "sequence_echo",
        .summary = "Answers the sequence protocol's messages on a free port of 127.0.0.1, and does "
                   "nothing else.\nStop it with SIGTERM.",
        .examples = "  sequence_echo\n",
    };
    int first_argument_index;
    return options_parse(&options, argc, argv, &first_argument_index);
}

int main(int argc, char **argv) {
    switch (read_options(argc, argv)) {
    case OPTIONS_SHOWN:
        return EXIT_CODE_OK;
    case OPTIONS_INVALID:
        return EXIT_CODE_USAGE;
    case OPTIONS_RUN:
        break;
    }
    const char *const addresses[] = {"127.0.0.1"};
    struct logger logger;
    struct listener listener;
    struct rlimit limit;
    logger_init(&logger, LOG_LEVEL_INFO);
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
    int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (epoll_fd < 0 || listener_open(&listener, addresses, 1, 0, &logger) != 0) {
        return 1;
    }
    struct epoll_event listening = {.events = EPOLLIN, .data = {.fd = listener.fds[0]}};
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener.fds[0], &listening) != 0) {
        return 1;
    }
    listener_announce(&listener, &logger);
    struct epoll_event events[EVENT_COUNT];
    for (;;) {
        int count = epoll_wait(epoll_fd, events, EVENT_COUNT, -1);
        if (count < 0 && errno != EINTR) {
            return 1;
        }
        for (int i = 0; i < count; i++) {
            int fd = events[i].data.fd;
            if (fd == listener.fds[0]) {
                accept_all(epoll_fd, fd);
            } else if (!answer(fd)) {
                (void)os_close(fd);
            }
        }
    }
}
