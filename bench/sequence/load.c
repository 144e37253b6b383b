/*
 * Load for the sequence server: many clients at once, each with a connection, a sequence and a
 * checksum of its own.
 *
 *   sequence_load --port=5000 --clients=1000 --numbers=1000
 *
 * Every client asks for batch after batch and waits for each, as the real one does, and compares
 * the checksum in the end. All connect before the first one starts; the time is taken from then on.
 * With --echo the checksum is not compared: for //bench:echo, which shows what the same messages
 * cost a server that does nothing else. One thread, one epoll. Exit code 0: every client has
 * everything.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/runtime/epoll_loop.h"
#include "server/runtime/exit_code.h"
#include "server/runtime/listener.h"
#include "server/runtime/options.h"
#include "server/runtime/os.h"
#include "server/sequence/protocol.h"
#include "server/sessions/checksum.h"
#include "server/sessions/client_id.h"
#include "server/sessions/randomness.h"

enum {
    SILENCE_MAX_MS = 30000,
    CLIENT_COUNT_MAX = 60000,
    DESCRIPTORS_BESIDE_CLIENTS = 16,
};

struct client {
    struct load *load;
    int fd;
    int watch_index;
    uint32_t received_count;
    struct checksum checksum;
    size_t reply_size; /* of a reply that is not all there yet */
    char *reply;       /* load.reply_capacity bytes */
};

struct load {
    int64_t port;
    int64_t client_count;
    int64_t number_count;
    int64_t batch_size;
    bool is_echo;
    size_t reply_capacity;
    uint64_t message_count; /* replies received */
    int64_t done_count;
    uint8_t *numbers; /* of one batch */
    struct epoll_loop loop;
    bool has_failed; /* after a message */
};

static bool fail(const char *what, int error) {
    (void)fprintf(stderr, "sequence_load: %s: %s\n", what, strerror(error));
    return false;
}

static bool complain(const char *what) {
    (void)fprintf(stderr, "sequence_load: %s\n", what);
    return false;
}

static bool send_request(const struct client *client, const struct protocol_request *request) {
    char text[PROTOCOL_REQUEST_SIZE_MAX];
    size_t size = protocol_write_request(request, text);
    ssize_t sent_size = os_send(client->fd, text, size);
    if (sent_size < 0) {
        return fail("send", (int)-sent_size);
    }
    /* There is never more than one request under way. */
    return (size_t)sent_size == size ? true : complain("a request did not fit the socket's buffer");
}

static bool send_init(const struct load *load, const struct client *client) {
    struct protocol_request init = {.kind = PROTOCOL_INIT,
                                    .number_count = (uint32_t)load->number_count,
                                    .batch_size = (uint32_t)load->batch_size};
    uint8_t random[CLIENT_ID_RANDOM_SIZE];
    if (!randomness_fill(random, sizeof random)) {
        return complain("no random numbers");
    }
    client_id_write(random, init.client_id);
    return send_request(client, &init);
}

static bool send_next(const struct load *load, const struct client *client) {
    struct protocol_request request = {.kind = PROTOCOL_FIN};
    if (client->received_count < load->number_count) {
        request.kind = PROTOCOL_RECV;
        request.batch_index = client->received_count / (uint32_t)load->batch_size;
    }
    return send_request(client, &request);
}

static bool finish_client(struct load *load, struct client *client, const char *server_checksum) {
    char text[CHECKSUM_TEXT_LENGTH + 1];
    checksum_finish(&client->checksum, text);
    if (!load->is_echo && strcmp(text, server_checksum) != 0) {
        return complain("a checksum is not valid");
    }
    load->done_count++;
    epoll_loop_remove(&load->loop, client->watch_index);
    (void)os_close(client->fd);
    return true;
}

static bool handle_reply(struct load *load, struct client *client,
                         const struct protocol_reply *reply) {
    load->message_count++;
    switch (reply->kind) {
    case PROTOCOL_ACK:
        return send_next(load, client);
    case PROTOCOL_NUM:
        checksum_update(&client->checksum, load->numbers, reply->number_count);
        client->received_count += (uint32_t)reply->number_count;
        return send_next(load, client);
    case PROTOCOL_FAC:
        return finish_client(load, client, reply->checksum);
    case PROTOCOL_ERR:
        break;
    }
    (void)fprintf(stderr, "sequence_load: the server says: %.*s\n", (int)reply->error_text_length,
                  reply->error_text);
    return false;
}

static bool handle_input(struct load *load, struct client *client) {
    ssize_t size = os_recv(client->fd, client->reply + client->reply_size,
                           load->reply_capacity - client->reply_size);
    if (size == -EAGAIN) {
        return true;
    }
    if (size <= 0) {
        return size == 0 ? complain("the server closed a connection") : fail("recv", (int)-size);
    }
    client->reply_size += (size_t)size;
    struct protocol_reply reply;
    size_t consumed_size;
    enum protocol_error error;
    switch (protocol_parse_reply(client->reply, client->reply_size, load->numbers,
                                 (size_t)load->batch_size, &reply, &consumed_size, &error)) {
    case PROTOCOL_PARTIAL:
        return true;
    case PROTOCOL_INVALID:
        return complain(protocol_describe_error(error));
    case PROTOCOL_COMPLETE:
        break;
    }
    if (consumed_size != client->reply_size) {
        return complain("more than one reply to one request");
    }
    client->reply_size = 0;
    return handle_reply(load, client, &reply);
}

static void on_readable(void *context, short events) {
    (void)events;
    struct client *client = context;
    if (!client->load->has_failed && !handle_input(client->load, client)) {
        client->load->has_failed = true;
    }
}

static bool connect_client(struct load *load, struct client *client) {
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)load->port),
                                  .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    client->load = load;
    client->reply = malloc(load->reply_capacity);
    client->fd = os_socket(AF_INET, SOCK_STREAM, 0);
    if (client->reply == NULL || client->fd < 0) {
        return fail("socket", client->fd < 0 ? -client->fd : ENOMEM);
    }
    checksum_init(&client->checksum);
    if (connect(client->fd, (const struct sockaddr *)&address, sizeof address) != 0 &&
        errno != EINPROGRESS) {
        return fail("connect", errno);
    }
    listener_tune_connection(client->fd);
    client->watch_index = epoll_loop_add(&load->loop, client->fd, POLLIN, on_readable, client);
    return client->watch_index >= 0 ? true : fail("watch a connection", -client->watch_index);
}

static bool run_clients(struct load *load, struct client *clients) {
    for (int64_t i = 0; i < load->client_count; i++) {
        if (!send_init(load, &clients[i])) {
            return false;
        }
    }
    while (load->done_count < load->client_count && !load->has_failed) {
        int fired_count = epoll_loop_run_once(&load->loop, SILENCE_MAX_MS);
        if (fired_count <= 0) {
            return fired_count == 0 ? complain("the server is silent") : fail("wait", -fired_count);
        }
    }
    return !load->has_failed;
}

/* Connects everyone; a connection is there when something can be written to it. */
static bool connect_all(struct load *load, struct client *clients) {
    for (int64_t i = 0; i < load->client_count; i++) {
        if (!connect_client(load, &clients[i])) {
            return false;
        }
    }
    for (int64_t i = 0; i < load->client_count; i++) {
        struct pollfd polled = {.fd = clients[i].fd, .events = POLLOUT};
        if (os_poll(&polled, 1, SILENCE_MAX_MS) <= 0 || (polled.revents & POLLERR) != 0) {
            return complain("cannot connect");
        }
    }
    return true;
}

static bool run(struct load *load, struct client *clients) {
    int error = os_allow_descriptors((size_t)load->client_count + DESCRIPTORS_BESIDE_CLIENTS);
    if (error != 0) {
        return fail("too few descriptors (ulimit -n)", -error);
    }
    error = epoll_loop_init(&load->loop, (size_t)load->client_count);
    if (error != 0) {
        return fail("watch connections", -error);
    }
    if (!connect_all(load, clients)) {
        return false;
    }
    int64_t start_ns = os_now_ns();
    bool is_done = run_clients(load, clients);
    double seconds = (double)(os_now_ns() - start_ns) / 1e9;
    if (is_done) {
        (void)printf("%" PRId64 " clients done, %" PRIu64 " messages in %.3f s: %.0f messages/s\n",
                     load->done_count, load->message_count, seconds,
                     (double)load->message_count / seconds);
    }
    return is_done;
}

int main(int argc, char **argv) {
    struct load load = {.port = 5000, .client_count = 1000, .number_count = 1000, .batch_size = 5};
    const struct option_spec specs[] = {
        {"port", "NUMBER", "the server's port on this machine", OPTION_INTEGER, &load.port, 1,
         65535, NULL},
        {"clients", "NUMBER", "clients at a time", OPTION_INTEGER, &load.client_count, 1,
         CLIENT_COUNT_MAX, NULL},
        {"numbers", "NUMBER", "numbers that each asks for", OPTION_INTEGER, &load.number_count, 0,
         PROTOCOL_NUMBER_COUNT_MAX, NULL},
        {"batch-size", "NUMBER", "numbers in a message", OPTION_INTEGER, &load.batch_size, 1,
         PROTOCOL_BATCH_SIZE_MAX, NULL},
        {"echo", NULL, "do not compare the checksum", OPTION_FLAG, &load.is_echo, 0, 0, NULL},
    };
    const struct options options = {
        .program = "sequence_load",
        .summary = "Load for the sequence server.",
        .examples = "  sequence_load --port=5000 --clients=1000 --numbers=1000\n",
        .specs = specs,
        .spec_count = sizeof specs / sizeof specs[0],
    };
    int first_argument_index;
    enum options_outcome outcome = options_parse(&options, argc, argv, &first_argument_index);
    if (outcome != OPTIONS_RUN) {
        return outcome == OPTIONS_SHOWN ? EXIT_CODE_OK : EXIT_CODE_USAGE;
    }
    load.reply_capacity = PROTOCOL_NUMBERS_PREFIX_SIZE +
                          PROTOCOL_NUMBER_SIZE_MAX * (size_t)load.batch_size +
                          PROTOCOL_ERROR_SIZE_MAX;
    load.numbers = malloc((size_t)load.batch_size);
    struct client *clients = calloc((size_t)load.client_count, sizeof *clients);
    bool is_done = load.numbers != NULL && clients != NULL && run(&load, clients);
    for (int64_t i = 0; clients != NULL && i < load.client_count; i++) {
        free(clients[i].reply);
    }
    epoll_loop_destroy(&load.loop);
    free(clients);
    free(load.numbers);
    return is_done ? 0 : 1;
}
