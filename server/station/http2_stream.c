#include "server/station/http2_stream.h"

#include <stdio.h>
#include <string.h>

enum { FLAGS_STATIC = NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE };

void http2_forget_stream(struct http2_stream *stream) {
    struct http2_connection *connection = stream->connection;
    if (stream->previous == NULL) {
        connection->streams = stream->next;
    } else {
        stream->previous->next = stream->next;
    }
    if (stream->next != NULL) {
        stream->next->previous = stream->previous;
    }
    connection->configuration->handlers->close(connection->configuration->context, stream);
}

void http2_remember_stream(struct http2_stream *stream, struct http2_connection *connection,
                           int32_t id) {
    stream->connection = connection;
    stream->id = id;
    stream->is_bidirectional = false;
    stream->has_response = false;
    stream->is_over = false;
    stream->previous = NULL;
    stream->next = connection->streams;
    if (stream->next != NULL) {
        stream->next->previous = stream;
    }
    connection->streams = stream;
    call_begin(&stream->call);
}

void http2_resume(struct http2_stream *stream) {
    /* Fails where nothing was deferred: then it goes on by itself. */
    (void)nghttp2_session_resume_data(stream->connection->session, stream->id);
}

void http2_note_taken_input(struct http2_stream *stream, size_t size) {
    (void)nghttp2_session_consume_stream(stream->connection->session, stream->id, size);
}

static nghttp2_nv make_field(const char *name, const char *value, uint8_t flags) {
    return (nghttp2_nv){
        .name = (uint8_t *)(uintptr_t)name,
        .value = (uint8_t *)(uintptr_t)value,
        .namelen = strlen(name),
        .valuelen = strlen(value),
        .flags = flags,
    };
}

/* Failures of what is submitted are lack of memory or a stream that is gone: then there is nobody
 * to tell, and the connection ends with its next fault, or the stream with its deadline. */
void http2_submit_trailers_only(nghttp2_session *session, int32_t stream_id,
                                struct outcome outcome) {
    char code[4];
    (void)snprintf(code, sizeof code, "%u", (unsigned)outcome.status % 100);
    const nghttp2_nv fields[] = {
        make_field(":status", "200", FLAGS_STATIC),
        make_field("content-type", "application/grpc", FLAGS_STATIC),
        make_field("grpc-accept-encoding", "identity", FLAGS_STATIC),
        make_field("grpc-status", code, NGHTTP2_NV_FLAG_NO_COPY_NAME),
        make_field("grpc-message", outcome.text, FLAGS_STATIC),
    };
    size_t count = sizeof fields / sizeof fields[0] - (outcome.text[0] == '\0' ? 1 : 0);
    (void)nghttp2_submit_response(session, stream_id, fields, count, NULL);
}

void http2_submit_http_status(nghttp2_session *session, int32_t stream_id, const char *status) {
    const nghttp2_nv field = make_field(":status", status, FLAGS_STATIC);
    (void)nghttp2_submit_response(session, stream_id, &field, 1, NULL);
}

void http2_submit_response(struct http2_stream *stream, nghttp2_data_source_read_callback read) {
    const nghttp2_nv fields[] = {
        make_field(":status", "200", FLAGS_STATIC),
        make_field("content-type", "application/grpc", FLAGS_STATIC),
        make_field("grpc-accept-encoding", "identity", FLAGS_STATIC),
    };
    const nghttp2_data_provider provider = {.source = {.ptr = stream}, .read_callback = read};
    stream->has_response = true;
    (void)nghttp2_submit_response(stream->connection->session, stream->id, fields,
                                  sizeof fields / sizeof fields[0], &provider);
}

void http2_submit_trailers(struct http2_stream *stream) {
    char code[4];
    (void)snprintf(code, sizeof code, "%u", (unsigned)stream->outcome.status % 100);
    const nghttp2_nv fields[] = {
        make_field("grpc-status", code, NGHTTP2_NV_FLAG_NO_COPY_NAME),
        make_field("grpc-message", stream->outcome.text, FLAGS_STATIC),
    };
    size_t count = stream->outcome.text[0] == '\0' ? 1 : 2;
    (void)nghttp2_submit_trailer(stream->connection->session, stream->id, fields, count);
}

void http2_end_stream(struct http2_stream *stream, struct outcome outcome) {
    if (stream->is_over) {
        return;
    }
    stream->is_over = true;
    stream->outcome = outcome;
    if (stream->has_response) {
        /* Before whatever data waits, for its time or for the client's window. */
        http2_submit_trailers(stream);
    } else {
        http2_submit_trailers_only(stream->connection->session, stream->id, outcome);
    }
}
