#include "server/station/services.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "server/station/reflection.h"

_Static_assert(offsetof(struct stream, http2) == 0, "a pointer to one is a pointer to the other");

static const struct outcome outcome_ok = {STATUS_OK, ""};
static const struct outcome outcome_shutdown = {STATUS_UNAVAILABLE, "shutting down"};
static const struct outcome outcome_offline = {STATUS_UNAVAILABLE, "offline"};

static struct stream *stream_of(struct http2_stream *http2) {
    return (struct stream *)http2;
}

static uint32_t index_of(const struct services *services, const struct stream *stream) {
    return (uint32_t)(stream - services->streams);
}

static int64_t earlier(int64_t one_ms, int64_t other_ms) {
    return one_ms < other_ms ? one_ms : other_ms;
}

static int64_t add_time(int64_t now_ms, int64_t delay_ms) {
    return delay_ms < INT64_MAX - now_ms ? now_ms + delay_ms : STREAM_NEVER;
}

/* A deadline that moved later is left in the heap: when it comes there is nothing to do. */
static void arm(struct services *services, struct stream *stream, int64_t deadline_ms) {
    if (deadline_ms < stream->armed_ms) {
        stream->armed_ms = deadline_ms;
        deadline_heap_set(&services->deadlines, index_of(services, stream), deadline_ms);
    }
}

static struct http2_stream *open_stream(void *context) {
    struct services *services = context;
    if (services->free_count == 0) {
        return NULL;
    }
    struct stream *stream = &services->streams[services->free_streams[--services->free_count]];
    stream->method = METHOD_UNKNOWN;
    stream->client_deadline_ms = STREAM_NEVER;
    stream->deadline_ms = services->now_ms + LIMIT_REQUEST_MS;
    stream->armed_ms = STREAM_NEVER;
    stream->sent_size = 0;
    stream->has_session = false;
    stream->is_failed = false;
    stream->next_index = 0;
    stream->tick_ms = STREAM_NEVER;
    stream->keep_ms = STREAM_NEVER;
    stream->has_told = false;
    arm(services, stream, stream->deadline_ms);
    return &stream->http2;
}

static struct outcome accept_call(void *context, struct http2_stream *http2) {
    struct services *services = context;
    struct stream *stream = stream_of(http2);
    if (services->now_ms < services->online_ms) {
        return outcome_offline;
    }
    stream->method = method_find(http2->call.path);
    if (stream->method == METHOD_UNKNOWN) {
        return (struct outcome){STATUS_UNIMPLEMENTED, "unknown method"};
    }
    http2->is_bidirectional = method_is_bidirectional(stream->method);
    stream->client_deadline_ms = add_time(services->now_ms, http2->call.timeout_ms);
    stream->deadline_ms = http2->is_bidirectional
                              ? stream->client_deadline_ms
                              : earlier(stream->client_deadline_ms, stream->deadline_ms);
    arm(services, stream, stream->deadline_ms);
    return outcome_ok;
}

static struct outcome begin_health(struct stream *stream, struct wire_bytes message) {
    struct wire_bytes service;
    if (!codec_decode_health_request(message, &service)) {
        return (struct outcome){STATUS_INVALID_ARGUMENT, "malformed request"};
    }
    stream->is_known_service = method_is_service(service);
    return stream->method == METHOD_HEALTH_CHECK && !stream->is_known_service
               ? (struct outcome){STATUS_NOT_FOUND, "unknown service"}
               : outcome_ok;
}

static struct outcome begin_call(void *context, struct http2_stream *http2,
                                 struct wire_bytes message) {
    struct services *services = context;
    struct stream *stream = stream_of(http2);
    stream->deadline_ms = stream->client_deadline_ms;
    if (stream->method == METHOD_HEALTH_CHECK || stream->method == METHOD_HEALTH_WATCH) {
        return begin_health(stream, message);
    }
    struct outcome outcome =
        number_stream_begin(&services->numbers, stream, message, services->now_ms);
    arm(services, stream, earlier(stream->deadline_ms, stream->keep_ms));
    return outcome;
}

static size_t finish(struct stream *stream, struct outcome outcome, enum http2_produced *produced) {
    stream->http2.outcome = outcome;
    *produced = HTTP2_PRODUCED_ALL;
    return 0;
}

/* Sends what there is room for of a message that may not fit; *is_whole says whether that was the
 * end of it. */
static size_t send_piece(struct stream *stream, const uint8_t *message, size_t message_size,
                         uint8_t *room, size_t size, bool *is_whole) {
    size_t left_size = message_size - stream->sent_size;
    size_t piece_size = size < left_size ? size : left_size;
    memcpy(room, message + stream->sent_size, piece_size);
    stream->sent_size += piece_size;
    *is_whole = piece_size == left_size;
    if (*is_whole) {
        stream->sent_size = 0;
    }
    return piece_size;
}

static enum codec_health find_health(const struct services *services, const struct stream *stream) {
    if (!stream->is_known_service) {
        return CODEC_HEALTH_SERVICE_UNKNOWN;
    }
    return services->is_draining ? CODEC_HEALTH_NOT_SERVING : CODEC_HEALTH_SERVING;
}

static size_t produce_health(struct services *services, struct stream *stream, uint8_t *room,
                             size_t size, enum http2_produced *produced) {
    uint8_t message[CALL_PREFIX_SIZE + CODEC_HEALTH_SIZE_MAX];
    bool is_watch = stream->method == METHOD_HEALTH_WATCH;
    if (stream->sent_size == 0) {
        enum codec_health health = find_health(services, stream);
        if (stream->has_told && !is_watch) {
            return finish(stream, outcome_ok, produced);
        }
        if (stream->has_told && stream->health == health) {
            *produced = HTTP2_PRODUCED_WAIT;
            return 0;
        }
        stream->health = health;
    }
    size_t message_size = codec_encode_health_response(stream->health, message + CALL_PREFIX_SIZE);
    call_write_prefix(message_size, message);
    bool is_whole;
    size_t piece_size =
        send_piece(stream, message, CALL_PREFIX_SIZE + message_size, room, size, &is_whole);
    stream->has_told = stream->has_told || is_whole;
    return piece_size;
}

static size_t produce_reflection(struct stream *stream, uint8_t *room, size_t size,
                                 enum http2_produced *produced) {
    static const struct outcome malformed = {STATUS_INVALID_ARGUMENT, "malformed request"};
    uint8_t answer[CALL_PREFIX_SIZE + REFLECTION_ANSWER_SIZE_MAX];
    struct http2_stream *http2 = &stream->http2;
    struct wire_bytes question;
    struct outcome outcome;
    switch (call_peek_message(&http2->call, &question, &outcome)) {
    case CALL_MESSAGE_BAD:
        return finish(stream, outcome, produced);
    case CALL_MESSAGE_PARTIAL:
        if (!http2->call.is_input_ended) {
            *produced = HTTP2_PRODUCED_WAIT;
            return 0;
        }
        return finish(stream, http2->call.input_size == 0 ? outcome_ok : malformed, produced);
    case CALL_MESSAGE_COMPLETE:
        break;
    }
    size_t answer_size;
    if (!reflection_answer(question, answer + CALL_PREFIX_SIZE, &answer_size)) {
        return finish(stream, malformed, produced);
    }
    call_write_prefix(answer_size, answer);
    bool is_whole;
    size_t piece_size =
        send_piece(stream, answer, CALL_PREFIX_SIZE + answer_size, room, size, &is_whole);
    if (is_whole) {
        http2_note_taken_input(http2, call_drop_message(&http2->call));
    }
    return piece_size;
}

static size_t produce_numbers(struct services *services, struct stream *stream, uint8_t *room,
                              size_t size, enum http2_produced *produced) {
    size_t produced_size =
        number_stream_produce(&services->numbers, stream, room, size, services->now_ms, produced);
    if (stream->is_failed) {
        services->online_ms = services->now_ms + services->offline_ms;
    }
    if (*produced == HTTP2_PRODUCED_WAIT) {
        arm(services, stream, stream->tick_ms);
    }
    return produced_size;
}

static size_t produce(void *context, struct http2_stream *http2, uint8_t *room, size_t size,
                      enum http2_produced *produced) {
    struct services *services = context;
    struct stream *stream = stream_of(http2);
    if (services->now_ms < services->online_ms && stream->sent_size == 0) {
        return finish(stream, outcome_offline, produced);
    }
    switch (stream->method) {
    case METHOD_GET_NUMBERS:
    case METHOD_START:
    case METHOD_RESUME:
        return produce_numbers(services, stream, room, size, produced);
    case METHOD_HEALTH_CHECK:
    case METHOD_HEALTH_WATCH:
        return produce_health(services, stream, room, size, produced);
    case METHOD_REFLECTION:
        return produce_reflection(stream, room, size, produced);
    case METHOD_UNKNOWN:
        break;
    }
    return finish(stream, (struct outcome){STATUS_INTERNAL, "no such method"}, produced);
}

static void close_stream(void *context, struct http2_stream *http2) {
    struct services *services = context;
    struct stream *stream = stream_of(http2);
    number_stream_end(&services->numbers, stream, services->now_ms);
    deadline_heap_clear(&services->deadlines, index_of(services, stream));
    services->free_streams[services->free_count++] = index_of(services, stream);
    http2->connection = NULL;
}

const struct http2_handlers services_handlers = {
    .open = open_stream,
    .accept = accept_call,
    .begin = begin_call,
    .produce = produce,
    .close = close_stream,
};

int services_init(struct services *services, const struct services_configuration *configuration) {
    size_t count = configuration->stream_count_max;
    *services = (struct services){
        .numbers = {.store = configuration->store,
                    .tick_ms = configuration->tick_ms,
                    .fail_every = configuration->fail_every},
        .offline_ms = configuration->offline_ms,
        .streams = calloc(count, sizeof *services->streams),
        .free_streams = calloc(count, sizeof *services->free_streams),
        .stream_count_max = count,
    };
    if (services->streams == NULL || services->free_streams == NULL) {
        return -ENOMEM;
    }
    /* The lowest index is taken first, so few streams touch few pages. */
    for (size_t index = 0; index < count; index++) {
        services->free_streams[services->free_count++] = (uint32_t)(count - 1 - index);
    }
    return deadline_heap_init(&services->deadlines, count);
}

void services_destroy(struct services *services) {
    deadline_heap_destroy(&services->deadlines);
    free(services->streams);
    free(services->free_streams);
    *services = (struct services){0};
}

struct http2_connection *services_handle_due(struct services *services) {
    uint32_t index;
    if (!deadline_heap_take_due(&services->deadlines, services->now_ms, &index)) {
        return NULL;
    }
    struct stream *stream = &services->streams[index];
    int64_t now_ms = services->now_ms;
    stream->armed_ms = STREAM_NEVER;
    if (stream->deadline_ms <= now_ms) {
        http2_end_stream(&stream->http2,
                         (struct outcome){STATUS_DEADLINE_EXCEEDED, "the deadline has passed"});
        return stream->http2.connection;
    }
    if (stream->keep_ms <= now_ms) {
        session_store_keep(services->numbers.store, stream->session.client_id);
        stream->keep_ms = now_ms + services->numbers.store->keep_interval_ms;
    }
    arm(services, stream, earlier(stream->deadline_ms, stream->keep_ms));
    if (stream->tick_ms <= now_ms) {
        http2_resume(&stream->http2);
    } else if (stream->tick_ms != STREAM_NEVER) {
        arm(services, stream, stream->tick_ms);
    }
    return stream->http2.connection;
}

int64_t services_due_ms(const struct services *services) {
    return deadline_heap_next_ms(&services->deadlines);
}

void services_begin_drain(struct services *services) {
    services->is_draining = true;
    for (size_t index = 0; index < services->stream_count_max; index++) {
        struct stream *stream = &services->streams[index];
        if (stream->http2.connection != NULL && stream->method == METHOD_HEALTH_WATCH) {
            http2_resume(&stream->http2);
        }
    }
}

void services_end_calls(struct http2_connection *connection) {
    for (struct http2_stream *stream = connection->streams; stream != NULL; stream = stream->next) {
        http2_end_stream(stream, outcome_shutdown);
    }
}
