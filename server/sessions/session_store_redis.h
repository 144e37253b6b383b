/* Sessions in a Redis server, shared by all sequence servers that use it.
 *
 * A session is a key "sequence:<client-id>" whose value is its text (session.h), written with SET
 * NX, so that of two servers only one can create it. Redis holds the time to live: a detached
 * session has the time to live, an attached one a third more, renewed every third of it, so that
 * the sessions of a server that died are kept as long as those of one that let go.
 *
 * Which sessions Redis has purged is learned by asking: each server remembers when those that it
 * let go are due (in a store in memory, of `capacity` sessions), and reports those that are gone by
 * then. One that another server works on is not reported, and one that nobody lets go because its
 * server died is not.
 *
 * Calls to Redis are synchronous: a session costs three short ones over its whole life (create or
 * attach, detach, and a share of a pipelined one at its purging) and one more each third of its
 * time to live; the numbers themselves need none. Each is a round trip, some 30 microseconds on one
 * machine or a few hundred within one data centre, in which the poll loop stands still, and never
 * longer than SESSION_STORE_REDIS_TIMEOUT_MS: after a call that failed or took too long, all are
 * refused without trying for SESSION_STORE_REDIS_PAUSE_MS, and then the connection is made anew.
 * Give a numeric address where the lookup of a name may be slow. Redis 6.2 or newer is needed
 * (GETEX).
 *
 * Ownership and threading: the interface's (session_store.h).
 */
#ifndef SERVER_SESSIONS_SESSION_STORE_REDIS_H_
#define SERVER_SESSIONS_SESSION_STORE_REDIS_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/runtime/logger.h"
#include "server/sessions/session_store.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    SESSION_STORE_REDIS_TIMEOUT_MS = 250,
    SESSION_STORE_REDIS_PAUSE_MS = 1000,
    REDIS_ADDRESS_HOST_SIZE = 256,
    REDIS_PORT_DEFAULT = 6379,
};

struct redis_address {
    char host[REDIS_ADDRESS_HOST_SIZE]; /* terminated */
    int port;
    int database;
};

/* Reads "redis://HOST[:PORT][/DATABASE]"; a numeric IPv6 address is written in brackets. Returns
 * false if `url` is anything else. */
bool redis_address_parse(const char *url, struct redis_address *address);

/* What a store in Redis is made of, beside its limits. */
struct session_store_redis_config {
    struct redis_address address;
    const char *password; /* may be NULL */
    /* What the keys begin with: services whose clients must not see each other's sessions have
     * different ones. A session is "<prefix>:<client-id>", its note "<prefix>-note:<client-id>". */
    const char *prefix;
    const struct logger *logger;
};

/* Makes `*store` one in Redis. All pointers must outlive the store. Returns 0, or a negative errno
 * value with nothing to destroy and the reason printed: the first connection must succeed, later
 * ones may fail. */
int session_store_redis_open(struct session_store *store,
                             const struct session_store_redis_config *config,
                             const struct session_store_limits *limits);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_SESSIONS_SESSION_STORE_REDIS_H_ */
