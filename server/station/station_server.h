/*
 * The station's server: accepts connections, moves them on, watches their times, purges sessions.
 *
 * Everything of ours is allocated by station_server_open() for the largest number of connections
 * and streams; what is never used stays untouched. Beyond the limit connections wait in the
 * kernel's queue.
 *
 * Ownership: the server owns its connections and streams, and refers to the daemon, which must
 * outlive it. Threading: one thread.
 */
#ifndef SERVER_STATION_STATION_SERVER_H_
#define SERVER_STATION_STATION_SERVER_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/sessions/session_daemon.h"
#include "server/station/http2.h"
#include "server/station/services.h"

struct station_server_configuration {
    int64_t drain_ms; /* how long streams may go on after a signal */
    struct services_configuration services;
};

/* How far the server is on its way out. */
enum station_server_phase {
    STATION_SERVER_SERVING,
    STATION_SERVER_ANNOUNCED, /* clients were asked to begin nothing new */
    STATION_SERVER_DRAINING,  /* nothing new is served */
    STATION_SERVER_CLOSING,   /* all calls were ended */
    STATION_SERVER_STOPPED,
};

struct station_server {
    struct station_server_configuration configuration;
    struct session_daemon *daemon;
    uint64_t accepted_count;              /* connections, since the start */
    struct http2_connection *connections; /* by index of the client */
    bool *is_changed;                     /* by index: listed in changed_indexes */
    uint32_t *changed_indexes;            /* those to be advanced at the end of the round */
    size_t changed_count;
    enum station_server_phase phase;
    int64_t phase_end_ms; /* when the next one begins, unless the last connection ends it */
    int64_t drain_end_ms;
    struct services services;
    struct http2_configuration http2;
};

/* Listens, says so, and is ready. Returns 0, or a negative errno value with the reason printed;
 * either way the server is to be closed. */
int station_server_open(struct station_server *server,
                        const struct station_server_configuration *configuration,
                        struct session_daemon *daemon);

/* Serves until a signal arrives and the streams have been drained, or a second signal arrives.
 * Returns 0, or a negative errno value if waiting for events failed. */
int station_server_run(struct station_server *server);

/* Frees everything, once the daemon has been stopped. Does nothing to a zeroed server. */
void station_server_close(struct station_server *server);

#endif /* SERVER_STATION_STATION_SERVER_H_ */
