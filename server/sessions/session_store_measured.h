/*
 * A store of sessions that measures another one: how long its calls take, how many fail, how many
 * sessions come and go.
 *
 * Ownership: it owns the other store and takes it down with itself. Threading: as the other store,
 * in whose thread the figures are told, too.
 */
#ifndef SERVER_SESSIONS_SESSION_STORE_MEASURED_H_
#define SERVER_SESSIONS_SESSION_STORE_MEASURED_H_

#include "server/runtime/http/status.h"
#include "server/runtime/latency_histogram.h"
#include "server/sessions/session_store.h"

#ifdef __cplusplus
extern "C" {
#endif

struct session_store_measured {
    struct session_store inner;
    struct latency_histogram latency;
    uint64_t created_count;
    uint64_t resumed_count; /* attached once more */
    uint64_t purged_count;
    uint64_t missing_count;
    uint64_t full_count;
    uint64_t unavailable_count;
    int64_t unavailable_ms;                 /* when it last was; 0: never */
    session_purged_handler *purged_handler; /* the caller's, while it purges */
    void *purged_context;
};

/* Puts itself in place of *store. */
void session_store_measure(struct session_store_measured *measured, struct session_store *store);

/* Tells its figures, and that the daemon is not ready where the store was away a moment ago. */
void session_store_measured_tell(const struct session_store_measured *measured, int64_t now_ms,
                                 struct daemon_status *status);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_SESSIONS_SESSION_STORE_MEASURED_H_ */
