/*
 * The streams of numbers: GetNumbers, Start and Resume.
 *
 * Ownership and threading: stream.h's; the session store is the caller's.
 */
#ifndef SERVER_STATION_NUMBER_STREAM_H_
#define SERVER_STATION_NUMBER_STREAM_H_

#include "server/station/stream.h"

/* What all streams of numbers share. */
struct number_streams {
    struct session_store *store;
    int64_t tick_ms;        /* between two messages; 0: as fast as the client reads */
    uint64_t fail_every;    /* the fail_every-th message of all is not sent; 0: never */
    uint64_t message_count; /* messages begun, by all streams together */
};

/* Judges the request and finds or makes its session. */
struct outcome number_stream_begin(struct number_streams *all, struct stream *stream,
                                   struct wire_bytes request, int64_t now_ms);

/* As http2_handlers.produce. HTTP2_PRODUCED_WAIT: until stream->tick_ms. */
size_t number_stream_produce(struct number_streams *all, struct stream *stream, uint8_t *room,
                             size_t size, int64_t now_ms, enum http2_produced *produced);

/* Lets go of the session. */
void number_stream_end(struct number_streams *all, struct stream *stream, int64_t now_ms);

#endif /* SERVER_STATION_NUMBER_STREAM_H_ */
