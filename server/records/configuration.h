/*
 * What the command line and the environment say, checked.
 *
 * Ownership: texts point into argv and the environment, the password is allocated.
 * Threading: main thread.
 */
#ifndef SERVER_RECORDS_CONFIGURATION_H_
#define SERVER_RECORDS_CONFIGURATION_H_

#include <stdbool.h>
#include <stdint.h>

#include "server/runtime/option_settings.h"
#include "server/runtime/options.h"

struct configuration {
    struct option_list addresses;
    int64_t ingest_port;
    int64_t query_port;
    int64_t queue_size;
    int64_t worker_count;
    int64_t client_capacity;
    int64_t idle_timeout_ms;
    const char *store;
    const char *password_path;
    const char *rejects_path;
    bool acknowledges;
    int syncs_always;                        /* 0 or 1 */
    int log_level;                           /* enum log_level */
    int64_t http_port;                       /* HTTP_PORT_NONE: no status page */
    char settings[OPTION_SETTINGS_CAPACITY]; /* the options in force */
};

/* Fills the configuration; where the outcome is not OPTIONS_RUN, the user has been told why. */
enum options_outcome configuration_read(struct configuration *configuration, int argc, char **argv);

/* Says what is wrong with the command line where only a later part can judge, in the form of the
 * other errors of this kind. */
void configuration_complain(const char *message);

/* Reads the database password: the first line of password_path, or else the environment variable
 * RECORDS_PASSWORD. `password` receives an allocated text or NULL. False: the file cannot be read,
 * is empty, or may be read by others, which has been said. */
bool configuration_read_password(const struct configuration *configuration, char **password);

#endif /* SERVER_RECORDS_CONFIGURATION_H_ */
