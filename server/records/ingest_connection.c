#include "server/records/ingest_connection.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "server/records/json/record_line.h"
#include "server/runtime/listener.h"
#include "server/runtime/os.h"

/* Reads before the other connections have their turn. */
enum { READS_PER_TURN = 4 };

/* So many new records are a batch to begin with. Fewer wait for those of the other connections that
 * have something to read now. */
enum { PUBLISH_COUNT = 64 };

/* Room in the buffer that is worth a look for plain records: many of them. */
enum { PLAIN_ROOM_SIZE = 4096 };

/* Keeps the place among those who wait, or gives it up. A connection that has got room for records
 * and has to wait again goes to the end. */
static void update_waiting(struct ingest_connection *connection, bool has_got_room) {
    struct ingest_queue *waiting = &connection->shared->waiting;
    bool was_waiting = connection->is_waiting;
    connection->is_waiting = !ingest_connection_awaits_client(connection);
    if (was_waiting && connection->is_waiting && !has_got_room) {
        return;
    }
    if (was_waiting) {
        TAILQ_REMOVE(waiting, connection, waiting);
    }
    if (connection->is_waiting) {
        TAILQ_INSERT_TAIL(waiting, connection, waiting);
    }
}

static size_t reply_room(const struct ingest_connection *connection) {
    return sizeof connection->replies - connection->replies_end;
}

/* Whether there is room for an error, and behind it for the last answers: when these are due,
 * nothing is sent before. */
static bool can_reply(const struct ingest_connection *connection) {
    return connection->is_deaf || reply_room(connection) >= 2 * RECORDS_ERROR_LINE_SIZE_MAX +
                                                                RECORDS_STORED_REPLY_SIZE_MAX;
}

static void reply_error(struct ingest_connection *connection, const char *message) {
    connection->shared->error_count++;
    if (!connection->is_deaf) {
        connection->replies_end += record_line_format_error(
            message, connection->replies + connection->replies_end, reply_room(connection));
    }
}

static void reply_stored(struct ingest_connection *connection) {
    uint64_t refused_count =
        record_buffer_refused_count(connection->shared->buffer, connection->number);
    if (refused_count > 0) {
        char message[MESSAGE_SIZE];
        message_format(message, "the store refused %" PRIu64 " records for good", refused_count);
        reply_error(connection, message);
    }
    if (!connection->is_deaf) {
        connection->replies_end += (size_t)snprintf(
            connection->replies + connection->replies_end, reply_room(connection),
            "{\"stored\": %" PRIu64 "}\n", connection->stored_count - refused_count);
    }
}

/* Sends as much as the client takes. */
static void send_replies(struct ingest_connection *connection) {
    /* The last ones, which the end of our side follows at once. */
    bool is_last = connection->state == INGEST_ANSWERING && connection->has_client_ended;
    while (connection->replies_begin < connection->replies_end) {
        const char *bytes = connection->replies + connection->replies_begin;
        size_t left_size = connection->replies_end - connection->replies_begin;
        ssize_t size = is_last ? os_send_before(connection->fd, bytes, left_size)
                               : os_send(connection->fd, bytes, left_size);
        if (size == -EAGAIN) {
            return;
        }
        if (size < 0) {
            connection->is_deaf = true;
            break;
        }
        connection->replies_begin += (size_t)size;
        connection->active_ms = os_now_ms();
    }
    connection->replies_begin = 0;
    connection->replies_end = 0;
}

/* Puts the held record into the buffer. False: there is no room. */
static bool release_held(struct ingest_connection *connection) {
    if (connection->is_holding) {
        if (!record_buffer_push(connection->shared->buffer, &connection->held)) {
            return false;
        }
        connection->is_holding = false;
        connection->stored_count++;
        connection->shared->record_count++;
    }
    return true;
}

/* Takes the next event from the input. False: nothing more can be decoded from it. */
static bool decode_next(struct ingest_connection *connection) {
    struct record_event event;
    record_decoder_next(&connection->decoder, connection->input + connection->input_begin,
                        connection->input_end - connection->input_begin, connection->is_at_end,
                        &event);
    connection->input_begin += event.consumed_size;
    switch (event.kind) {
    case RECORD_EVENT_RECORD:
        connection->held = event.record;
        connection->is_holding = true;
        return true;
    case RECORD_EVENT_ERROR:
        reply_error(connection, event.message);
        return true;
    case RECORD_EVENT_LOST:
        reply_error(connection, event.message);
        connection->is_at_end = true;
        return false;
    case RECORD_EVENT_PARTIAL:
        return false;
    }
    return false;
}

/* Takes the plain records at the front of the input right into the buffer, as far as there is room.
 */
static void take_plain(struct ingest_connection *connection) {
    struct record_lines room;
    if (connection->input_begin < connection->input_end &&
        record_buffer_reserve(connection->shared->buffer, PLAIN_ROOM_SIZE, &room)) {
        connection->input_begin += record_decoder_take_plain(
            &connection->decoder, connection->input + connection->input_begin,
            connection->input_end - connection->input_begin, &room);
        record_buffer_commit(connection->shared->buffer, &room);
        connection->stored_count += room.count;
        connection->shared->record_count += room.count;
    }
}

/* Decodes the input. False: it has to wait, for room in the buffer or for the client to take its
 * answers. */
static bool decode_input(struct ingest_connection *connection) {
    uint64_t count_before = connection->stored_count;
    bool is_more_left = true;
    record_buffer_set_sender(connection->shared->buffer, connection->number);
    bool can_go_on = release_held(connection);
    while (can_go_on && is_more_left) {
        if (!can_reply(connection)) {
            send_replies(connection);
        }
        can_go_on = can_reply(connection);
        if (can_go_on) {
            take_plain(connection);
            is_more_left = decode_next(connection);
            can_go_on = release_held(connection);
        }
    }
    if (connection->stored_count > count_before) {
        connection->position = record_buffer_position(connection->shared->buffer);
    }
    if (connection->stored_count - count_before >= PUBLISH_COUNT) {
        record_buffer_publish(connection->shared->buffer);
    }
    return can_go_on;
}

/* Makes room behind the input that is left, which begins a record. */
static void compact_input(struct ingest_connection *connection) {
    size_t size = connection->input_end - connection->input_begin;
    memmove(connection->input, connection->input + connection->input_begin, size);
    connection->input_begin = 0;
    connection->input_end = size;
}

/* Reads once. False: there is nothing to read now, or nothing will ever follow. */
static bool receive(struct ingest_connection *connection) {
    compact_input(connection);
    ssize_t size = os_recv(connection->fd, connection->input + connection->input_end,
                           RECORDS_INPUT_SIZE - connection->input_end);
    bool is_last_read = connection->shared->is_last_read;
    if (size == -EAGAIN) {
        connection->is_at_end = is_last_read;
        return false;
    }
    if (size < 0) {
        connection->is_deaf = true;
    }
    if (size <= 0) {
        connection->has_client_ended = size == 0;
        connection->is_at_end = true;
        return false;
    }
    connection->input_end += (size_t)size;
    connection->active_ms = os_now_ms();
    if (is_last_read) {
        connection->last_read_size += (size_t)size;
        connection->is_at_end = connection->last_read_size >= RECORDS_LAST_READ_SIZE_MAX;
    }
    return true;
}

/* Reads and decodes by turns. True: the stream is at its end and all of it is in the buffer. */
static bool receive_all(struct ingest_connection *connection) {
    if (!decode_input(connection)) {
        return false;
    }
    for (int count = 0; count < READS_PER_TURN && !connection->is_at_end; count++) {
        bool is_received = receive(connection);
        if ((is_received || connection->is_at_end) && !decode_input(connection)) {
            return false;
        }
        if (!is_received) {
            send_replies(connection);
            break;
        }
    }
    return connection->is_at_end;
}

/* Ends our side, and drops what the client may still send. */
static void linger(struct ingest_connection *connection) {
    char *ignored = connection->input;
    if (connection->has_client_ended) {
        connection->state = INGEST_OVER;
        return;
    }
    if (connection->state != INGEST_LINGERING) {
        connection->state = INGEST_LINGERING;
        (void)shutdown(connection->fd, SHUT_WR);
    }
    for (int count = 0; count < READS_PER_TURN; count++) {
        ssize_t size = os_recv(connection->fd, ignored, RECORDS_INPUT_SIZE);
        /* A server that is about to end waits for nobody who has nothing under way. */
        if (size == -EAGAIN && !connection->shared->is_last_read) {
            return;
        }
        if (size <= 0) {
            connection->state = INGEST_OVER;
            return;
        }
    }
}

short ingest_connection_wanted_events(const struct ingest_connection *connection) {
    bool has_replies = connection->replies_begin < connection->replies_end;
    switch (connection->state) {
    case INGEST_RECEIVING:
        if (connection->is_holding) {
            return 0;
        }
        return (short)((can_reply(connection) ? POLLIN : 0) | (has_replies ? POLLOUT : 0));
    case INGEST_ANSWERING:
        return POLLOUT;
    case INGEST_LINGERING:
        return POLLIN;
    case INGEST_STORING:
    case INGEST_OVER:
        break;
    }
    return 0;
}

bool ingest_connection_advance(struct ingest_connection *connection) {
    uint64_t count_before = connection->stored_count;
    if (connection->state == INGEST_RECEIVING && receive_all(connection)) {
        connection->state = connection->shared->acknowledges ? INGEST_STORING : INGEST_ANSWERING;
    }
    if (connection->state == INGEST_STORING &&
        connection->shared->stored_position >= connection->position) {
        reply_stored(connection);
        connection->state = INGEST_ANSWERING;
    }
    if (connection->state == INGEST_ANSWERING) {
        send_replies(connection);
    }
    bool is_answered = connection->state == INGEST_ANSWERING &&
                       connection->replies_begin == connection->replies_end;
    if (is_answered || connection->state == INGEST_LINGERING) {
        linger(connection);
    }
    if (connection->state == INGEST_OVER) {
        return false;
    }
    update_waiting(connection, connection->stored_count > count_before);
    return true;
}

void ingest_connection_finish(struct ingest_connection *connection, int64_t now_ms) {
    connection->is_at_end = true;
    connection->active_ms = now_ms;
}

void ingest_connection_open(struct ingest_connection *connection, struct ingest_shared *shared,
                            uint16_t number, int fd, char *input, int64_t now_ms) {
    record_buffer_begin_sender(shared->buffer, number);
    connection->shared = shared;
    connection->number = number;
    connection->state = INGEST_RECEIVING;
    connection->fd = fd;
    connection->opened_ms = now_ms;
    connection->active_ms = now_ms;
    connection->is_waiting = false;
    record_decoder_init(&connection->decoder, &shared->decoder_options);
    connection->input = input;
    connection->input_begin = 0;
    connection->input_end = 0;
    connection->is_at_end = false;
    connection->has_client_ended = false;
    connection->last_read_size = 0;
    connection->is_holding = false;
    connection->stored_count = 0;
    connection->position = 0;
    connection->replies_begin = 0;
    connection->replies_end = 0;
    connection->is_deaf = false;
}

void ingest_connection_close(struct ingest_connection *connection) {
    if (connection->state == INGEST_OVER) {
        (void)os_close(connection->fd);
    } else {
        listener_reset_connection(connection->fd);
    }
    record_decoder_destroy(&connection->decoder);
    if (connection->is_waiting) {
        TAILQ_REMOVE(&connection->shared->waiting, connection, waiting);
    }
}

bool ingest_connection_awaits_client(const struct ingest_connection *connection) {
    return connection->state == INGEST_ANSWERING || connection->state == INGEST_LINGERING ||
           (connection->state == INGEST_RECEIVING && !connection->is_holding);
}
