#include "server/station/number_stream.h"

#include <assert.h>
#include <string.h>

#include "server/sessions/randomness.h"
#include "server/station/uuid.h"

_Static_assert((int)UUID_TEXT_LENGTH == (int)CLIENT_ID_LENGTH, "a UUID is a client-id");
_Static_assert((int)LIMIT_NUMBER_COUNT_MAX == (int)SESSION_NUMBER_COUNT_MAX, "a session holds it");

enum { FRAMED_SIZE_MAX = CALL_PREFIX_SIZE + CODEC_NUMBER_SIZE_MAX };

static struct outcome refuse(enum status status, const char *text) {
    return (struct outcome){status, text};
}

static struct outcome judge_store(enum session_store_result result) {
    switch (result) {
    case SESSION_STORE_OK:
        break;
    case SESSION_STORE_EXISTS:
        return refuse(STATUS_ALREADY_EXISTS, "there is a sequence of this id");
    case SESSION_STORE_MISSING:
        return refuse(STATUS_NOT_FOUND, "there is no sequence of this id, or no longer");
    case SESSION_STORE_FULL:
        return refuse(STATUS_RESOURCE_EXHAUSTED, "too many sequences");
    case SESSION_STORE_PEER_FULL:
        return refuse(STATUS_RESOURCE_EXHAUSTED, "too many sequences from your address");
    case SESSION_STORE_UNAVAILABLE:
        return refuse(STATUS_UNAVAILABLE, "the store is out of reach");
    }
    return refuse(STATUS_OK, "");
}

static void enter(struct number_streams *all, struct stream *stream, uint32_t first_index,
                  int64_t now_ms) {
    stream->has_session = true;
    stream->next_index = first_index;
    stream->tick_ms = now_ms;
    stream->keep_ms =
        all->store->keep_interval_ms > 0 ? now_ms + all->store->keep_interval_ms : STREAM_NEVER;
    number_sequence_init(&stream->sequence, stream->session.key);
}

static uint32_t clamp_count(uint64_t count, uint32_t random) {
    return count == 0 ? random % LIMIT_NUMBER_COUNT_MAX + 1 : (uint32_t)count;
}

/* Makes a session of `count` numbers, 0: of a random number of them; and its note, which will be
 * its tombstone. Without the note it stays, and goes when its time is up. */
static struct outcome create(struct number_streams *all, struct stream *stream, uint64_t count,
                             int64_t now_ms) {
    struct session *session = &stream->session;
    uint32_t random;
    if (!randomness_fill(session->key, sizeof session->key) ||
        !randomness_fill(&random, sizeof random)) {
        return refuse(STATUS_UNAVAILABLE, "no random numbers available");
    }
    session->kind = GENERATOR_KEYED;
    session->batch_size = 1;
    session->number_count = clamp_count(count, random);
    enum session_store_result result =
        session_store_create(all->store, session, stream->http2.connection->peer, now_ms);
    if (result != SESSION_STORE_OK) {
        return judge_store(result);
    }
    enter(all, stream, 0, now_ms);
    return judge_store(session_store_write_note(all->store, session->client_id, 0, now_ms));
}

static struct outcome attach(struct number_streams *all, struct stream *stream, int64_t now_ms) {
    char client_id[CLIENT_ID_LENGTH + 1];
    memcpy(client_id, stream->session.client_id, sizeof client_id);
    enum session_store_result result =
        session_store_attach(all->store, client_id, now_ms, &stream->session);
    if (result == SESSION_STORE_OK && stream->session.kind != GENERATOR_KEYED) {
        session_store_detach(all->store, client_id, now_ms);
        result = SESSION_STORE_MISSING; /* a sequence of numbers of another kind */
    }
    if (result == SESSION_STORE_MISSING) {
        memcpy(stream->session.client_id, client_id, sizeof client_id);
    }
    if (result == SESSION_STORE_OK) {
        enter(all, stream, 0, now_ms);
    }
    return judge_store(result);
}

static struct outcome begin_resume(struct number_streams *all, struct stream *stream,
                                   uint64_t first_index, int64_t now_ms) {
    struct outcome outcome = attach(all, stream, now_ms);
    if (outcome.status != STATUS_OK) {
        return outcome;
    }
    if (first_index >= stream->session.number_count) {
        return refuse(STATUS_INVALID_ARGUMENT, "there is no number of this index");
    }
    stream->next_index = (uint32_t)first_index;
    return outcome;
}

/* Goes on where the note says. The last number is sent again to whoever asks: its message carries
 * the checksum, and a client that has got it does not ask. */
static struct outcome go_on(struct number_streams *all, struct stream *stream, int64_t now_ms) {
    uint32_t position = 0;
    enum session_store_result result =
        session_store_read_note(all->store, stream->session.client_id, now_ms, &position);
    if (result == SESSION_STORE_UNAVAILABLE) {
        return judge_store(result);
    }
    uint32_t count = stream->session.number_count;
    stream->next_index = position < count ? position : count > 0 ? count - 1 : 0;
    return judge_store(SESSION_STORE_OK);
}

static struct outcome begin_get_numbers(struct number_streams *all, struct stream *stream,
                                        uint64_t count, int64_t now_ms) {
    struct outcome outcome = attach(all, stream, now_ms);
    if (outcome.status == STATUS_OK) {
        return go_on(all, stream, now_ms);
    }
    if (outcome.status != STATUS_NOT_FOUND) {
        return outcome;
    }
    uint32_t position;
    switch (session_store_read_note(all->store, stream->session.client_id, now_ms, &position)) {
    case SESSION_STORE_OK:
        return refuse(STATUS_NOT_FOUND, "the sequence of this id is stale");
    case SESSION_STORE_UNAVAILABLE:
        return judge_store(SESSION_STORE_UNAVAILABLE);
    case SESSION_STORE_MISSING:
    case SESSION_STORE_EXISTS:
    case SESSION_STORE_FULL:
    case SESSION_STORE_PEER_FULL:
        break;
    }
    return create(all, stream, count, now_ms);
}

struct outcome number_stream_begin(struct number_streams *all, struct stream *stream,
                                   struct wire_bytes request, int64_t now_ms) {
    struct codec_sequence_request fields;
    if (!codec_decode_sequence_request(request, &fields)) {
        return refuse(STATUS_INVALID_ARGUMENT, "malformed request");
    }
    if (!uuid_normalize(fields.client_id, stream->session.client_id)) {
        return refuse(STATUS_INVALID_ARGUMENT, "the id is no UUID");
    }
    if (stream->method == METHOD_RESUME) {
        return begin_resume(all, stream, fields.argument, now_ms);
    }
    if (fields.argument > LIMIT_NUMBER_COUNT_MAX) {
        return refuse(STATUS_INVALID_ARGUMENT, "the count is 65535 at most");
    }
    return stream->method == METHOD_START ? create(all, stream, fields.argument, now_ms)
                                          : begin_get_numbers(all, stream, fields.argument, now_ms);
}

/* Writes a message with its prefix and returns its size. */
static size_t write_message(struct stream *stream, uint32_t index, uint32_t number, uint8_t *room) {
    uint32_t count = stream->session.number_count;
    struct codec_number message = {.index = index, .number = number};
    if (index == count - 1) {
        message.has_checksum = true;
        message.checksum = number_sequence_checksum(&stream->sequence, count);
    }
    size_t size = stream->method == METHOD_GET_NUMBERS
                      ? codec_encode_numbers_response(&message, room + CALL_PREFIX_SIZE)
                      : codec_encode_station_number(&message, room + CALL_PREFIX_SIZE);
    call_write_prefix(size, room);
    return CALL_PREFIX_SIZE + size;
}

/* How many messages fault injection lets through before the one that it does not. */
static uint64_t count_until_failure(const struct number_streams *all) {
    return all->fail_every == 0 ? UINT64_MAX
                                : all->fail_every - 1 - all->message_count % all->fail_every;
}

/* How many messages may be written whole into the room, at once. */
static uint32_t count_whole(const struct number_streams *all, const struct stream *stream,
                            size_t size) {
    uint64_t count = stream->session.number_count - stream->next_index;
    uint64_t until_failure = count_until_failure(all);
    if (all->tick_ms > 0) {
        count = 1;
    }
    if (count > LIMIT_PIECE_NUMBER_COUNT) {
        count = LIMIT_PIECE_NUMBER_COUNT;
    }
    if (count > size / FRAMED_SIZE_MAX) {
        count = size / FRAMED_SIZE_MAX;
    }
    return (uint32_t)(count < until_failure ? count : until_failure);
}

static void advance(struct number_streams *all, struct stream *stream, uint32_t count,
                    int64_t now_ms) {
    stream->next_index += count;
    /* From the time it was due, so that lateness does not add up; but never twice at once. */
    int64_t next_ms = stream->tick_ms + all->tick_ms;
    stream->tick_ms = next_ms > now_ms ? next_ms : now_ms + all->tick_ms;
}

static size_t write_whole(struct number_streams *all, struct stream *stream, uint32_t count,
                          uint8_t *room, int64_t now_ms) {
    uint32_t numbers[LIMIT_PIECE_NUMBER_COUNT];
    size_t size = 0;
    number_sequence_read(&stream->sequence, stream->next_index, numbers, count);
    for (uint32_t index = 0; index < count; index++) {
        size += write_message(stream, stream->next_index + index, numbers[index], room + size);
    }
    all->message_count += count;
    advance(all, stream, count, now_ms);
    return size;
}

/* Writes as much of one message as there is room for, with a window of a few bytes. */
static size_t write_piece(struct number_streams *all, struct stream *stream, uint8_t *room,
                          size_t size, int64_t now_ms) {
    uint8_t message[FRAMED_SIZE_MAX];
    uint32_t number;
    number_sequence_read(&stream->sequence, stream->next_index, &number, 1);
    size_t left_size =
        write_message(stream, stream->next_index, number, message) - stream->sent_size;
    all->message_count += stream->sent_size == 0 ? 1 : 0;
    size_t piece_size = size < left_size ? size : left_size;
    memcpy(room, message + stream->sent_size, piece_size);
    stream->sent_size += piece_size;
    if (piece_size == left_size) {
        stream->sent_size = 0;
        advance(all, stream, 1, now_ms);
    }
    return piece_size;
}

static size_t produce(struct number_streams *all, struct stream *stream, uint8_t *room, size_t size,
                      int64_t now_ms, enum http2_produced *produced) {
    if (stream->next_index == stream->session.number_count) {
        stream->http2.outcome = refuse(STATUS_OK, "");
        *produced = HTTP2_PRODUCED_ALL;
        return 0;
    }
    if (stream->sent_size > 0) {
        return write_piece(all, stream, room, size, now_ms);
    }
    if (stream->tick_ms > now_ms && all->tick_ms > 0) {
        *produced = HTTP2_PRODUCED_WAIT;
        return 0;
    }
    if (count_until_failure(all) == 0) {
        all->message_count++;
        stream->is_failed = true;
        stream->http2.outcome = refuse(STATUS_UNAVAILABLE, "fault injected");
        *produced = HTTP2_PRODUCED_ALL;
        return 0;
    }
    uint32_t whole_count = count_whole(all, stream, size);
    return whole_count > 0 ? write_whole(all, stream, whole_count, room, now_ms)
                           : write_piece(all, stream, room, size, now_ms);
}

size_t number_stream_produce(struct number_streams *all, struct stream *stream, uint8_t *room,
                             size_t size, int64_t now_ms, enum http2_produced *produced) {
    uint32_t first_index = stream->next_index;
    size_t produced_size = 0;
    *produced = HTTP2_PRODUCED_PART;
    /* A message is cut only where it does not fit into a frame of its own. */
    while (*produced == HTTP2_PRODUCED_PART && size > produced_size &&
           (produced_size == 0 || size - produced_size >= FRAMED_SIZE_MAX)) {
        produced_size +=
            produce(all, stream, room + produced_size, size - produced_size, now_ms, produced);
    }
    if (stream->method == METHOD_GET_NUMBERS && stream->next_index != first_index) {
        /* Where that fails a client that comes back gets some numbers again. */
        (void)session_store_write_note(all->store, stream->session.client_id, stream->next_index,
                                       now_ms);
    }
    return produced_size;
}

void number_stream_end(struct number_streams *all, struct stream *stream, int64_t now_ms) {
    if (stream->has_session) {
        session_store_detach(all->store, stream->session.client_id, now_ms);
    }
    stream->has_session = false;
}
