/*
 * The store that --store names, opened for a daemon, and what the daemon prints of it.
 *
 * Ownership: the store is the caller's to destroy. Threading: main thread.
 */
#ifndef SERVER_SESSIONS_SESSION_STORE_OPEN_H_
#define SERVER_SESSIONS_SESSION_STORE_OPEN_H_

#include <stdbool.h>

#include "server/runtime/logger.h"
#include "server/sessions/redis_location.h"
#include "server/sessions/session_store.h"

#ifdef __cplusplus
extern "C" {
#endif

struct session_store_choice {
    bool is_redis; /* else it is in memory */
    struct redis_location redis;
};

/* Reads "memory", or a URL of Redis. Returns NULL, or what is wrong, a static text. */
const char *session_store_choose(const char *text, struct session_store_choice *choice);

enum {
    /* Sessions that a peer may have made, for each client that it may be: they outlive those, and
     * one peer's part of all is the same. */
    SESSION_STORE_SESSIONS_PER_CLIENT = 16,
};

/* A limit of sessions for that of a peer's clients (clients.h). */
size_t session_store_peer_max(int64_t peer_client_max);

/* Opens it; Redis with the passwords in REDIS_PASSWORD and REDIS_SENTINEL_PASSWORD, and keys that
 * begin with `prefix`. 0, or a negative errno value with the reason printed. */
int session_store_open(struct session_store *store, const struct session_store_choice *choice,
                       const char *prefix, const struct session_store_limits *limits,
                       const struct logger *logger);

/* For session_store_purge(): a line on standard output, if somebody reads it. */
void session_store_print_purged(void *context, const char *client_id);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_SESSIONS_SESSION_STORE_OPEN_H_ */
