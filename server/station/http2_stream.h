/*
 * The calls on an HTTP/2 connection, gRPC's manners (headers, messages, trailers), and what
 * connections and their server share. The connections themselves are http2.h's.
 *
 * Ownership and threading: http2.h's.
 */
#ifndef SERVER_STATION_HTTP2_STREAM_H_
#define SERVER_STATION_HTTP2_STREAM_H_

#include <nghttp2/nghttp2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/station/call.h"
#include "server/station/flood_guard.h"
#include "server/station/limits.h"
#include "server/station/status.h"

#ifdef __cplusplus
extern "C" {
#endif

struct http2_connection;

/* A call on its way; the handlers keep what else they need around it. */
struct http2_stream {
    struct http2_connection *connection;
    struct http2_stream *previous, *next; /* of the connection */
    int32_t id;
    bool is_bidirectional; /* set by accept(): answered while requests come */
    bool has_response;     /* its headers are under way */
    bool is_over;          /* its trailers are under way */
    struct call call;
    struct outcome outcome; /* what the trailers will say */
};

enum http2_produced {
    HTTP2_PRODUCED_ALL,  /* stream->outcome ends it */
    HTTP2_PRODUCED_PART, /* there is more at once */
    HTTP2_PRODUCED_WAIT, /* there is more after http2_resume() */
};

struct http2_handlers {
    /* A stream of the caller's for a call that arrives; NULL: no more of them. */
    struct http2_stream *(*open)(void *context);
    /* Its headers are complete. Anything but STATUS_OK ends it. */
    struct outcome (*accept)(void *context, struct http2_stream *stream);
    /* Its one request is `message`. Anything but STATUS_OK ends it. Not for bidirectional ones. */
    struct outcome (*begin)(void *context, struct http2_stream *stream, struct wire_bytes message);
    /* Writes the next bytes of the response to `room` and returns how many. */
    size_t (*produce)(void *context, struct http2_stream *stream, uint8_t *room, size_t size,
                      enum http2_produced *produced);
    /* It is over, in whatever way: the client has all, has left it, or is gone. */
    void (*close)(void *context, struct http2_stream *stream);
};

/* What all connections of a server share. */
struct http2_configuration {
    const struct http2_handlers *handlers;
    void *context;
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *option;
};

enum http2_phase {
    HTTP2_PREFACE, /* the client's has not come */
    HTTP2_SERVING,
    HTTP2_ENDING,    /* the last bytes go out, then it is closed */
    HTTP2_LINGERING, /* all is sent; waiting for the client to close */
};

struct http2_connection {
    const struct http2_configuration *configuration;
    nghttp2_session *session;
    int fd;
    uint64_t peer; /* peer_counts.h; 0: one without limits */
    enum http2_phase phase;
    bool is_turn_over; /* there is more to send at once, but the others come first */
    bool is_ping_sent; /* and not answered */
    struct http2_stream *streams;
    size_t header_block_size; /* of the one being received */
    struct flood_guard guard;
    int64_t opened_ms;
    uint64_t sent_size;  /* bytes, since then */
    int64_t now_ms;      /* of the event being handled */
    int64_t phase_ms;    /* when the phase began */
    int64_t heard_ms;    /* when the last whole frame came */
    int64_t ping_ms;     /* when the PING was sent */
    int64_t taken_ms;    /* when the client took output, or there was none */
    size_t output_start; /* the first byte not yet sent */
    size_t output_size;  /* the end of the bytes to send */
    uint8_t output[LIMIT_OUTPUT_SIZE];
};

/* There is something to produce again; then call http2_advance(). */
void http2_resume(struct http2_stream *stream);

/* Ends the call with trailers, unless it is over; then call http2_advance(). */
void http2_end_stream(struct http2_stream *stream, struct outcome outcome);

/* Gives the client room for the bytes that were taken out of the stream's input. */
void http2_note_taken_input(struct http2_stream *stream, size_t size);

/* Puts the stream on its connection, and takes it off and closes it. */
void http2_remember_stream(struct http2_stream *stream, struct http2_connection *connection,
                           int32_t id);
void http2_forget_stream(struct http2_stream *stream);

/* Submit to nghttp2 what a client is answered. */
void http2_submit_trailers_only(nghttp2_session *session, int32_t stream_id,
                                struct outcome outcome);
void http2_submit_http_status(nghttp2_session *session, int32_t stream_id, const char *status);
void http2_submit_response(struct http2_stream *stream, nghttp2_data_source_read_callback read);
void http2_submit_trailers(struct http2_stream *stream);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_STATION_HTTP2_STREAM_H_ */
