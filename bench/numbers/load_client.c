#include "bench/numbers/load_client.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/numbers/load_connect.h"
#include "server/runtime/os.h"

/* With a rate limit, a share of it is sent together this often: smooth, and cheap enough. */
enum { RATE_STEPS_PER_SECOND = 1000 };

enum connection_state {
    CONNECTION_SENDING,
    CONNECTION_WAITING, /* half-closed; the server's end is awaited */
    CONNECTION_ENDED,
};

struct connection {
    int fd;
    enum connection_state state;
    bool starved; /* its source or the rate limit gives nothing at the moment */
    struct load_cursor cursor;
    struct load_chunk chunk;
    size_t chunk_sent_size;
    uint64_t sent_bytes;
    uint64_t sent_lines;
};

struct client {
    const struct load_client_options *options;
    struct load_client_result *result;
    struct load_source source;
    struct addrinfo *addresses; /* of the server; NULL before they are known */
    struct connection *connections;
    struct pollfd *pollfds; /* one a connection, and one for the source's file */
    uint32_t connection_count;
    uint32_t open_count;
    uint32_t first_index; /* who is served first in this round: it moves on, for fairness */
    uint64_t taken_lines; /* from the source, for the rate limit */
    int64_t start_ns;
    int64_t now_ns;        /* when the last poll returned */
    int64_t last_event_ns; /* when something last happened on a connection */
    int64_t last_end_ns;
};

/* Books the end of a connection under one of the result's counts. */
static void connection_end(struct client *client, struct connection *connection, uint32_t *count,
                           int error) {
    (*count)++;
    if (error != 0) {
        client->result->last_error = error;
    }
    client->result->sent_bytes += connection->sent_bytes;
    client->result->sent_lines += connection->sent_lines;
    if (connection->fd >= 0) {
        (void)close(connection->fd);
    }
    connection->fd = -1;
    connection->state = CONNECTION_ENDED;
    client->open_count--;
    client->last_end_ns = os_now_ns();
}

static void connection_fail(struct client *client, struct connection *connection, int error) {
    struct load_client_result *result = client->result;
    bool refused = connection->fd < 0 || connection->sent_bytes == 0;
    connection_end(client, connection, refused ? &result->refused_count : &result->reset_count,
                   error);
}

/* Everything of this connection is sent: tell the server so, and wait for its end. */
static void connection_finish_sending(struct client *client, struct connection *connection) {
    if (shutdown(connection->fd, SHUT_WR) != 0) {
        connection_fail(client, connection, errno);
        return;
    }
    connection->state = CONNECTION_WAITING;
}

/* How many lines the rate limit allows to take now; SIZE_MAX without a limit. */
static size_t rate_allowance(const struct client *client) {
    uint64_t rate = client->options->rate;
    if (rate == 0) {
        return SIZE_MAX;
    }
    double due = (double)(client->now_ns - client->start_ns) / 1e9 * (double)rate + 1;
    double allowed = due - (double)client->taken_lines;
    double step = (double)(rate / RATE_STEPS_PER_SECOND);
    return allowed < 1 || allowed < step ? 0 : (size_t)allowed;
}

/* Gets the next chunk. Returns false when the connection has nothing to send now. */
static bool connection_refill(struct client *client, struct connection *connection,
                              enum load_client_status *status) {
    size_t allowance = rate_allowance(client);
    connection->starved = allowance == 0;
    if (allowance == 0) {
        return false;
    }

    connection->chunk.size = 0;
    connection->chunk_sent_size = 0;
    switch (load_source_next(&client->source, &connection->cursor, allowance, &connection->chunk)) {
    case LOAD_SOURCE_CHUNK:
        client->taken_lines += connection->chunk.line_count;
        return true;
    case LOAD_SOURCE_WAIT:
        connection->starved = true;
        return false;
    case LOAD_SOURCE_FAILED:
        *status = LOAD_CLIENT_SOURCE_FAILED;
        return false;
    case LOAD_SOURCE_END:
        break;
    }
    connection_finish_sending(client, connection);
    return false;
}

/* Sends one chunk at most, so that the connections take turns. */
static void connection_send(struct client *client, struct connection *connection,
                            enum load_client_status *status) {
    struct load_chunk *chunk = &connection->chunk;
    if (connection->chunk_sent_size == chunk->size &&
        !connection_refill(client, connection, status)) {
        return;
    }
    while (connection->chunk_sent_size < chunk->size) {
        size_t size = chunk->size - connection->chunk_sent_size;
        if (size > client->options->send_size) {
            size = client->options->send_size;
        }
        ssize_t sent = os_send(connection->fd, chunk->data + connection->chunk_sent_size, size);
        if (sent < 0) {
            if (sent != -EAGAIN) {
                connection_fail(client, connection, (int)-sent);
            }
            return;
        }
        connection->chunk_sent_size += (size_t)sent;
        connection->sent_bytes += (uint64_t)sent;
    }
    connection->sent_lines += chunk->line_count;
}

/* The server never sends data; what becomes readable is the end of the connection. */
static void connection_read(struct client *client, struct connection *connection) {
    char ignored[256];
    ssize_t got = os_recv(connection->fd, ignored, sizeof ignored);
    if (got > 0 || got == -EAGAIN) {
        return;
    }
    if (got == 0 && connection->state == CONNECTION_WAITING) {
        client->result->confirmed_lines += connection->sent_lines;
        connection_end(client, connection, &client->result->confirmed_count, 0);
        return;
    }
    /* An orderly end in the middle of our sending confirms nothing. */
    connection_fail(client, connection, got == 0 ? ECONNRESET : (int)-got);
}

/* Makes all connections. One that cannot be made is booked as refused. */
static enum load_client_status client_connect(struct client *client) {
    char port[8];
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    (void)snprintf(port, sizeof port, "%u", (unsigned)client->options->port);
    if (getaddrinfo(client->options->host, port, &hints, &client->addresses) != 0) {
        return LOAD_CLIENT_NO_SUCH_HOST;
    }
    client->start_ns = os_now_ns();
    for (uint32_t i = 0; i < client->connection_count; i++) {
        struct connection *connection = &client->connections[i];
        connection->fd = load_connect(client->addresses);
        if (connection->fd < 0) {
            connection_fail(client, connection, errno);
        }
    }
    client->now_ns = client->last_event_ns = os_now_ns();
    return LOAD_CLIENT_DONE;
}

/*
 * Fills the poll set: every open connection, and the source's file while someone waits for it.
 * Returns whether someone does.
 */
static bool client_prepare_poll(struct client *client) {
    bool file_awaited = false;
    for (uint32_t i = 0; i < client->connection_count; i++) {
        const struct connection *connection = &client->connections[i];
        bool wants_to_send = connection->state == CONNECTION_SENDING && !connection->starved;
        client->pollfds[i] = (struct pollfd){
            .fd = connection->fd, .events = (short)(wants_to_send ? POLLIN | POLLOUT : POLLIN)};
        if (connection->state == CONNECTION_SENDING && connection->starved) {
            file_awaited = client->options->source.from_fd >= 0;
        }
    }
    client->pollfds[client->connection_count] = (struct pollfd){
        .fd = file_awaited ? client->options->source.from_fd : -1, .events = POLLIN};
    return file_awaited;
}

static int client_poll_timeout_ms(const struct client *client) {
    uint64_t rate = client->options->rate;
    if (rate > 0) {
        return rate >= RATE_STEPS_PER_SECOND ? 1 : (int)(RATE_STEPS_PER_SECOND / rate);
    }
    return client->options->timeout_ms > 0 ? (int)client->options->timeout_ms : -1;
}

/* Acts on what poll reported. */
static void client_serve(struct client *client, enum load_client_status *status) {
    for (uint32_t n = 0; n < client->connection_count; n++) {
        uint32_t i = (client->first_index + n) % client->connection_count;
        struct connection *connection = &client->connections[i];
        short events = client->pollfds[i].revents;

        if (events != 0) {
            client->last_event_ns = client->now_ns;
        }
        if ((events & (POLLIN | POLLHUP | POLLERR)) != 0) {
            connection_read(client, connection);
        }
        if (connection->state == CONNECTION_SENDING &&
            (connection->starved || (events & POLLOUT) != 0)) {
            connection_send(client, connection, status);
        }
    }
    client->first_index++;
}

static void client_give_up(struct client *client) {
    for (uint32_t i = 0; i < client->connection_count; i++) {
        struct connection *connection = &client->connections[i];
        if (connection->state != CONNECTION_ENDED) {
            connection_end(client, connection, &client->result->timed_out_count, ETIMEDOUT);
        }
    }
}

static void client_report_progress(const struct client *client) {
    uint64_t lines = client->result->sent_lines;
    for (uint32_t i = 0; i < client->connection_count; i++) {
        if (client->connections[i].state != CONNECTION_ENDED) {
            lines += client->connections[i].sent_lines;
        }
    }
    progress_update(client->options->progress, lines);
}

static enum load_client_status client_loop(struct client *client) {
    int64_t timeout_ns = (int64_t)client->options->timeout_ms * 1000000;
    enum load_client_status status = LOAD_CLIENT_DONE;
    while (client->open_count > 0 && status == LOAD_CLIENT_DONE) {
        bool file_awaited = client_prepare_poll(client);
        int ready = os_poll(client->pollfds, client->connection_count + 1,
                            file_awaited ? -1 : client_poll_timeout_ms(client));
        if (ready < 0) {
            errno = -ready;
            return LOAD_CLIENT_POLL_FAILED;
        }
        client->now_ns = os_now_ns();
        client_serve(client, &status);
        if (file_awaited) {
            client->last_event_ns = client->now_ns;
        }
        if (timeout_ns > 0 && client->now_ns - client->last_event_ns >= timeout_ns) {
            client_give_up(client);
        }
        client_report_progress(client);
    }
    return status;
}

static void client_close(struct client *client) {
    for (uint32_t i = 0; i < client->connection_count; i++) {
        if (client->connections[i].fd >= 0) {
            (void)close(client->connections[i].fd);
        }
        load_cursor_close(&client->connections[i].cursor);
    }
    load_source_close(&client->source);
    if (client->addresses != NULL) {
        freeaddrinfo(client->addresses);
    }
    free(client->connections);
    free(client->pollfds);
}

/* Allocates everything. Returns 0 or ENOMEM; client_close is due in both cases. */
static int client_open(struct client *client, const struct load_client_options *options) {
    uint32_t count = options->source.cursor_count;
    client->connections = calloc(count, sizeof *client->connections);
    client->pollfds = calloc((size_t)count + 1, sizeof *client->pollfds);
    if (client->connections == NULL || client->pollfds == NULL) {
        return ENOMEM;
    }
    client->connection_count = client->open_count = count;
    for (uint32_t i = 0; i < count; i++) {
        client->connections[i].fd = -1;
    }
    int error = load_source_open(&client->source, &options->source);
    for (uint32_t i = 0; i < count && error == 0; i++) {
        error = load_cursor_open(&client->connections[i].cursor, &client->source, i);
    }
    return error;
}

enum load_client_status load_client_run(const struct load_client_options *options,
                                        struct load_client_result *result) {
    struct client client = {.options = options, .result = result};
    enum load_client_status status = LOAD_CLIENT_NO_MEMORY;
    *result = (struct load_client_result){0};
    if (client_open(&client, options) == 0) {
        status = client_connect(&client);
        if (status == LOAD_CLIENT_DONE) {
            status = client_loop(&client);
        }
        if (status == LOAD_CLIENT_DONE && options->terminate) {
            result->terminate_error = load_terminate(client.addresses, options->timeout_ms);
        }
        result->seconds = (double)(client.last_end_ns - client.start_ns) / 1e9;
    }
    client_close(&client);
    return status;
}
