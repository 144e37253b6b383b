/*
 * Purpose: the yardstick of the numbers server. It has the same listener and the same limit of
 * clients, but does nothing with the bytes except receiving them and, with --log, writing them to a
 * file. No server that keeps its data can be faster in this shape, so a ratio to it says how much
 * of the machine is left. It does not look for line ends: what several clients send is interleaved
 * as it comes.
 *
 * Threading: one thread, one poll loop. Ownership: one buffer for all clients, emptied after every
 * receive.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/option_values.h"

#define PROGRAM "baseline_server"

enum {
    CLIENT_COUNT_HIGHEST = 1024,
    DEFAULT_CLIENTS = 5,
    BACKLOG = 128,
    /* Found by trying 16 KiB to 4 MiB: up to here each step makes storing cheaper, because the
     * sender fills the socket during a long write and the next receive gets it all at once. */
    DEFAULT_BUFFER_SIZE = 1024 * 1024,
    BUFFER_SIZE_HIGHEST = 64 * 1024 * 1024,
};

struct server {
    uint16_t port;
    uint32_t client_capacity;
    size_t buffer_size;
    const char *log_path; /* NULL: discard */
    char *buffer;
    int log_fd;
    struct pollfd
        pollfds[1 + CLIENT_COUNT_HIGHEST]; /* the listener, then the clients without gaps */
    uint32_t client_count;
};

static const char help_text[] =
    "usage: baseline_server [--port PORT] [--max-clients N] [--buffer-size BYTES]\n"
    "                       [--discard | --log FILE]\n"
    "Receives lines and throws them away (--discard, the default) or writes the same bytes to\n"
    "FILE: what the machine can do at most. Port 0 (the default) takes any free port. Stop it "
    "with\n"
    "SIGTERM.\n"
    "\n"
    "example\n"
    "  baseline_server --port 4000 --log /dev/shm/baseline.log\n";

static volatile sig_atomic_t stop_requested;

static void request_stop(int signal_number) {
    (void)signal_number;
    stop_requested = 1;
}

/* Says what failed and returns the exit code of a failed start. */
static int fail(const char *what) {
    (void)fprintf(stderr, PROGRAM ": %s: %s\n", what, strerror(errno));
    return EXIT_FAILURE;
}

static int listener_open(uint16_t *port) {
    int yes = 1;
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(*port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t address_size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -1;
    }
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
        bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, BACKLOG) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &address_size) != 0) {
        (void)close(fd);
        return -1;
    }
    *port = ntohs(address.sin_port);
    return fd;
}

/* Takes every waiting connection; one beyond the limit is reset at once. */
static void accept_clients(struct server *server) {
    for (;;) {
        int fd = accept4(server->pollfds[0].fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            return;
        }
        if (server->client_count == server->client_capacity) {
            struct linger reset = {.l_onoff = 1, .l_linger = 0};
            (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
            (void)close(fd);
            continue;
        }
        server->pollfds[1 + server->client_count++] = (struct pollfd){.fd = fd, .events = POLLIN};
    }
}

static bool write_all(int fd, const char *data, size_t size) {
    while (size > 0) {
        ssize_t written = write(fd, data, size);
        if (written < 0 && errno != EINTR) {
            return false;
        }
        if (written > 0) {
            data += written;
            size -= (size_t)written;
        }
    }
    return true;
}

/* Receives once from the client at index and stores it. Returns false when the log failed. */
static bool serve_client(struct server *server, uint32_t index) {
    struct pollfd *client = &server->pollfds[1 + index];
    ssize_t got = recv(client->fd, server->buffer, server->buffer_size, 0);
    if (got > 0) {
        return server->log_fd < 0 || write_all(server->log_fd, server->buffer, (size_t)got);
    }
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        return true;
    }
    (void)close(client->fd);
    *client = server->pollfds[server->client_count--];
    return true;
}

/* Serves until a signal asks to stop. Returns false when the log failed. */
static bool serve(struct server *server) {
    while (stop_requested == 0) {
        if (poll(server->pollfds, 1 + server->client_count, -1) < 0) {
            if (errno != EINTR) {
                return false;
            }
            continue;
        }
        /* From the last one down: a client that is removed is replaced by one already served. */
        for (uint32_t i = server->client_count; i-- > 0;) {
            if (server->pollfds[1 + i].revents != 0 && !serve_client(server, i)) {
                return false;
            }
        }
        if (server->pollfds[0].revents != 0) {
            accept_clients(server);
        }
    }
    return true;
}

/* Returns -1 to go on, or the exit code of a command line that is answered at once. */
static int read_options(int argc, char **argv, struct server *server) {
    enum { PORT = 256, CLIENTS, BUFFER, DISCARD, LOG, HELP };
    static const struct option options[] = {
        {"port", required_argument, NULL, PORT},
        {"max-clients", required_argument, NULL, CLIENTS},
        {"buffer-size", required_argument, NULL, BUFFER},
        {"discard", no_argument, NULL, DISCARD},
        {"log", required_argument, NULL, LOG},
        {"help", no_argument, NULL, HELP},
        {NULL, 0, NULL, 0},
    };
    uint64_t value;
    int code;
    while ((code = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (code) {
        case PORT:
            if (!option_read_number(PROGRAM, "port", optarg, 0, 65535, &value)) {
                return EXIT_USAGE;
            }
            server->port = (uint16_t)value;
            break;
        case CLIENTS:
            if (!option_read_number(PROGRAM, "max-clients", optarg, 1, CLIENT_COUNT_HIGHEST,
                                    &value)) {
                return EXIT_USAGE;
            }
            server->client_capacity = (uint32_t)value;
            break;
        case BUFFER:
            if (!option_read_number(PROGRAM, "buffer-size", optarg, 1, BUFFER_SIZE_HIGHEST,
                                    &value)) {
                return EXIT_USAGE;
            }
            server->buffer_size = (size_t)value;
            break;
        case DISCARD:
            server->log_path = NULL;
            break;
        case LOG:
            server->log_path = optarg;
            break;
        case HELP:
            (void)fputs(help_text, stdout);
            return EXIT_SUCCESS;
        default:
            return EXIT_USAGE;
        }
    }
    if (optind < argc) {
        (void)fprintf(stderr, PROGRAM ": '%s' is not an option; see --help\n", argv[optind]);
        return EXIT_USAGE;
    }
    return -1;
}

int main(int argc, char **argv) {
    static struct server server = {
        .client_capacity = DEFAULT_CLIENTS, .buffer_size = DEFAULT_BUFFER_SIZE, .log_fd = -1};
    struct sigaction on_stop = {.sa_handler = request_stop};
    option_enter_user_directory();
    int exit_code = read_options(argc, argv, &server);
    if (exit_code >= 0) {
        return exit_code;
    }
    if (sigaction(SIGTERM, &on_stop, NULL) != 0 || sigaction(SIGINT, &on_stop, NULL) != 0) {
        return fail("sigaction");
    }
    server.buffer = malloc(server.buffer_size);
    if (server.buffer == NULL) {
        return fail("buffer");
    }
    if (server.log_path != NULL) {
        server.log_fd = open(server.log_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        if (server.log_fd < 0) {
            return fail(server.log_path);
        }
    }
    int listener = listener_open(&server.port);
    if (listener < 0) {
        return fail("listen");
    }
    server.pollfds[0] = (struct pollfd){.fd = listener, .events = POLLIN};
    (void)fprintf(stderr, "listening on 127.0.0.1:%u\n", (unsigned)server.port);
    bool served = serve(&server);
    return served ? EXIT_SUCCESS : fail("log");
}
