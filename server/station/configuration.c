#include "server/station/configuration.h"

#include <stdio.h>
#include <string.h>

#include "server/runtime/logger.h"
#include "server/station/limits.h"

enum { PORT_DEFAULT = 12345, PORT_MAX = 65535, SECONDS_MAX = 1000000 };

/* How many arguments may have the original's spelling, and how long they may be. */
enum { ARGUMENT_COUNT_MAX = 8, ARGUMENT_SIZE = 64 };

static void set_defaults(struct configuration *configuration) {
    *configuration = (struct configuration){
        .stream_count_max = LIMIT_STREAM_COUNT_DEFAULT,
        .tombstone_ttl_ms = 3600 * 1000,
        .tick_ms = 1000,
        .drain_ms = 5 * 1000,
    };
    session_daemon_set_defaults(&configuration->daemon);
    configuration->daemon.port = PORT_DEFAULT;
    configuration->daemon.connection_count_max = LIMIT_CONNECTION_COUNT_DEFAULT;
    configuration->daemon.session_count_max = LIMIT_SESSION_COUNT_DEFAULT;
}

/* The original writes these two with one dash, and getopt_long knows only two. */
static void double_dashes(int argc, char **argv) {
    static const char *const spellings[] = {"-failEvery", "-goOfflineFor"};
    static char doubled[ARGUMENT_COUNT_MAX][ARGUMENT_SIZE];
    size_t doubled_count = 0;
    for (int index = 1; index < argc && doubled_count < ARGUMENT_COUNT_MAX; index++) {
        for (size_t k = 0; k < sizeof spellings / sizeof spellings[0]; k++) {
            size_t length = strlen(spellings[k]);
            bool is_one = strncmp(argv[index], spellings[k], length) == 0 &&
                          (argv[index][length] == '\0' || argv[index][length] == '=');
            if (is_one && strlen(argv[index]) + 1 < ARGUMENT_SIZE) {
                (void)snprintf(doubled[doubled_count], ARGUMENT_SIZE, "-%s", argv[index]);
                argv[index] = doubled[doubled_count++];
                break;
            }
        }
    }
}

enum options_outcome configuration_read(struct configuration *c, int argc, char **argv) {
    const int64_t milliseconds_max = (int64_t)SECONDS_MAX * 1000;
    const struct option_spec specs[] = {
        {"port", "NUMBER", "port to listen on; 0: any free one", OPTION_INTEGER, &c->daemon.port, 0,
         PORT_MAX, NULL},
        {"bind", "ADDRESS", "listen on this address or name, * for all; may be repeated",
         OPTION_TEXT_LIST, &c->daemon.addresses, 0, 0, NULL},
        {"max-connections", "NUMBER", "connections at a time, 1 to 100000", OPTION_INTEGER,
         &c->daemon.connection_count_max, 1, LIMIT_CONNECTION_COUNT_MAX, NULL},
        {"max-per-peer", "NUMBER",
         "connections of one address, and 16 sequences for each; 0: no limit (default: 256, and no "
         "limit on this machine)",
         OPTION_INTEGER, &c->daemon.peer_connection_count_max, 0, LIMIT_CONNECTION_COUNT_MAX, NULL},
        {"max-streams", "NUMBER", "calls at a time, on all of them, 1 to 1000000", OPTION_INTEGER,
         &c->stream_count_max, 1, LIMIT_STREAM_COUNT_MAX, NULL},
        {"max-sessions", "NUMBER", "sequences kept at a time, 1 to 10000000", OPTION_INTEGER,
         &c->daemon.session_count_max, 1, SESSION_STORE_CAPACITY_MAX, NULL},
        {"session-ttl", "SECONDS", "how long a sequence outlives its last stream", OPTION_SECONDS,
         &c->daemon.session_ttl_ms, 1, milliseconds_max, NULL},
        {"tombstone-ttl", "SECONDS", "how long GetNumbers knows the id of one that is stale",
         OPTION_SECONDS, &c->tombstone_ttl_ms, 1, milliseconds_max, NULL},
        {"tick", "SECONDS", "pause between two messages of a stream; 0: none", OPTION_SECONDS,
         &c->tick_ms, 0, milliseconds_max, NULL},
        {"drain", "SECONDS", "how long streams may go on after a signal", OPTION_SECONDS,
         &c->drain_ms, 0, milliseconds_max, NULL},
        {"fail-every", "N", "end the stream in place of every N-th message; 0: never",
         OPTION_INTEGER, &c->fail_every, 0, INT32_MAX, NULL},
        {"failEvery", "N", NULL, OPTION_INTEGER, &c->fail_every, 0, INT32_MAX, NULL},
        {"offline-for", "SECONDS", "then answer UNAVAILABLE for so long", OPTION_SECONDS,
         &c->offline_ms, 0, milliseconds_max, NULL},
        {"goOfflineFor", "SECONDS", NULL, OPTION_SECONDS, &c->offline_ms, 0, milliseconds_max,
         NULL},
        {"store", "STORE", "memory, or Redis: redis://HOST:PORT/DATABASE", OPTION_TEXT,
         &c->daemon.store, 0, 0, NULL},
        {"http-port", "NUMBER",
         "serve metrics and a status page on this port of 127.0.0.1; 0: any free one",
         OPTION_INTEGER, &c->daemon.http_port, 0, PORT_MAX, NULL},
        {"log-level", "debug|info|warning|error", "the least important messages to print",
         OPTION_CHOICE, &c->daemon.log_level, 0, 0, log_level_names},
    };
    const struct options options = {
        .program = "station-server",
        .arguments = NULL,
        .summary = "Streams sequences of random numbers over gRPC, with a checksum at the end.\n"
                   "-failEvery N and -goOfflineFor SECONDS are other spellings of --fail-every and "
                   "--offline-for.\nThe environment variables REDIS_PASSWORD and "
                   "REDIS_SENTINEL_PASSWORD are used to "
                   "log in to Redis\nand its sentinels.",
        .examples = "  station-server --port=12345\n"
                    "  station-server --tick=0 --store=redis://127.0.0.1:6379/0\n"
                    "  station-server -failEvery 7 -goOfflineFor 5\n",
        .exit_codes = "  0   ended by a signal\n"
                      "  1   could not start: port taken, Redis out of reach, no memory\n"
                      "  2   a bad option or value\n"
                      "  74  the system did not let it wait for its clients\n",
        .specs = specs,
        .spec_count = sizeof specs / sizeof specs[0],
    };
    int first = argc;
    set_defaults(c);
    double_dashes(argc, argv);
    enum options_outcome outcome = options_parse(&options, argc, argv, &first);
    if (outcome == OPTIONS_RUN && first < argc) {
        options_complain(&options, "unexpected argument '%s'", argv[first]);
        return OPTIONS_INVALID;
    }
    if (outcome == OPTIONS_RUN && !session_daemon_check(&c->daemon, &options)) {
        return OPTIONS_INVALID;
    }
    option_settings_write(&options, c->daemon.in_force);
    return outcome;
}
