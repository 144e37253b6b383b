#include "server/station/http2_callbacks.h"

#include "server/station/http2_stream.h"

enum { HEADER_OVERHEAD = 32 };

static const struct http2_handlers *handlers_of(const struct http2_connection *connection) {
    return connection->configuration->handlers;
}

static void *context_of(const struct http2_stream *stream) {
    return stream->connection->configuration->context;
}

/* Frames that ask for nothing are counted before they cost anything, unknown ones too. */
static int on_begin_frame(nghttp2_session *session, const nghttp2_frame_hd *header, void *context) {
    struct http2_connection *connection = context;
    (void)session;
    bool asks_for_something =
        header->type == NGHTTP2_HEADERS ||
        (header->type == NGHTTP2_DATA &&
         (header->length > 0 || (header->flags & NGHTTP2_FLAG_END_STREAM) != 0));
    return asks_for_something || flood_guard_allows(&connection->guard, connection->now_ms)
               ? 0
               : NGHTTP2_ERR_CALLBACK_FAILURE;
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *context) {
    struct http2_connection *connection = context;
    connection->header_block_size = 0;
    if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) {
        return 0;
    }
    struct http2_stream *stream = handlers_of(connection)->open(connection->configuration->context);
    if (stream != NULL) {
        http2_remember_stream(stream, connection, frame->hd.stream_id);
        (void)nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, stream);
    }
    return 0;
}

/* nghttp2 announces the limit of header lists but does not count them. */
static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_size, const uint8_t *value, size_t value_size, uint8_t flags,
                     void *context) {
    struct http2_connection *connection = context;
    (void)flags;
    connection->header_block_size += name_size + value_size + HEADER_OVERHEAD;
    if (connection->header_block_size > LIMIT_HEADER_LIST_SIZE_HOSTILE) {
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    struct http2_stream *stream =
        nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    if (stream != NULL && frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
        call_add_header(&stream->call, (const char *)name, name_size, (const char *)value,
                        value_size);
    }
    return 0;
}

static ssize_t read_response(nghttp2_session *session, int32_t stream_id, uint8_t *room,
                             size_t size, uint32_t *flags, nghttp2_data_source *source,
                             void *context) {
    struct http2_stream *stream = source->ptr;
    struct http2_connection *connection = context;
    (void)session;
    (void)stream_id;
    enum http2_produced produced = HTTP2_PRODUCED_PART;
    size_t produced_size =
        handlers_of(connection)
            ->produce(connection->configuration->context, stream, room, size, &produced);
    if (produced == HTTP2_PRODUCED_ALL) {
        *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
        stream->is_over = true;
        http2_submit_trailers(stream);
    } else if (produced_size == 0) {
        return NGHTTP2_ERR_DEFERRED;
    }
    return (ssize_t)produced_size;
}

/* Begins to answer when the one request is whole. */
static void read_request(struct http2_stream *stream) {
    struct wire_bytes message;
    struct outcome outcome;
    switch (call_peek_message(&stream->call, &message, &outcome)) {
    case CALL_MESSAGE_BAD:
        break;
    case CALL_MESSAGE_PARTIAL:
        if (!stream->call.is_input_ended) {
            return;
        }
        outcome = (struct outcome){STATUS_INVALID_ARGUMENT, "incomplete request"};
        break;
    case CALL_MESSAGE_COMPLETE:
        if (stream->call.input_size > CALL_PREFIX_SIZE + message.size) {
            outcome = (struct outcome){STATUS_INVALID_ARGUMENT, "more than one request"};
            break;
        }
        if (!stream->call.is_input_ended) {
            return;
        }
        outcome = handlers_of(stream->connection)->begin(context_of(stream), stream, message);
        break;
    }
    if (outcome.status == STATUS_OK) {
        http2_submit_response(stream, read_response);
    } else {
        http2_end_stream(stream, outcome);
    }
}

static void handle_input(struct http2_stream *stream) {
    if (stream->is_over) {
        return;
    }
    if (stream->is_bidirectional) {
        http2_resume(stream);
    } else if (!stream->has_response) {
        read_request(stream);
    }
}

static void end_with_http_status(struct http2_stream *stream, const char *status) {
    stream->is_over = true;
    http2_submit_http_status(stream->connection->session, stream->id, status);
}

static void judge_headers(struct http2_stream *stream) {
    struct outcome outcome;
    switch (call_judge_headers(&stream->call, &outcome)) {
    case CALL_IS_NO_POST:
        end_with_http_status(stream, "405");
        return;
    case CALL_IS_NO_GRPC:
        end_with_http_status(stream, "415");
        return;
    case CALL_REFUSED:
        break;
    case CALL_ACCEPTED:
        outcome = handlers_of(stream->connection)->accept(context_of(stream), stream);
        break;
    }
    if (outcome.status != STATUS_OK) {
        http2_end_stream(stream, outcome);
    } else if (stream->is_bidirectional) {
        http2_submit_response(stream, read_response);
    }
}

static void handle_request_headers(nghttp2_session *session, const nghttp2_frame *frame) {
    struct http2_stream *stream =
        nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    if (stream != NULL) {
        judge_headers(stream);
        return;
    }
    http2_submit_trailers_only(session, frame->hd.stream_id,
                               (struct outcome){STATUS_RESOURCE_EXHAUSTED, "too many streams"});
}

/* As good as an empty one, but only its content shows it. */
static bool is_only_padding(const nghttp2_frame *frame) {
    return frame->hd.type == NGHTTP2_DATA && frame->hd.length > 0 &&
           frame->hd.length == frame->data.padlen &&
           (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0;
}

static int on_frame_received(nghttp2_session *session, const nghttp2_frame *frame, void *context) {
    struct http2_connection *connection = context;
    connection->heard_ms = connection->now_ms;
    if (connection->phase == HTTP2_PREFACE) {
        connection->phase = HTTP2_SERVING; /* the first frame is SETTINGS, or nghttp2 complains */
    }
    if (frame->hd.type == NGHTTP2_PING && (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0) {
        connection->is_ping_sent = false;
    }
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) {
        return 0;
    }
    if (is_only_padding(frame) && !flood_guard_allows(&connection->guard, connection->now_ms)) {
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
        handle_request_headers(session, frame);
    }
    struct http2_stream *stream =
        nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    if (stream != NULL && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
        stream->call.is_input_ended = true;
        handle_input(stream);
    }
    return 0;
}

static int on_data_received(nghttp2_session *session, uint8_t flags, int32_t stream_id,
                            const uint8_t *bytes, size_t size, void *context) {
    (void)flags;
    (void)context;
    struct http2_stream *stream = nghttp2_session_get_stream_user_data(session, stream_id);
    (void)nghttp2_session_consume_connection(session, size);
    if (stream == NULL || stream->is_over) {
        return 0;
    }
    if (call_add_input(&stream->call, bytes, size)) {
        handle_input(stream);
    } else {
        http2_end_stream(stream,
                         (struct outcome){STATUS_RESOURCE_EXHAUSTED, "more than was asked for"});
    }
    return 0;
}

/* A call that ended before the client had sent all of its part: the rest is of no use. */
static int on_frame_sent(nghttp2_session *session, const nghttp2_frame *frame, void *context) {
    struct http2_connection *connection = context;
    if (frame->hd.type == NGHTTP2_DATA) {
        flood_guard_note_data(&connection->guard);
    }
    bool ends_stream =
        frame->hd.type == NGHTTP2_HEADERS && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    if (ends_stream && nghttp2_session_get_stream_remote_close(session, frame->hd.stream_id) == 0) {
        (void)nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id,
                                        NGHTTP2_NO_ERROR);
    }
    return 0;
}

static int on_stream_closed(nghttp2_session *session, int32_t stream_id, uint32_t error_code,
                            void *context) {
    (void)error_code;
    (void)context;
    struct http2_stream *stream = nghttp2_session_get_stream_user_data(session, stream_id);
    if (stream != NULL) {
        http2_forget_stream(stream);
    }
    return 0;
}

void http2_callbacks_set(nghttp2_session_callbacks *callbacks) {
    nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, on_begin_frame);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame_received);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data_received);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_sent);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_closed);
}
