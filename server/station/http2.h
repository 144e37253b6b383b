/*
 * The server's side of one HTTP/2 connection that carries gRPC calls: bytes in, calls to the
 * handlers, what they produce out.
 *
 * nghttp2 speaks the protocol. Here are the buffers, the limits that it has not, the times, and
 * gRPC's manners: headers, messages, trailers. Output is made only when the client has taken what
 * was made before, and nothing is read from a client that does not take its output: so a client
 * that only sends cannot make anything pile up here.
 *
 * Ownership: the caller owns the connections and, by its open() and close(), the streams. A
 * connection owns its descriptor and its session of nghttp2, which allocates as streams come, in
 * the bounds that limits.h sets. Threading: the event loop's thread.
 */
#ifndef SERVER_STATION_HTTP2_H_
#define SERVER_STATION_HTTP2_H_

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

/* 0, or -ENOMEM with nothing to close. Closing a zeroed configuration does nothing. */
int http2_configuration_init(struct http2_configuration *configuration,
                             const struct http2_handlers *handlers, void *context);
void http2_configuration_destroy(struct http2_configuration *configuration);

/* Starts to serve on `fd`, which the connection owns from now on if this succeeds. 0, or
 * -ENOMEM. */
int http2_open(struct http2_connection *connection, const struct http2_configuration *configuration,
               int fd, uint64_t peer, int64_t now_ms);

enum http2_outcome {
    HTTP2_OPEN,     /* goes on */
    HTTP2_FINISHED, /* call http2_close() */
};

/* Moves bytes as the poll events of the descriptor say. */
enum http2_outcome http2_handle_events(struct http2_connection *connection, short events,
                                       int64_t now_ms);

/* Sends what http2_resume() and the like have made ready, and what is due at now_ms. */
enum http2_outcome http2_advance(struct http2_connection *connection, int64_t now_ms);

/* The poll events to watch for, and when http2_advance() is to be called at the latest. */
short http2_wanted_events(const struct http2_connection *connection);
int64_t http2_deadline_ms(const struct http2_connection *connection);

/* There is something to produce again; then call http2_advance(). */
void http2_resume(struct http2_stream *stream);

/* Ends the call with trailers, unless it is over; then call http2_advance(). */
void http2_end_stream(struct http2_stream *stream, struct outcome outcome);

/* Gives the client room for the bytes that were taken out of the stream's input. */
void http2_note_taken_input(struct http2_stream *stream, size_t size);

/* Asks the client to begin no new calls here; and then says which ones will not be served. The
 * connection ends with its last stream. After each, call http2_advance(). */
void http2_announce_end(struct http2_connection *connection);
void http2_refuse_new_streams(struct http2_connection *connection);

/* Closes the streams and the descriptor. */
void http2_close(struct http2_connection *connection);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_STATION_HTTP2_H_ */
