/*
 * What nghttp2 calls: frames and headers become calls for the handlers of http2_stream.h, and what
 * these produce becomes frames.
 *
 * Ownership and threading: http2.h's.
 */
#ifndef SERVER_STATION_HTTP2_CALLBACKS_H_
#define SERVER_STATION_HTTP2_CALLBACKS_H_

#include <nghttp2/nghttp2.h>

/* Makes nghttp2 call into http2_callbacks.c, with the connection as its user data. */
void http2_callbacks_set(nghttp2_session_callbacks *callbacks);

#endif /* SERVER_STATION_HTTP2_CALLBACKS_H_ */
