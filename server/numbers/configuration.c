#include "server/numbers/configuration.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "server/numbers/limits.h"
#include "server/numbers/log/log_writer.h"
#include "server/runtime/http/http_server.h"
#include "server/runtime/logger.h"
#include "server/runtime/startup.h"

static const char *const when_full_names[] = {"refuse", "wait", NULL};
static const char *const direct_io_names[] = {"auto", "never", NULL};

enum {
    SECOND_MS = 1000,
    DAY_MS = 24 * 60 * 60 * SECOND_MS,
    VERSION_CAPACITY = 160,
    WORKER_COUNT_UNSET = 0,
};

static const char summary[] = "Receives lines of nine decimal digits over TCP and writes each "
                              "number that it has not seen in\n"
                              "this run to a log, one a line. The line `terminate` shuts it down.";

static const char examples[] =
    "  numbers-server                                  serve 127.0.0.1:4000, log to ./numbers.log\n"
    "  numbers-server --port=0 --log=/tmp/numbers.log  take any free port, and say which\n"
    "  numbers-server --resume --fsync=always          go on with an old log; FIN: on the disk\n"
    "  printf '314159265\\n' | nc -N localhost 4000\n";

/* As many workers as processors, so that none idles while the loop waits for the workers or the
 * writer; more than a few gain nothing, because then they are what waits. */
static int64_t default_worker_count(void) {
    enum { ENOUGH = 4 };
    long processor_count = sysconf(_SC_NPROCESSORS_ONLN);
    if (processor_count < 1) {
        return 1;
    }
    return processor_count < ENOUGH ? processor_count : ENOUGH;
}

static void set_defaults(struct configuration *configuration) {
    *configuration = (struct configuration){
        .addresses = {.items = {"127.0.0.1"}, .count = 1},
        .port = 4000,
        .client_capacity = CLIENT_COUNT_DEFAULT,
        .log_path = "numbers.log",
        .durability = DURABILITY_INTERVAL,
        .sync_interval_ms = SECOND_MS,
        .report_interval_ms = 10 * SECOND_MS,
        .worker_count = WORKER_COUNT_UNSET,
        .http_port = HTTP_PORT_NONE,
        .log_level = LOG_LEVEL_INFO,
    };
}

static enum options_outcome parse(struct configuration *configuration, const char *version_details,
                                  int argc, char **argv) {
    const struct option_spec specs[] = {
        {"port", "NUMBER", "listen on this TCP port; 0 takes any free one", OPTION_INTEGER,
         &configuration->port, 0, 65535, NULL},
        {"bind", "ADDRESS", "listen on this address or name, * for all; may be repeated",
         OPTION_TEXT_LIST, &configuration->addresses, 0, 0, NULL},
        {"max-clients", "NUMBER", "serve this many clients at a time, 1 to 1024", OPTION_INTEGER,
         &configuration->client_capacity, 1, CLIENT_COUNT_MAX, NULL},
        {"concurrent-connections", "NUMBER", "the same as --max-clients", OPTION_INTEGER,
         &configuration->client_capacity, 1, CLIENT_COUNT_MAX, NULL},
        {"when-full", "refuse|wait", "reset further clients, or let them wait for a place",
         OPTION_CHOICE, &configuration->when_full, 0, 0, when_full_names},
        {"log", "PATH", "write the numbers to this file", OPTION_TEXT, &configuration->log_path, 0,
         0, NULL},
        {"resume", NULL,
         "keep the log, and count its numbers as seen; without it the start empties the log",
         OPTION_FLAG, &configuration->resumes, 0, 0, NULL},
        {"fsync", "never|interval|always", "when to force the log to the disk", OPTION_CHOICE,
         &configuration->durability, 0, 0, durability_names},
        {"fsync-interval", "SECONDS", "how often, with --fsync=interval", OPTION_SECONDS,
         &configuration->sync_interval_ms, 1, DAY_MS, NULL},
        {"direct-io", "auto|never", "write the log past the page cache where that is faster",
         OPTION_CHOICE, &configuration->direct_io, 0, 0, direct_io_names},
        {"report-interval", "SECONDS", "how often to report on standard output", OPTION_SECONDS,
         &configuration->report_interval_ms, 10, DAY_MS, NULL},
        {"idle-timeout", "SECONDS", "reset a client that is silent for so long; 0: never",
         OPTION_SECONDS, &configuration->idle_timeout_ms, 0, DAY_MS, NULL},
        {"no-remote-terminate", NULL, "take `terminate` from loopback addresses only", OPTION_FLAG,
         &configuration->refuses_remote_terminate, 0, 0, NULL},
        {"threads", "NUMBER",
         "threads that look for duplicates, 1 to 16 (default: as many as processors, at most 4)",
         OPTION_INTEGER, &configuration->worker_count, 1, WORKER_COUNT_MAX, NULL},
        {"profile", "FILE", "write a CPU profile of the run, for google-pprof", OPTION_TEXT,
         &configuration->profile_path, 0, 0, NULL},
        {"http-port", "NUMBER",
         "serve metrics and a status page on this port of 127.0.0.1; 0 takes any free one",
         OPTION_INTEGER, &configuration->http_port, 0, 65535, NULL},
        {"log-level", "debug|info|warning|error", "what to say on standard error", OPTION_CHOICE,
         &configuration->log_level, 0, 0, log_level_names},
    };
    const struct options options = {
        .program = "numbers-server",
        .summary = summary,
        .examples = examples,
        .exit_codes = "  0   ended by `terminate` or a signal, and all that was read is stored\n"
                      "  1   could not start: port taken, log not writable or locked\n"
                      "  2   a bad option or value\n"
                      "  74  the log could not be stored\n",
        .version_details = version_details,
        .specs = specs,
        .spec_count = sizeof specs / sizeof specs[0],
    };
    int first_argument_index;
    enum options_outcome outcome = options_parse(&options, argc, argv, &first_argument_index);
    if (outcome == OPTIONS_RUN && !startup_check_addresses(&options, &configuration->addresses)) {
        return OPTIONS_INVALID;
    }
    if (configuration->worker_count == WORKER_COUNT_UNSET) {
        configuration->worker_count = default_worker_count();
    }
    option_settings_write(&options, configuration->settings);
    return outcome;
}

/* The kernels: the best that this processor runs, or those that the environment names (for
 * tests). */
static bool select_kernels(struct configuration *configuration) {
    const char *parser_kernel = getenv("NUMBERS_PARSER_KERNEL");
    if (line_parser_select(&configuration->parser, parser_kernel) != LINE_PARSER_SELECTED) {
        (void)fprintf(stderr, "numbers-server: NUMBERS_PARSER_KERNEL: no kernel '%s' here\n",
                      parser_kernel);
        return false;
    }
    const char *formatter_kernel = getenv("NUMBERS_FORMATTER_KERNEL");
    if (number_formatter_select(&configuration->formatter, formatter_kernel) !=
        NUMBER_FORMATTER_SELECTED) {
        (void)fprintf(stderr, "numbers-server: NUMBERS_FORMATTER_KERNEL: no kernel '%s' here\n",
                      formatter_kernel);
        return false;
    }
    return true;
}

enum options_outcome configuration_read(struct configuration *configuration, int argc,
                                        char **argv) {
    set_defaults(configuration);
    if (!select_kernels(configuration)) {
        return OPTIONS_INVALID;
    }
    char version_details[VERSION_CAPACITY];
    (void)snprintf(version_details, sizeof version_details,
                   "parser kernel: %s\n"
                   "formatter kernel: %s",
                   line_parser_kernel_name(&configuration->parser),
                   number_formatter_kernel_name(&configuration->formatter));
    return parse(configuration, version_details, argc, argv);
}
