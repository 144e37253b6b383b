#include "server/sequence/configuration.h"

#include <stdlib.h>

#include "server/runtime/logger.h"
#include "server/sequence/limits.h"

enum { PORT_DEFAULT = 5000, PORT_MAX = 65535, SECONDS_MAX = 1000000 };

static void set_defaults(struct configuration *configuration) {
    const char *test_mode = getenv("TEST_MODE");
    *configuration = (struct configuration){
        .idle_timeout_ms = 10 * 1000,
        .is_test_mode = test_mode != NULL && test_mode[0] != '\0',
    };
    session_daemon_set_defaults(&configuration->daemon);
    configuration->daemon.port = PORT_DEFAULT;
    configuration->daemon.connection_count_max = LIMIT_CONNECTION_COUNT_DEFAULT;
    configuration->daemon.session_count_max = LIMIT_SESSION_COUNT_DEFAULT;
}

/* Judges what options_parse cannot, the port as an argument among it. */
static bool check_values(struct configuration *configuration, const struct options *options,
                         int argument_count, char **arguments) {
    if (!session_daemon_check(&configuration->daemon, options)) {
        return false;
    }
    if (argument_count > 1) {
        options_complain(options, "unexpected argument '%s'", arguments[1]);
        return false;
    }
    if (argument_count == 1 &&
        !options_read_number(arguments[0], 0, PORT_MAX, &configuration->daemon.port)) {
        options_complain(options, "the port is a number from 0 to %d, not '%s'", PORT_MAX,
                         arguments[0]);
        return false;
    }
    return true;
}

enum options_outcome configuration_read(struct configuration *c, int argc, char **argv) {
    const int64_t milliseconds_max = (int64_t)SECONDS_MAX * 1000;
    const struct option_spec specs[] = {
        {"port", "NUMBER", "port to listen on; 0: any free one", OPTION_INTEGER, &c->daemon.port, 0,
         PORT_MAX, NULL},
        {"bind", "ADDRESS", "listen on this address or name, * for all; may be repeated",
         OPTION_TEXT_LIST, &c->daemon.addresses, 0, 0, NULL},
        {"max-connections", "NUMBER", "clients served at a time, 1 to 100000", OPTION_INTEGER,
         &c->daemon.connection_count_max, 1, LIMIT_CONNECTION_COUNT_MAX, NULL},
        {"max-per-peer", "NUMBER",
         "clients of one address, and 16 sessions for each; 0: no limit (default: 256, and no "
         "limit on this machine)",
         OPTION_INTEGER, &c->daemon.peer_connection_count_max, 0, LIMIT_CONNECTION_COUNT_MAX, NULL},
        {"max-sessions", "NUMBER", "sessions kept at a time, 1 to 10000000", OPTION_INTEGER,
         &c->daemon.session_count_max, 1, SESSION_STORE_CAPACITY_MAX, NULL},
        {"session-ttl", "SECONDS", "how long a session outlives its connection", OPTION_SECONDS,
         &c->daemon.session_ttl_ms, 1, milliseconds_max, NULL},
        {"session-timeout", "SECONDS", "cut connections off after so long; 0: never",
         OPTION_SECONDS, &c->session_timeout_ms, 0, milliseconds_max, NULL},
        {"idle-timeout", "SECONDS", "close silent connections after so long; 0: never",
         OPTION_SECONDS, &c->idle_timeout_ms, 0, milliseconds_max, NULL},
        {"tick", "SECONDS", "pause between two messages of a stream", OPTION_SECONDS, &c->tick_ms,
         0, milliseconds_max, NULL},
        {"fail-every", "N", "drop the connection at every N-th number; 0: never", OPTION_INTEGER,
         &c->fail_every, 0, INT32_MAX, NULL},
        {"offline-for", "SECONDS", "then drop and refuse everyone for so long", OPTION_SECONDS,
         &c->offline_ms, 0, milliseconds_max, NULL},
        {"store", "STORE", "memory, or Redis: redis://HOST:PORT/DATABASE", OPTION_TEXT,
         &c->daemon.store, 0, 0, NULL},
        {"test-mode", NULL, "the numbers of a client-id are those of Python's random.seed()",
         OPTION_FLAG, &c->is_test_mode, 0, 0, NULL},
        {"http-port", "NUMBER",
         "serve metrics and a status page on this port of 127.0.0.1; 0: any free one",
         OPTION_INTEGER, &c->daemon.http_port, 0, PORT_MAX, NULL},
        {"log-level", "debug|info|warning|error", "the least important messages to print",
         OPTION_CHOICE, &c->daemon.log_level, 0, 0, log_level_names},
    };
    const struct options options = {
        .program = "sequence-server",
        .arguments = "[PORT]",
        .summary =
            "Serves sequences of random numbers that survive lost connections, with a "
            "checksum at the end.\nThe environment variable TEST_MODE, set and not empty, works as "
            "--test-mode; REDIS_PASSWORD\nand REDIS_SENTINEL_PASSWORD are used to log in to Redis "
            "and its "
            "sentinels.",
        .examples = "  sequence-server 5000\n"
                    "  sequence-server --port=5000 --store=redis://127.0.0.1:6379/0\n"
                    "  sequence-server --test-mode --fail-every=7 --offline-for=1\n",
        .exit_codes = "  0   ended by a signal\n"
                      "  1   could not start: port taken, Redis out of reach, no memory\n"
                      "  2   a bad option or value\n"
                      "  74  the system did not let it wait for its clients\n",
        .specs = specs,
        .spec_count = sizeof specs / sizeof specs[0],
    };
    int first_argument_index = argc;
    set_defaults(c);
    enum options_outcome outcome = options_parse(&options, argc, argv, &first_argument_index);
    if (outcome == OPTIONS_RUN &&
        !check_values(c, &options, argc - first_argument_index, argv + first_argument_index)) {
        return OPTIONS_INVALID;
    }
    option_settings_write(&options, c->daemon.in_force);
    return outcome;
}
