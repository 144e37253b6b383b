/*
 * What the command line and the environment say, checked.
 *
 * Ownership: texts point into argv and the environment. Threading: main thread.
 */
#ifndef SERVER_NUMBERS_CONFIGURATION_H_
#define SERVER_NUMBERS_CONFIGURATION_H_

#include <stdbool.h>
#include <stdint.h>

#include "formatter/number_formatter.h"
#include "parser/line_parser.h"
#include "server/runtime/option_settings.h"
#include "server/runtime/options.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Whether the log goes past the page cache where that is faster. */
enum direct_io { DIRECT_IO_AUTO, DIRECT_IO_NEVER };

struct configuration {
    struct option_list addresses;
    int64_t port;
    int64_t client_capacity;
    int when_full; /* enum when_full */
    const char *log_path;
    bool resumes;
    int durability; /* enum durability */
    int64_t sync_interval_ms;
    int direct_io; /* enum direct_io */
    int64_t report_interval_ms;
    int64_t idle_timeout_ms;
    bool refuses_remote_terminate;
    int64_t worker_count;
    const char *profile_path;                /* NULL: no profile */
    int64_t http_port;                       /* HTTP_PORT_NONE: no status page */
    int log_level;                           /* enum log_level */
    char settings[OPTION_SETTINGS_CAPACITY]; /* the options in force */
    struct line_parser parser;
    struct number_formatter formatter;
};

/* Fills the configuration; where the outcome is not OPTIONS_RUN, the user has been told why. */
enum options_outcome configuration_read(struct configuration *configuration, int argc, char **argv);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_NUMBERS_CONFIGURATION_H_ */
