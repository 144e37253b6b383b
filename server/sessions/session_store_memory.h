/*
 * Sessions in this process's memory. They end with the process.
 *
 * Ownership and threading: the interface's (session_store.h).
 */
#ifndef SERVER_SESSIONS_SESSION_STORE_MEMORY_H_
#define SERVER_SESSIONS_SESSION_STORE_MEMORY_H_

#include "server/sessions/session_store.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Makes `*store` one that holds what `limits` allows. Returns 0, or a negative errno value with
 * nothing to destroy. */
int session_store_memory_open(struct session_store *store,
                              const struct session_store_limits *limits);

/* Puts another session of the same client-id, which must be there, in its place: for a store that
 * knows better, over this one. Its attachments stay. */
void session_store_memory_replace(struct session_store *store, const struct session *session);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_SESSIONS_SESSION_STORE_MEMORY_H_ */
