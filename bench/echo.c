/*
 * What a protocol's messages cost a server that does nothing else, on the services' own loop: the
 * limit that the records server and the sequence server are compared with. Ends with SIGTERM.
 *
 * records: a connection's bytes up to the end of the client's stream are sent back, and it is
 * ended. sequence: each message is answered with a fixed one of the usual size, without a session,
 * a number or a time limit.
 *
 * Threading: one thread. Ownership: the table owns the sockets; a client's place is its descriptor.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "server/runtime/acceptor.h"
#include "server/runtime/epoll_loop.h"
#include "server/runtime/options.h"
#include "server/runtime/os.h"
#include "server/runtime/startup.h"

enum { CLIENT_COUNT_MAX = 4096, OTHER_DESCRIPTOR_COUNT = 64, LINE_SIZE_MAX = 512 };

struct client {
    struct server *server;
    int fd;
    int watch_index;
    size_t size;              /* of what is kept of the message that the client is in: */
    char line[LINE_SIZE_MAX]; /* all of a record, the first letter of the others */
};

struct server {
    bool (*answer)(struct client *client); /* false: the connection is over */
    struct epoll_loop loop;
    struct listener listener;
    struct acceptor acceptor;
    struct client clients[CLIENT_COUNT_MAX + OTHER_DESCRIPTOR_COUNT];
    bool is_over;
};

static bool answer_record(struct client *client) {
    ssize_t size = 1;
    while (size > 0 && client->size < LINE_SIZE_MAX) {
        size = os_recv(client->fd, client->line + client->size, LINE_SIZE_MAX - client->size);
        client->size += size > 0 ? (size_t)size : 0;
    }
    if (size == 0) {
        (void)os_send_before(client->fd, client->line, client->size);
    }
    return size == -EAGAIN;
}

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

static bool answer_messages(struct client *client) {
    char input[4096];
    char output[4 * sizeof input];
    size_t output_size = 0;
    ssize_t size = os_recv(client->fd, input, sizeof input);
    if (size <= 0) {
        return size == -EAGAIN;
    }
    for (ssize_t i = 0; i < size; i++) {
        if (client->size == 0) {
            client->line[client->size++] = input[i];
        }
        if (input[i] == ';') {
            const char *reply = find_reply(client->line[0]);
            size_t reply_size = strlen(reply);
            if (output_size + reply_size <= sizeof output) {
                memcpy(output + output_size, reply, reply_size);
                output_size += reply_size;
            }
            client->size = 0;
        }
    }
    return output_size == 0 || os_send(client->fd, output, output_size) == (ssize_t)output_size;
}

static void on_readable(void *context, short events) {
    (void)events;
    struct client *client = context;
    struct server *server = client->server;
    if (!server->answer(client) ||
        epoll_loop_set_events(&server->loop, client->watch_index, POLLIN) != 0) {
        epoll_loop_remove(&server->loop, client->watch_index);
        (void)os_close(client->fd);
        acceptor_release(&server->acceptor);
    }
}

static int open_connection(void *context, int fd) {
    struct server *server = context;
    struct client *client = &server->clients[fd];
    *client = (struct client){.server = server, .fd = fd};
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
    const struct epoll_input signals = {startup_prepare_process(logger), on_signal, server};
    if (signals.fd < 0) {
        return signals.fd;
    }
    startup_allow_clients(CLIENT_COUNT_MAX, OTHER_DESCRIPTOR_COUNT, logger);
    int error = epoll_loop_init(&server->loop, CLIENT_COUNT_MAX + OTHER_DESCRIPTOR_COUNT);
    if (error == 0) {
        error = epoll_loop_add_inputs(&server->loop, &signals, 1);
    }
    if (error == 0) {
        error = listener_open(&server->listener, &address, 1, 0, logger);
    }
    const struct acceptor_configuration configuration = {
        .loop = &server->loop,
        .listener = &server->listener,
        .place_count = CLIENT_COUNT_MAX,
        .open_connection = open_connection,
        .context = server,
        .logger = logger,
    };
    return error != 0 ? error : acceptor_init(&server->acceptor, &configuration);
}

int main(int argc, char **argv) {
    static struct server server;
    static const char *const protocols[] = {"records", "sequence", NULL};
    int protocol = 0;
    const struct option_spec specs[] = {
        {"protocol", "NAME", "records or sequence", OPTION_CHOICE, &protocol, 0, 0, protocols},
    };
    const struct options options = {
        .program = "echo",
        .summary = "Answers a service's messages on a free port of 127.0.0.1, and does nothing "
                   "else.\nStop it with SIGTERM.",
        .examples = "  echo --protocol=sequence\n",
        .specs = specs,
        .spec_count = sizeof specs / sizeof specs[0],
    };
    struct logger logger;
    int first_argument_index;
    enum options_outcome outcome = options_parse(&options, argc, argv, &first_argument_index);
    if (outcome != OPTIONS_RUN) {
        return outcome == OPTIONS_SHOWN ? EXIT_CODE_OK : EXIT_CODE_USAGE;
    }
    logger_init(&logger, LOG_LEVEL_INFO);
    server.answer = protocol == 0 ? answer_record : answer_messages;
    int error = start(&server, &logger);
    if (error != 0) {
        return startup_fail(&logger, "start", error);
    }
    listener_announce(&server.listener, &logger);
    while (!server.is_over && error >= 0) {
        error = epoll_loop_run_once(&server.loop, -1);
    }
    return error < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
