/*
 * The station's services behind http2.h: which call gets which answer, and when.
 *
 * Ownership: the services own the streams of all connections, allocated once. Threading: the event
 * loop's thread.
 */
#ifndef SERVER_STATION_SERVICES_H_
#define SERVER_STATION_SERVICES_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/runtime/deadline_heap.h"
#include "server/station/http2.h"
#include "server/station/number_stream.h"
#include "server/station/stream.h"

struct services_configuration {
    struct session_store *store;
    size_t stream_count_max;
    int64_t tick_ms;
    uint64_t fail_every;
    int64_t offline_ms; /* how long to answer UNAVAILABLE after a fault was injected */
};

struct services {
    struct number_streams numbers;
    int64_t offline_ms;
    int64_t online_ms; /* when the services answer again */
    bool is_draining;
    int64_t now_ms; /* set by the caller before anything is called */
    struct stream *streams;
    uint32_t *free_streams; /* a stack of the indexes of those not in use */
    size_t stream_count_max;
    size_t free_count;
    struct deadline_heap deadlines; /* by index in `streams` */
};

extern const struct http2_handlers services_handlers; /* their context: struct services */

/* 0, or -ENOMEM; services_destroy() frees what there is. */
int services_init(struct services *services, const struct services_configuration *configuration);
void services_destroy(struct services *services);

/* Does what is due for one stream. Returns its connection, which is to be advanced; NULL: nothing
 * is due. */
struct http2_connection *services_handle_due(struct services *services);

/* When something is due; INT64_MAX: nothing is. */
int64_t services_due_ms(const struct services *services);

/* The stations says that it is not serving any more, to those who watch its health. Their
 * connections are to be advanced. */
void services_begin_drain(struct services *services);

/* Ends all calls of a connection, which is then to be advanced. */
void services_end_calls(struct http2_connection *connection);

#endif /* SERVER_STATION_SERVICES_H_ */
