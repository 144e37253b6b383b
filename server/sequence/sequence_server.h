/*
 * The sequence server: accepts connections, moves them on, watches their times, purges sessions.
 *
 * Everything is allocated by sequence_server_open() for the largest number of connections; pages of
 * connections that are never used stay untouched. Beyond the limit a connection is told ERR and
 * closed; a few more places are kept for those, and when they are taken too, new connections wait
 * in the backlog.
 *
 * Ownership: the server owns its connections, and refers to the daemon, which must outlive it.
 * Threading: one thread.
 */
#ifndef SERVER_SEQUENCE_SEQUENCE_SERVER_H_
#define SERVER_SEQUENCE_SEQUENCE_SERVER_H_

#include <stdbool.h>
#include <stdint.h>

#include "server/runtime/logger.h"
#include "server/sequence/connection.h"
#include "server/sequence/conversation.h"
#include "server/sessions/session_daemon.h"

struct sequence_server_configuration {
    int64_t offline_ms; /* how long to be gone when fault injection breaks a connection */
    struct connection_configuration connection;
    struct conversation_configuration conversation;
};

struct sequence_server {
    struct sequence_server_configuration configuration;
    struct session_daemon *daemon;
    uint64_t accepted_count;        /* connections, since the start */
    uint64_t refused_count;         /* of them, told that there is no room */
    struct connection *connections; /* by index of the client */
    uint16_t port;                  /* the one listened on */
    bool is_stopping;
    int64_t online_ms; /* when to come back from being offline; INT64_MAX: it is not */
    struct warning_limiter relisten_warning;
};

/* Listens, says so, and is ready. Returns 0, or a negative errno value with the reason printed;
 * either way the server is to be closed. */
int sequence_server_open(struct sequence_server *server,
                         const struct sequence_server_configuration *configuration,
                         struct session_daemon *daemon);

/* Serves until a signal arrives. Returns 0, or a negative errno value if waiting for events
 * failed. */
int sequence_server_run(struct sequence_server *server);

/* Frees everything, once the daemon has been stopped. Does nothing to a zeroed server. */
void sequence_server_close(struct sequence_server *server);

#endif /* SERVER_SEQUENCE_SEQUENCE_SERVER_H_ */
