/*
 * A client of Redis as it is met: one server, several nodes of a cluster, or whatever master the
 * sentinels name; with the connections, logins, redirections and second attempts that this takes.
 *
 * A connection that turns out to be lost when it is used again, or a server that has become a
 * replica, costs no command: the name is looked up anew and the command sent again, at once. A
 * server that fails twice is left alone for REDIS_CLIENT_PAUSE_MS. However many servers an attempt
 * leads to, a call ends after REDIS_CLIENT_CALL_TIMEOUT_MS, or REDIS_CLIENT_CONNECT_TIMEOUT_MS if
 * it had to connect.
 *
 * Ownership: the client owns its connections and copies its configuration, whose texts must outlive
 * it. Threading: one thread; calls block.
 */
#ifndef SERVER_SESSIONS_REDIS_CLIENT_H_
#define SERVER_SESSIONS_REDIS_CLIENT_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/runtime/logger.h"
#include "server/sessions/redis_connection.h"
#include "server/sessions/redis_location.h"
#include "server/sessions/redis_reply.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    REDIS_CLIENT_CALL_TIMEOUT_MS = 250,
    REDIS_CLIENT_CONNECT_TIMEOUT_MS = 500,
    REDIS_CLIENT_PAUSE_MS = 1000,
    /* Nodes of a cluster that are remembered, those of the location included. */
    REDIS_CLIENT_NODE_COUNT_MAX = 64,
};

struct redis_client_configuration {
    struct redis_location location;
    const char *password;          /* NULL or empty: none */
    const char *sentinel_password; /* what sentinels are told; the same */
    const struct logger *logger;
};

struct redis_client;

/* Makes a client, which connects when it is first used. Returns NULL, with the reason printed, if
 * there is no memory or TLS cannot be set up. */
struct redis_client *redis_client_new(const struct redis_client_configuration *configuration);

/* NULL does no harm. */
void redis_client_free(struct redis_client *client);

/* Runs a command of `word_count` terminated words, of which the second is its key. True: there is a
 * reply, which holds until the next call; it may be an error that no other server or attempt would
 * mend. False: no server can be had now; why was printed, in good measure. `*may_have_run_before`
 * says that the command was sent more than once and may have been run each time. */
bool redis_client_call(struct redis_client *client, const char *const *words, size_t word_count,
                       struct redis_reply *reply, bool *may_have_run_before);

/* Prints `text`, escaped, as what is wrong with the server used last: a new cause soon, the same
 * one every half minute. */
void redis_client_complain(struct redis_client *client, const char *text, size_t size);

/* Says from now on what is wrong as a warning, not as an error. */
void redis_client_go_on(struct redis_client *client);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_SESSIONS_REDIS_CLIENT_H_ */
