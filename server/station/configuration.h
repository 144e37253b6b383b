/*
 * What can be chosen on the station's command line.
 *
 * Ownership: texts are those of argv. Threading: main thread.
 */
#ifndef SERVER_STATION_CONFIGURATION_H_
#define SERVER_STATION_CONFIGURATION_H_

#include <stdbool.h>
#include <stdint.h>

#include "server/runtime/option_settings.h"
#include "server/runtime/options.h"
#include "server/sessions/session_store_open.h"

/* In the units of the options. */
struct configuration {
    int64_t port;
    struct option_list addresses;
    int64_t connection_count_max;
    int64_t peer_connection_count_max; /* < 0: the default */
    int64_t stream_count_max;
    int64_t session_count_max;
    int64_t session_ttl_ms;
    int64_t tombstone_ttl_ms;
    int64_t tick_ms;
    int64_t drain_ms;
    int64_t fail_every;
    int64_t offline_ms;
    const char *store;
    struct session_store_choice store_choice; /* what `store` says */
    int log_level;
    int64_t http_port;                       /* HTTP_PORT_NONE: no status page */
    char settings[OPTION_SETTINGS_CAPACITY]; /* the options in force */
};

/* Fills it with the defaults and then from the command line. Problems are printed. */
enum options_outcome configuration_read(struct configuration *configuration, int argc, char **argv);

#endif /* SERVER_STATION_CONFIGURATION_H_ */
