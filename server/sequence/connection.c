#include "server/sequence/connection.h"

#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "server/runtime/listener.h"
#include "server/runtime/os.h"
#include "server/sequence/protocol.h"

static int64_t earlier(int64_t one_ms, int64_t other_ms) {
    return one_ms < other_ms ? one_ms : other_ms;
}

void connection_begin(struct connection *connection,
                      const struct connection_configuration *configuration, int fd, uint64_t peer,
                      int64_t now_ms) {
    connection->configuration = configuration;
    connection->fd = fd;
    connection->is_lingering = false;
    connection->is_turn_over = false;
    connection->is_input_ended = false;
    connection->is_given_up = false;
    connection->status = CONVERSATION_WANTS_INPUT;
    connection->begun_ms = now_ms;
    connection->active_ms = now_ms;
    connection->keep_ms = now_ms + configuration->conversation->store->keep_interval_ms;
    connection->input_size = 0;
    connection->output_start = 0;
    connection->output_size = 0;
    conversation_begin(&connection->conversation, configuration->conversation, peer);
}

void connection_refuse(struct connection *connection,
                       const struct connection_configuration *configuration, int fd,
                       const char *text, int64_t now_ms) {
    connection_begin(connection, configuration, fd, 0, now_ms);
    connection->output_size = protocol_write_error(text, connection->output);
    connection->status = CONVERSATION_OVER;
    conversation_end(&connection->conversation, now_ms);
}

static bool is_over(const struct connection *connection) {
    return connection->status == CONVERSATION_OVER || connection->status == CONVERSATION_BROKEN;
}

static bool has_output(const struct connection *connection) {
    return connection->output_start < connection->output_size;
}

/* Sends what there is, as far as the socket takes it. False: the connection is lost. */
static bool send_output(struct connection *connection, int64_t now_ms) {
    while (has_output(connection)) {
        ssize_t size = os_send(connection->fd, connection->output + connection->output_start,
                               connection->output_size - connection->output_start);
        if (size < 0) {
            return size == -EAGAIN;
        }
        connection->output_start += (size_t)size;
    }
    if (connection->output_size > 0) {
        connection->active_ms = now_ms;
    }
    connection->output_start = 0;
    connection->output_size = 0;
    return true;
}

/* Lets the conversation answer into the empty output buffer. */
static void run_conversation(struct connection *connection, int64_t now_ms) {
    bool was_ticking = connection->status == CONVERSATION_WANTS_TICK;
    struct conversation_buffers buffers = {
        .input = connection->input,
        .input_size = connection->input_size,
        .output = connection->output,
        .output_size = LIMIT_OUTPUT_SIZE,
    };
    uint32_t request_count = connection->conversation.request_count;
    connection->status = conversation_run(&connection->conversation, &buffers, now_ms);
    if (connection->conversation.request_count != request_count) {
        connection->active_ms = now_ms;
    }
    connection->output_size = LIMIT_OUTPUT_SIZE - buffers.output_size;
    memmove(connection->input, buffers.input, buffers.input_size);
    connection->input_size = buffers.input_size;
    if (connection->status == CONVERSATION_WANTS_TICK && !was_ticking) {
        connection->tick_ms = now_ms + connection->configuration->tick_ms;
    }
}

/* What follows when the conversation is over and its last byte sent. */
static enum connection_outcome begin_lingering(struct connection *connection, int64_t now_ms) {
    conversation_end(&connection->conversation, now_ms);
    if (connection->status == CONVERSATION_BROKEN) {
        return CONNECTION_FAILED;
    }
    if (connection->is_input_ended || shutdown(connection->fd, SHUT_WR) != 0) {
        return CONNECTION_FINISHED;
    }
    connection->is_lingering = true;
    connection->linger_ms = now_ms + LIMIT_LINGER_MS;
    return CONNECTION_OPEN;
}

/* Goes on with the conversation until it waits for something, or its turn is over. */
static enum connection_outcome advance(struct connection *connection, int64_t now_ms) {
    for (int fill_count = 0;; fill_count++) {
        if (!send_output(connection, now_ms)) {
            return CONNECTION_FINISHED;
        }
        if (has_output(connection)) {
            return CONNECTION_OPEN;
        }
        if (is_over(connection)) {
            return begin_lingering(connection, now_ms);
        }
        connection->is_turn_over = fill_count == LIMIT_FILLS_PER_TURN;
        if (connection->is_turn_over) {
            return CONNECTION_OPEN;
        }
        run_conversation(connection, now_ms);
        if (!has_output(connection) && !is_over(connection)) {
            break;
        }
    }
    bool is_done = connection->is_input_ended && connection->status == CONVERSATION_WANTS_INPUT;
    return is_done ? CONNECTION_FINISHED : CONNECTION_OPEN;
}

/* Reads once. False: the connection is lost. */
static bool receive_input(struct connection *connection) {
    size_t room = LIMIT_INPUT_SIZE - connection->input_size;
    if (room == 0 || connection->is_input_ended) {
        return true;
    }
    ssize_t size = os_recv(connection->fd, connection->input + connection->input_size, room);
    if (size < 0) {
        return size == -EAGAIN;
    }
    connection->is_input_ended = size == 0;
    connection->input_size += (size_t)size;
    return true;
}

static enum connection_outcome discard_input(struct connection *connection) {
    ssize_t size = os_recv(connection->fd, connection->input, LIMIT_INPUT_SIZE);
    return size > 0 || size == -EAGAIN ? CONNECTION_OPEN : CONNECTION_FINISHED;
}

enum connection_outcome connection_handle_events(struct connection *connection, short events,
                                                 int64_t now_ms) {
    if (connection->is_lingering) {
        return discard_input(connection);
    }
    bool may_read = (events & (POLLIN | POLLHUP | POLLERR)) != 0 && !is_over(connection);
    if (may_read && !receive_input(connection)) {
        return CONNECTION_FINISHED;
    }
    return advance(connection, now_ms);
}

/* Whether it is the server that is silent, with nothing left that the client has not taken. */
static bool is_awaiting_tick(const struct connection *connection) {
    return connection->status == CONVERSATION_WANTS_TICK && !has_output(connection);
}

static int64_t idle_deadline_ms(const struct connection *connection) {
    int64_t timeout_ms = connection->configuration->idle_timeout_ms;
    if (timeout_ms == 0 || is_awaiting_tick(connection)) {
        return INT64_MAX;
    }
    return connection->active_ms + timeout_ms;
}

/* A client that says nothing of use must not have a place for long. */
static int64_t opening_deadline_ms(const struct connection *connection) {
    return connection->conversation.has_session || is_over(connection)
               ? INT64_MAX
               : connection->begun_ms + LIMIT_OPENING_MS;
}

static int64_t session_deadline_ms(const struct connection *connection) {
    int64_t timeout_ms = connection->configuration->session_timeout_ms;
    return timeout_ms == 0 ? INT64_MAX : connection->begun_ms + timeout_ms;
}

static int64_t keep_deadline_ms(const struct connection *connection) {
    bool is_needed = connection->configuration->conversation->store->keep_interval_ms > 0 &&
                     connection->conversation.has_session;
    return is_needed ? connection->keep_ms : INT64_MAX;
}

static int64_t tick_deadline_ms(const struct connection *connection) {
    return is_awaiting_tick(connection) ? connection->tick_ms : INT64_MAX;
}

int64_t connection_deadline_ms(const struct connection *connection) {
    if (connection->is_lingering) {
        return connection->linger_ms;
    }
    int64_t end_ms = earlier(opening_deadline_ms(connection), session_deadline_ms(connection));
    return earlier(earlier(idle_deadline_ms(connection), end_ms),
                   earlier(keep_deadline_ms(connection), tick_deadline_ms(connection)));
}

enum connection_outcome connection_handle_time(struct connection *connection, int64_t now_ms) {
    if (connection->is_lingering) {
        connection->is_given_up = connection->linger_ms <= now_ms;
    } else {
        connection->is_given_up = idle_deadline_ms(connection) <= now_ms ||
                                  opening_deadline_ms(connection) <= now_ms ||
                                  session_deadline_ms(connection) <= now_ms;
    }
    if (connection->is_given_up || connection->is_lingering) {
        return connection->is_given_up ? CONNECTION_FINISHED : CONNECTION_OPEN;
    }
    if (keep_deadline_ms(connection) <= now_ms) {
        struct session_store *store = connection->configuration->conversation->store;
        session_store_keep(store, connection->conversation.session.client_id);
        connection->keep_ms = now_ms + store->keep_interval_ms;
    }
    if (tick_deadline_ms(connection) <= now_ms) {
        /* From the time it was due, so that lateness does not add up; but never twice at once. */
        int64_t next_ms = connection->tick_ms + connection->configuration->tick_ms;
        conversation_tick(&connection->conversation);
        connection->active_ms = now_ms; /* the silence until now was the server's */
        enum connection_outcome outcome = advance(connection, now_ms);
        connection->tick_ms =
            next_ms > now_ms ? next_ms : now_ms + connection->configuration->tick_ms;
        return outcome;
    }
    return CONNECTION_OPEN;
}

short connection_wanted_events(const struct connection *connection) {
    if (connection->is_lingering) {
        return POLLIN;
    }
    short events = has_output(connection) || connection->is_turn_over ? POLLOUT : 0;
    bool has_room = connection->input_size < LIMIT_INPUT_SIZE;
    if (has_room && !connection->is_input_ended && !is_over(connection)) {
        events = (short)(events | POLLIN);
    }
    return events;
}

void connection_end(struct connection *connection, int64_t now_ms) {
    int unsent_size = 0;
    conversation_end(&connection->conversation, now_ms);
    bool has_unsent = has_output(connection) ||
                      (ioctl(connection->fd, SIOCOUTQ, &unsent_size) == 0 && unsent_size > 0);
    if (connection->is_given_up && has_unsent) {
        /* Or the kernel keeps it for a client that may never take it. */
        listener_reset_connection(connection->fd);
    } else {
        (void)os_close(connection->fd);
    }
}
