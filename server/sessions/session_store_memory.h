/* Sessions in this process's memory, in a hash table. They end with the process.
 *
 * Everything is allocated once for the largest number of sessions; the pages of those that are
 * never used stay untouched. The hash is keyed with the system's randomness, so that clients, who
 * choose the client-ids, cannot aim at one bucket. All sessions live equally long after their
 * detachment, so the order of detachment is the order of purging: a list, no timers.
 *
 * Ownership and threading: the interface's (session_store.h).
 */
#ifndef SERVER_SESSIONS_SESSION_STORE_MEMORY_H_
#define SERVER_SESSIONS_SESSION_STORE_MEMORY_H_

#include <stddef.h>
#include <stdint.h>

#include "server/sessions/session_store.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Makes `*store` one of at most `capacity` sessions, each kept `ttl_ms` after its detachment.
 * Returns 0, or a negative errno value with nothing to destroy. */
int session_store_memory_open(struct session_store *store, size_t capacity, int64_t ttl_ms);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_SESSIONS_SESSION_STORE_MEMORY_H_ */
