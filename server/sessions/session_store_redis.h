/*
 * Sessions in Redis, shared by all servers that use it. What stands there, so that another program
 * can share it, is in README.md beside this file.
 *
 * A session is a key whose value is its text (session.h), written with SET NX, so that of two
 * servers only one can create it. Redis holds the time to live: a detached session has the time to
 * live, an attached one a third more, renewed every third of it, so that the sessions of a server
 * that died are kept as long as those of one that let go. A session that Redis has lost all the
 * same (a flush, an eviction, a restart) is put back by whoever knows it: each server keeps those
 * that are attached to it, and those that it let go until they are due.
 *
 * Which sessions Redis has purged is learned by asking when they are due. One that another server
 * works on is not reported, and one that nobody lets go because its server died is not.
 *
 * Calls to Redis are synchronous: a session costs four short ones over its whole life (create or
 * attach, detach, purge) and one more each third of its time to live; the numbers themselves need
 * none. Each is a round trip, some 30 microseconds on one machine or a few hundred within one data
 * centre, in which the poll loop stands still; how long at most, and what happens when a server of
 * Redis is lost, moved or replaced, is in redis_client.h. Redis 6.2 or newer is needed (GETEX).
 *
 * Ownership and threading: the interface's (session_store.h).
 */
#ifndef SERVER_SESSIONS_SESSION_STORE_REDIS_H_
#define SERVER_SESSIONS_SESSION_STORE_REDIS_H_

#include "server/sessions/redis_client.h"
#include "server/sessions/session_store.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { SESSION_STORE_REDIS_PREFIX_LENGTH_MAX = 32 };

/* Makes `*store` one in Redis. The keys begin with `prefix`, SESSION_STORE_REDIS_PREFIX_LENGTH_MAX
 * letters at most: services whose clients must not see each other's sessions have different ones. A
 * session is "<prefix>:<client-id>", its note "<prefix>-note:<client-id>". All pointers must
 * outlive the store. Returns 0, or a negative errno value with nothing to destroy and the reason
 * printed: a trial session must go through all its life. */
int session_store_redis_open(struct session_store *store,
                             const struct redis_client_configuration *configuration,
                             const char *prefix, const struct session_store_limits *limits);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_SESSIONS_SESSION_STORE_REDIS_H_ */
