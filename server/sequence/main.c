/* The composition root of the sequence server: options, store, server. */
#include <stdlib.h>

#include "server/runtime/http/http_server.h"
#include "server/runtime/option_settings.h"
#include "server/runtime/options.h"
#include "server/runtime/os.h"
#include "server/runtime/startup.h"
#include "server/sequence/figures.h"
#include "server/sequence/limits.h"
#include "server/sequence/sequence_server.h"
#include "server/sessions/session_store_measured.h"
#include "server/sessions/session_store_open.h"

enum { PORT_DEFAULT = 5000, PORT_MAX = 65535, SECONDS_MAX = 1000000 };

/* What can be chosen on the command line, in the units of the options. */
struct settings {
    int64_t port;
    struct option_list addresses;
    int64_t connection_count_max;
    int64_t peer_connection_count_max; /* < 0: the default */
    int64_t session_count_max;
    int64_t session_ttl_ms;
    int64_t session_timeout_ms;
    int64_t idle_timeout_ms;
    int64_t tick_ms;
    int64_t fail_every;
    int64_t offline_ms;
    const char *store;
    bool is_test_mode;
    int log_level;
    struct session_store_choice store_choice; /* what `store` says */
    int64_t http_port;                        /* HTTP_PORT_NONE: no status page */
    char in_force[OPTION_SETTINGS_CAPACITY];  /* the options, for the page */
};

static const int64_t milliseconds_max = (int64_t)SECONDS_MAX * 1000;

static void set_defaults(struct settings *settings) {
    const char *test_mode = getenv("TEST_MODE");
    *settings = (struct settings){
        .port = PORT_DEFAULT,
        .addresses = {.items = {"127.0.0.1"}, .count = 1},
        .connection_count_max = LIMIT_CONNECTION_COUNT_DEFAULT,
        .peer_connection_count_max = -1,
        .session_count_max = LIMIT_SESSION_COUNT_DEFAULT,
        .session_ttl_ms = 30 * 1000,
        .idle_timeout_ms = 10 * 1000,
        .store = "memory",
        .http_port = HTTP_PORT_NONE,
        .is_test_mode = test_mode != NULL && test_mode[0] != '\0',
        .log_level = LOG_LEVEL_INFO,
    };
}

/* Judges what options_parse cannot: the store, and the port as an argument. */
static bool check_settings(struct settings *settings, const struct options *options,
                           int argument_count, char **arguments) {
    const char *problem = session_store_choose(settings->store, &settings->store_choice);
    if (problem != NULL) {
        options_complain(options, "--store takes memory, or a URL of Redis: %s", problem);
        return false;
    }
    if (!startup_check_addresses(options, &settings->addresses)) {
        return false;
    }
    if (argument_count > 1) {
        options_complain(options, "unexpected argument '%s'", arguments[1]);
        return false;
    }
    if (argument_count == 1 && !options_read_number(arguments[0], 0, PORT_MAX, &settings->port)) {
        options_complain(options, "the port is a number from 0 to %d, not '%s'", PORT_MAX,
                         arguments[0]);
        return false;
    }
    return true;
}

static enum options_outcome read_settings(struct settings *s, int argc, char **argv) {
    const struct option_spec specs[] = {
        {"port", "NUMBER", "port to listen on; 0: any free one", OPTION_INTEGER, &s->port, 0,
         PORT_MAX, NULL},
        {"bind", "ADDRESS", "listen on this address or name, * for all; may be repeated",
         OPTION_TEXT_LIST, &s->addresses, 0, 0, NULL},
        {"max-connections", "NUMBER", "clients served at a time, 1 to 100000", OPTION_INTEGER,
         &s->connection_count_max, 1, LIMIT_CONNECTION_COUNT_MAX, NULL},
        {"max-per-peer", "NUMBER",
         "clients of one address, and 16 sessions for each; 0: no limit (default: 256, and no "
         "limit on this machine)",
         OPTION_INTEGER, &s->peer_connection_count_max, 0, LIMIT_CONNECTION_COUNT_MAX, NULL},
        {"max-sessions", "NUMBER", "sessions kept at a time, 1 to 10000000", OPTION_INTEGER,
         &s->session_count_max, 1, SESSION_STORE_CAPACITY_MAX, NULL},
        {"session-ttl", "SECONDS", "how long a session outlives its connection", OPTION_SECONDS,
         &s->session_ttl_ms, 1, milliseconds_max, NULL},
        {"session-timeout", "SECONDS", "cut connections off after so long; 0: never",
         OPTION_SECONDS, &s->session_timeout_ms, 0, milliseconds_max, NULL},
        {"idle-timeout", "SECONDS", "close silent connections after so long; 0: never",
         OPTION_SECONDS, &s->idle_timeout_ms, 0, milliseconds_max, NULL},
        {"tick", "SECONDS", "pause between two messages of a stream", OPTION_SECONDS, &s->tick_ms,
         0, milliseconds_max, NULL},
        {"fail-every", "N", "drop the connection at every N-th number; 0: never", OPTION_INTEGER,
         &s->fail_every, 0, INT32_MAX, NULL},
        {"offline-for", "SECONDS", "then drop and refuse everyone for so long", OPTION_SECONDS,
         &s->offline_ms, 0, milliseconds_max, NULL},
        {"store", "STORE", "memory, or Redis: redis://HOST:PORT/DATABASE", OPTION_TEXT, &s->store,
         0, 0, NULL},
        {"test-mode", NULL, "the numbers of a client-id are those of Python's random.seed()",
         OPTION_FLAG, &s->is_test_mode, 0, 0, NULL},
        {"http-port", "NUMBER",
         "serve metrics and a status page on this port of 127.0.0.1; 0: any free one",
         OPTION_INTEGER, &s->http_port, 0, PORT_MAX, NULL},
        {"log-level", "debug|info|warning|error", "the least important messages to print",
         OPTION_CHOICE, &s->log_level, 0, 0, log_level_names},
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
    enum options_outcome outcome = options_parse(&options, argc, argv, &first_argument_index);
    if (outcome == OPTIONS_RUN &&
        !check_settings(s, &options, argc - first_argument_index, argv + first_argument_index)) {
        return OPTIONS_INVALID;
    }
    option_settings_write(&options, s->in_force);
    return outcome;
}

static struct session_store_limits find_store_limits(const struct settings *settings) {
    return (struct session_store_limits){
        .capacity = (size_t)settings->session_count_max,
        .peer_max = session_store_peer_max(settings->peer_connection_count_max),
        .ttl_ms = settings->session_ttl_ms,
    };
}

/* The parts, in the order in which they are built. */
struct daemon {
    int signal_fd;
    struct http_server http;
    struct session_store store;
    struct session_store_measured measured;
    struct service_manager manager;
    struct sequence_server server;
    struct figures figures;
};

static struct sequence_server_configuration configure_server(const struct settings *settings,
                                                             struct daemon *daemon,
                                                             const struct logger *logger) {
    return (struct sequence_server_configuration){
        .addresses = &settings->addresses,
        .port = (uint16_t)settings->port,
        .connection_count_max = (size_t)settings->connection_count_max,
        .peer_connection_count_max = settings->peer_connection_count_max,
        .offline_ms = settings->offline_ms,
        .connection = {.idle_timeout_ms = settings->idle_timeout_ms,
                       .session_timeout_ms = settings->session_timeout_ms,
                       .tick_ms = settings->tick_ms},
        .conversation = {.store = &daemon->store,
                         .kind = settings->is_test_mode ? GENERATOR_PYTHON : GENERATOR_KEYED,
                         .is_ticking = settings->tick_ms > 0,
                         .fail_every = (uint64_t)settings->fail_every},
        .manager = &daemon->manager,
        .inquiry = http_server_inquiry(&daemon->http),
        .logger = logger,
    };
}

/* Builds the parts, each on those before it. False: why not was printed. */
static bool build(struct daemon *daemon, const struct settings *settings,
                  const struct logger *logger) {
    const struct session_store_limits limits = find_store_limits(settings);
    daemon->signal_fd = startup_prepare_process(logger);
    if (daemon->signal_fd < 0 || !http_server_open(&daemon->http, settings->http_port, logger) ||
        session_store_open(&daemon->store, &settings->store_choice, "sequence", &limits, logger) !=
            0) {
        return false;
    }
    if (http_server_inquiry(&daemon->http) != NULL) {
        session_store_measure(&daemon->measured, &daemon->store);
    }
    service_manager_open(&daemon->manager, logger);
    const struct sequence_server_configuration configuration =
        configure_server(settings, daemon, logger);
    if (sequence_server_open(&daemon->server, &configuration, daemon->signal_fd) != 0) {
        return false;
    }
    daemon->figures = (struct figures){.server = &daemon->server, .store = &daemon->measured};
    const struct http_server_configuration http_configuration = {
        .source = figures_source(&daemon->figures),
        .settings = settings->in_force,
        .logger = logger};
    return http_server_start(&daemon->http, &http_configuration);
}

/* Takes down what there is, in reverse. */
static void take_down(struct daemon *daemon) {
    http_server_stop(&daemon->http);
    sequence_server_close(&daemon->server);
    service_manager_close(&daemon->manager);
    session_store_destroy(&daemon->store);
    http_server_close(&daemon->http);
    if (daemon->signal_fd >= 0) {
        (void)os_close(daemon->signal_fd);
    }
}

int main(int argc, char **argv) {
    struct settings settings;
    struct logger logger;
    struct daemon daemon = {0};
    enum exit_code code = EXIT_CODE_START_FAILURE;
    set_defaults(&settings);
    switch (read_settings(&settings, argc, argv)) {
    case OPTIONS_RUN:
        break;
    case OPTIONS_SHOWN:
        return EXIT_CODE_OK;
    case OPTIONS_INVALID:
        return EXIT_CODE_USAGE;
    }
    logger_init(&logger, (enum log_level)settings.log_level);
    if (build(&daemon, &settings, &logger)) {
        /* Until a signal arrives. */
        code = sequence_server_run(&daemon.server) == 0 ? EXIT_CODE_OK : EXIT_CODE_IO_FAILURE;
    }
    take_down(&daemon);
    return (int)code;
}
