/*
 * What a connection costs a server that does nothing else: it accepts, reads up to the end of the
 * client's stream, sends the line back and ends the connection, on the records server's own loop.
 * The limit that the records server is compared with (connections.cc). Ends with SIGTERM.
 *
 * Threading: one thread. Ownership: the table owns the sockets.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/runtime/acceptor.h"
#include "server/runtime/epoll_loop.h"
#include "server/runtime/exit_code.h"
#include "server/runtime/listener.h"
#include "server/runtime/options.h"
#include "server/runtime/os.h"
#include "server/runtime/signals.h"

enum { CLIENT_COUNT_MAX = 1024, LINE_SIZE_MAX = 512, WATCHES_BESIDE_CLIENTS = 2 };

struct server;

struct client {
    struct server *server;
    int fd;
    int watch_index;
    size_t size;
    char line[LINE_SIZE_MAX];
    struct client *next_free;
};

struct server {
    struct epoll_loop loop;
    struct listener listener;
    struct acceptor acceptor;
    struct client clients[CLIENT_COUNT_MAX];
    struct client *free;
    bool is_over;
};

static void end(struct client *client) {
    struct server *server = client->server;
    epoll_loop_remove(&server->loop, client->watch_index);
    (void)os_close(client->fd);
    client->next_free = server->free;
    server->free = client;
    acceptor_release(&server->acceptor);
}

static void on_readable(void *context, short events) {
    (void)events;
    struct client *client = context;
    ssize_t size = 1;
    while (size > 0 && client->size < LINE_SIZE_MAX) {
        size = os_recv(client->fd, client->line + client->size, LINE_SIZE_MAX - client->size);
        client->size += size > 0 ? (size_t)size : 0;
    }
    if (size == -EAGAIN &&
        epoll_loop_set_events(&client->server->loop, client->watch_index, POLLIN) == 0) {
        return;
    }
    if (size == 0) {
        (void)os_send_before(client->fd, client->line, client->size);
    }
    end(client);
}

static int open_connection(void *context, int fd) {
    struct server *server = context;
    struct client *client = server->free;
    server->free = client->next_free;
    client->fd = fd;
    client->size = 0;
    client->watch_index = epoll_loop_add(&server->loop, fd, 0, on_readable, client);
    on_readable(client, POLLIN);
    return 0;
}

static void on_signal(void *context, short events) {
    (void)events;
    ((struct server *)context)->is_over = true;
}

/* 0, or a negative errno value. */
static int start(struct server *server, const struct logger *logger) {
    static const char *const address = "127.0.0.1";
    for (size_t index = 0; index < CLIENT_COUNT_MAX; index++) {
        server->clients[index] = (struct client){.server = server, .next_free = server->free};
        server->free = &server->clients[index];
    }
    int signal_fd = signals_open();
    if (signal_fd < 0) {
        return signal_fd;
    }
    int error = epoll_loop_init(&server->loop, CLIENT_COUNT_MAX + WATCHES_BESIDE_CLIENTS);
    if (error == 0) {
        int watch_index = epoll_loop_add(&server->loop, signal_fd, POLLIN, on_signal, server);
        error = watch_index < 0 ? watch_index : 0;
    }
    if (error == 0) {
        error = listener_open(&server->listener, &address, 1, 0, logger);
    }
    if (error != 0) {
        return error;
    }
    struct acceptor_configuration configuration = {
        .loop = &server->loop,
        .listener = &server->listener,
        .place_count = CLIENT_COUNT_MAX,
        .open_connection = open_connection,
        .context = server,
        .logger = logger,
    };
    return acceptor_init(&server->acceptor, &configuration);
}

int main(int argc, char **argv) {
    static struct server server;
    const struct options options = {
        .program = "records_echo",
        .summary = "Sends back the line that comes over each connection to a free port of "
                   "127.0.0.1, and does\nnothing else. Stop it with SIGTERM.",
        .examples = "  records_echo\n",
    };
    struct logger logger;
    int first_argument_index;
    switch (options_parse(&options, argc, argv, &first_argument_index)) {
    case OPTIONS_SHOWN:
        return EXIT_CODE_OK;
    case OPTIONS_INVALID:
        return EXIT_CODE_USAGE;
    case OPTIONS_RUN:
        break;
    }
    logger_init(&logger, LOG_LEVEL_INFO);
    int error = start(&server, &logger);
    if (error != 0) {
        (void)fprintf(stderr, "records_echo: %s\n", strerror(-error));
        return EXIT_FAILURE;
    }
    listener_announce(&server.listener, &logger);
    while (!server.is_over && error >= 0) {
        error = epoll_loop_run_once(&server.loop, -1);
    }
    return error < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
