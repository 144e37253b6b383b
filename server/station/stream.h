/*
 * A call to one of the station's services: what it needs while it is answered.
 *
 * Ownership: the services own the streams, in a table made once for all connections. Threading: the
 * event loop's thread.
 */
#ifndef SERVER_STATION_STREAM_H_
#define SERVER_STATION_STREAM_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/sessions/session_store.h"
#include "server/station/codec.h"
#include "server/station/http2.h"
#include "server/station/method.h"
#include "server/station/number_sequence.h"

/* Never, as a time. */
#define STREAM_NEVER INT64_MAX

struct stream {
    struct http2_stream http2; /* the first member: http2.h's pointers are cast to this one's */
    enum method method;
    int64_t client_deadline_ms; /* by its grpc-timeout, from its headers on */
    int64_t deadline_ms;        /* the client's, or that of its request */
    int64_t armed_ms;           /* its deadline in the heap, at or before all of its times */
    size_t sent_size;           /* of the message that is being sent, when it did not fit */

    /* Number streams. */
    bool has_session; /* and is attached to it */
    bool is_failed;   /* fault injection has hit the message that is due */
    struct session session;
    struct number_sequence sequence;
    uint32_t next_index; /* of the number to be sent next */
    int64_t tick_ms;     /* when it is due */
    int64_t keep_ms;     /* when the session must be kept next */

    /* Health: what is to be told, or was told last; and about what. */
    bool has_told;
    bool is_known_service;
    enum codec_health health;
};

#endif /* SERVER_STATION_STREAM_H_ */
