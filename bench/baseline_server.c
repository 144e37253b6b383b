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
 * Threading: one thread, one poll set, and the thread of a store past the page cache. Ownership:
 * one buffer for all clients, emptied after every receive.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "bench/baseline_store.h"
#include "server/runtime/options.h"
#include "server/runtime/os.h"
#include "server/runtime/startup.h"

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
    bool is_direct;
    struct baseline_store store;
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
    enum options_outcome outcome = options_parse(&options, argc, argv, &first_argument_index);
    if (outcome == OPTIONS_RUN && server->is_direct && server->log_path == NULL) {
        options_complain(&options, "--direct needs a --log");
        return OPTIONS_INVALID;
    }
    return outcome;
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

/* A client has ended. With --direct, all are told so when the last one has: then what came is on
 * the disk. Returns 0, or a negative errno value of the log. */
static int end_client(struct server *server, struct pollfd *client) {
    server->ended_fds[server->ended_count++] = client->fd;
    *client = server->polled[FIRST_CLIENT_INDEX + --server->client_count];
    bool is_direct = server->store.is_direct;
    if (is_direct && server->client_count > 0) {
        return 0;
    }
    int error = is_direct ? baseline_store_finish(&server->store) : 0;
    while (server->ended_count > 0) {
        (void)os_close(server->ended_fds[--server->ended_count]);
    }
    return error;
}

/* Receives once from a client and stores it. Returns 0, or a negative errno value of the log. */
static int serve_client(struct server *server, struct pollfd *client) {
    size_t room_size;
    char *room = baseline_store_room(&server->store, &room_size);
    if (room == NULL) {
        return server->store.error;
    }
    ssize_t size = os_recv(client->fd, room, room_size);
    if (size > 0) {
        return baseline_store_add(&server->store, (size_t)size);
    }
    return size == -EAGAIN ? 0 : end_client(server, client);
}

/* Serves until a signal asks to stop. Returns 0, or a negative errno value. */
static int serve(struct server *server) {
    while (server->polled[SIGNALS_INDEX].revents == 0) {
        /* From the last one down: a client that is removed is replaced by one already served. */
        for (size_t i = server->client_count; i-- > 0;) {
            struct pollfd *client = &server->polled[FIRST_CLIENT_INDEX + i];
            int error = client->revents == 0 ? 0 : serve_client(server, client);
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

/* Opens what the server needs. False after a message. */
static bool open_all(struct server *server, const struct logger *logger) {
    static const char *const address = "127.0.0.1";
    int signal_fd = startup_prepare_process(logger);
    if (signal_fd < 0) {
        return false;
    }
    startup_allow_clients((size_t)server->client_capacity, DESCRIPTORS_BESIDE_CLIENTS, logger);
    int error = baseline_store_open(&server->store, server->log_path, server->is_direct,
                                    (size_t)server->buffer_size);
    if (error != 0) {
        logger_print(logger, LOG_LEVEL_ERROR, "%s: %s",
                     server->log_path != NULL ? server->log_path : "buffer", strerror(-error));
        return false;
    }
    if (listener_open(&server->listener, &address, 1, (uint16_t)server->port, logger) != 0) {
        return false;
    }
    server->polled[SIGNALS_INDEX] = (struct pollfd){.fd = signal_fd, .events = POLLIN};
    server->polled[LISTENER_INDEX] =
        (struct pollfd){.fd = server->listener.fds[0], .events = POLLIN};
    return true;
}

int main(int argc, char **argv) {
    static struct server server = {.client_capacity = 5, .buffer_size = DEFAULT_BUFFER_SIZE};
    struct logger logger;
    enum options_outcome outcome = read_options(&server, argc, argv);
    if (outcome != OPTIONS_RUN) {
        return outcome == OPTIONS_SHOWN ? EXIT_CODE_OK : EXIT_CODE_USAGE;
    }
    logger_init(&logger, LOG_LEVEL_INFO);
    if (!open_all(&server, &logger)) {
        return EXIT_CODE_START_FAILURE;
    }
    listener_announce(&server.listener, &logger);
    int error = serve(&server);
    if (error != 0) {
        return startup_fail(&logger, "serve", error);
    }
    return EXIT_CODE_OK;
}
