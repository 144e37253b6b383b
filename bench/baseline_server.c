/*
 * Purpose: the yardstick of the numbers server. It has the same listener, tunes connections the
 * same way and has the same limit of clients, but does nothing with the bytes except receiving them
 * and, with --log, writing them to a file. No server that keeps its data can be faster in this
 * shape, so a ratio to it says how much of the machine is left. It does not look for line ends:
 * what several clients send is interleaved as it comes.
 *
 * With --direct, it stores past the page cache, and closes the connections when the last client has
 * ended and all of it is on the disk.
 *
 * Threading: one thread, one poll set, and the thread of a direct store. Ownership: one buffer for
 * all clients, emptied after every receive.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/direct_store.h"
#include "server/runtime/exit_code.h"
#include "server/runtime/listener.h"
#include "server/runtime/options.h"
#include "server/runtime/os.h"
#include "server/runtime/signals.h"

#define PROGRAM "baseline_server"

enum {
    CLIENT_COUNT_MAX = 1024,
    DESCRIPTORS_BESIDE_CLIENTS = 16,
    /* Found by trying 16 KiB to 4 MiB: up to here each step makes storing cheaper, because the
     * sender fills the socket during a long write and the next receive gets it all at once. */
    DEFAULT_BUFFER_SIZE = 1024 * 1024,
    BUFFER_SIZE_MAX = 64 * 1024 * 1024,
};

/* The order of the poll set; there are no gaps between the clients. */
enum { SIGNALS_INDEX, LISTENER_INDEX, FIRST_CLIENT_INDEX };

struct server {
    int64_t port;
    int64_t client_capacity;
    int64_t buffer_size;
    const char *log_path; /* NULL: discard */
    char *buffer;
    int log_fd; /* -1: discard */
    bool is_direct;
    struct direct_store direct_store;
    int ended_fds[CLIENT_COUNT_MAX]; /* with --direct: to be closed when all is on the disk */
    size_t ended_count;
    struct listener listener;
    struct pollfd polled[FIRST_CLIENT_INDEX + CLIENT_COUNT_MAX];
    size_t client_count;
};

static enum options_outcome read_options(struct server *server, int argc, char **argv) {
    const struct option_spec specs[] = {
        {"port", "NUMBER", "port of 127.0.0.1 to listen on; 0: any free one", OPTION_INTEGER,
         &server->port, 0, 65535, NULL},
        {"max-clients", "NUMBER", "clients served at the same time", OPTION_INTEGER,
         &server->client_capacity, 1, CLIENT_COUNT_MAX, NULL},
        {"buffer-size", "BYTES", "bytes received at a time at most", OPTION_INTEGER,
         &server->buffer_size, 1, BUFFER_SIZE_MAX, NULL},
        {"log", "FILE", "write what is received to FILE instead of throwing it away", OPTION_TEXT,
         &server->log_path, 0, 0, NULL},
        {"direct", NULL, "write the log past the page cache, and wait for the disk at the end",
         OPTION_FLAG, &server->is_direct, 0, 0, NULL},
    };
    const struct options options = {
        .program = PROGRAM,
        .summary = "Receives bytes, and throws them away or stores them: what the machine can do "
                   "at most.\nStop it with SIGTERM.",
        .examples = "  baseline_server --port=4000 --log=/dev/shm/baseline.log\n",
        .specs = specs,
        .spec_count = sizeof specs / sizeof specs[0],
    };
    int first_argument_index;
    return options_parse(&options, argc, argv, &first_argument_index);
}

/* Takes every waiting connection; one beyond the limit is reset at once. */
static void accept_clients(struct server *server) {
    int fd;
    while ((fd = os_accept(server->polled[LISTENER_INDEX].fd, NULL)) >= 0) {
        if (server->client_count == (size_t)server->client_capacity) {
            listener_reset_connection(fd);
            continue;
        }
        server->polled[FIRST_CLIENT_INDEX + server->client_count++] =
            (struct pollfd){.fd = fd, .events = POLLIN};
    }
}

/* Returns 0, or a negative errno value. */
static int write_all(int fd, const char *bytes, size_t size) {
    while (size > 0) {
        ssize_t written_size = os_write(fd, bytes, size);
        if (written_size < 0) {
            return (int)written_size;
        }
        bytes += written_size;
        size -= (size_t)written_size;
    }
    return 0;
}

static void remove_client(struct server *server, struct pollfd *client) {
    *client = server->polled[FIRST_CLIENT_INDEX + --server->client_count];
}

/* All that came is stored; those who sent it may know. */
static int finish_direct(struct server *server) {
    int error = direct_store_close(&server->direct_store);
    while (server->ended_count > 0) {
        (void)os_close(server->ended_fds[--server->ended_count]);
    }
    server->is_direct = false;
    return error;
}

static int serve_client_directly(struct server *server, struct pollfd *client) {
    size_t room_size;
    char *room = direct_store_room(&server->direct_store, &room_size);
    if (room == NULL) {
        return server->direct_store.error;
    }
    ssize_t size = os_recv(client->fd, room, room_size);
    if (size > 0) {
        direct_store_add(&server->direct_store, (size_t)size);
    } else if (size != -EAGAIN) {
        server->ended_fds[server->ended_count++] = client->fd;
        remove_client(server, client);
        return server->client_count == 0 ? finish_direct(server) : 0;
    }
    return 0;
}

/* Receives once from a client and stores it. Returns 0, or a negative errno value of the log. */
static int serve_client(struct server *server, struct pollfd *client) {
    ssize_t size = os_recv(client->fd, server->buffer, (size_t)server->buffer_size);
    if (size > 0) {
        return server->log_fd < 0 ? 0 : write_all(server->log_fd, server->buffer, (size_t)size);
    }
    if (size != -EAGAIN) {
        (void)os_close(client->fd);
        remove_client(server, client);
    }
    return 0;
}

/* Serves until a signal asks to stop. Returns 0, or a negative errno value. */
static int serve(struct server *server) {
    while (server->polled[SIGNALS_INDEX].revents == 0) {
        /* From the last one down: a client that is removed is replaced by one already served. */
        for (size_t i = server->client_count; i-- > 0;) {
            struct pollfd *client = &server->polled[FIRST_CLIENT_INDEX + i];
            int error = client->revents == 0 ? 0
                        : server->is_direct  ? serve_client_directly(server, client)
                                             : serve_client(server, client);
            if (error != 0) {
                return error;
            }
        }
        if (server->polled[LISTENER_INDEX].revents != 0) {
            accept_clients(server);
        }
        int fired_count = os_poll(server->polled, FIRST_CLIENT_INDEX + server->client_count, -1);
        if (fired_count < 0) {
            return fired_count;
        }
    }
    return 0;
}

/* Opens what the server needs. Returns 0, or a negative errno value; *failed_part says of what, and
 * is NULL if that has been printed already. */
static int open_all(struct server *server, const struct logger *logger, const char **failed_part) {
    static const char *const address = "127.0.0.1";
    *failed_part = "BUILD_WORKING_DIRECTORY";
    int error = os_enter_working_directory();
    if (error != 0) {
        return error;
    }
    *failed_part = "descriptors";
    error = os_allow_descriptors((size_t)server->client_capacity + DESCRIPTORS_BESIDE_CLIENTS);
    if (error != 0) {
        return error;
    }
    *failed_part = "signals";
    int signal_fd = signals_open();
    if (signal_fd < 0) {
        return signal_fd;
    }
    *failed_part = "buffer";
    server->buffer = malloc((size_t)server->buffer_size);
    if (server->buffer == NULL) {
        return -ENOMEM;
    }
    if (server->is_direct) {
        *failed_part = server->log_path != NULL ? server->log_path : "--direct without --log";
        error = server->log_path != NULL
                    ? direct_store_open(&server->direct_store, server->log_path)
                    : -EINVAL;
        if (error != 0) {
            return error;
        }
    } else if (server->log_path != NULL) {
        *failed_part = server->log_path;
        server->log_fd = os_open(server->log_path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
        if (server->log_fd < 0) {
            return server->log_fd;
        }
    }
    *failed_part = NULL;
    error = listener_open(&server->listener, &address, 1, (uint16_t)server->port, logger);
    if (error != 0) {
        return error;
    }
    server->polled[SIGNALS_INDEX] = (struct pollfd){.fd = signal_fd, .events = POLLIN};
    server->polled[LISTENER_INDEX] =
        (struct pollfd){.fd = server->listener.fds[0], .events = POLLIN};
    return 0;
}

int main(int argc, char **argv) {
    static struct server server = {
        .client_capacity = 5, .buffer_size = DEFAULT_BUFFER_SIZE, .log_fd = -1};
    struct logger logger;
    switch (read_options(&server, argc, argv)) {
    case OPTIONS_SHOWN:
        return EXIT_CODE_OK;
    case OPTIONS_INVALID:
        return EXIT_CODE_USAGE;
    case OPTIONS_RUN:
        break;
    }
    logger_init(&logger, LOG_LEVEL_INFO);
    const char *part;
    int error = open_all(&server, &logger, &part);
    if (error == 0) {
        listener_announce(&server.listener, &logger);
        part = "serving";
        error = serve(&server);
    }
    if (error != 0 && part != NULL) {
        logger_print(&logger, LOG_LEVEL_ERROR, "%s: %s", part, strerror(-error));
    }
    return error == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
