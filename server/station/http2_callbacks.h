/*
 * The two halves of http2.h between themselves: what nghttp2 calls, and how calls are answered.
 *
 * Ownership and threading: http2.h's.
 */
#ifndef SERVER_STATION_HTTP2_CALLBACKS_H_
#define SERVER_STATION_HTTP2_CALLBACKS_H_

#include "server/station/http2.h"

/* Makes nghttp2 call into http2_callbacks.c, with the connection as its user data. */
void http2_callbacks_set(nghttp2_session_callbacks *callbacks);

/* Takes the stream off its connection and closes it. */
void http2_forget_stream(struct http2_stream *stream);

void http2_submit_trailers_only(nghttp2_session *session, int32_t stream_id,
                                struct outcome outcome);
void http2_submit_http_status(nghttp2_session *session, int32_t stream_id, const char *status);
void http2_submit_response(struct http2_stream *stream, nghttp2_data_source_read_callback read);
void http2_submit_trailers(struct http2_stream *stream);

#endif /* SERVER_STATION_HTTP2_CALLBACKS_H_ */
