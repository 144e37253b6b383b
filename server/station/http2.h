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

#include <stdint.h>

#include "server/station/http2_stream.h"

#ifdef __cplusplus
extern "C" {
#endif

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
