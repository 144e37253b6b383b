/*
 * What can be chosen on the client's command line.
 *
 * Ownership: texts are those of argv. Threading: main thread.
 */
#ifndef SERVER_STATION_CLIENT_CONFIGURATION_H_
#define SERVER_STATION_CLIENT_CONFIGURATION_H_

#include <stdbool.h>
#include <stdint.h>

#include "server/runtime/options.h"
#include "server/station/uuid.h"

struct client_configuration {
    bool is_new;
    int64_t number_count; /* 0: by chance */
    int64_t port;
    const char *host;
    const char *state_path;
    bool has_client_id;
    char client_id[UUID_TEXT_LENGTH + 1];
    int64_t max_retries;
    int64_t retry_delay_ms;
    int64_t timeout_ms;
};

/* Fills it with the defaults and then from the command line. Problems are printed. */
enum options_outcome client_configuration_read(struct client_configuration *configuration, int argc,
                                               char **argv);

#endif /* SERVER_STATION_CLIENT_CONFIGURATION_H_ */
