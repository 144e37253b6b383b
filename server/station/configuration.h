/*
 * What can be chosen on the station's command line.
 *
 * Ownership: texts are those of argv. Threading: main thread.
 */
#ifndef SERVER_STATION_CONFIGURATION_H_
#define SERVER_STATION_CONFIGURATION_H_

#include <stdint.h>

#include "server/runtime/options.h"
#include "server/sessions/session_daemon.h"

/* In the units of the options. */
struct configuration {
    struct session_daemon_settings daemon;
    int64_t stream_count_max;
    int64_t tombstone_ttl_ms;
    int64_t tick_ms;
    int64_t drain_ms;
    int64_t fail_every;
    int64_t offline_ms;
};

/* Fills it with the defaults and then from the command line. Problems are printed. */
enum options_outcome configuration_read(struct configuration *configuration, int argc, char **argv);

#endif /* SERVER_STATION_CONFIGURATION_H_ */
