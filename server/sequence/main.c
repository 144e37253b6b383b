/* The composition root of the sequence server: options, store, server. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "server/runtime/http/http_server.h"
#include "server/runtime/option_settings.h"
#include "server/runtime/options.h"
#include "server/runtime/os.h"
#include "server/runtime/startup.h"
#include "server/sequence/figures.h"
#include "server/sequence/limits.h"
#include "server/sequence/sequence_server.h"
#include "server/sessions/session_store_measured.h"
#include "server/sessions/session_store_memory.h"
#include "server/sessions/session_store_redis.h"

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
    struct redis_location redis;
    bool uses_redis;
    int64_t http_port;                       /* HTTP_PORT_NONE: no status page */
    char in_force[OPTION_SETTINGS_CAPACITY]; /* the options, for the page */
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
    settings->uses_redis = strcmp(settings->store, "memory") != 0;
    const char *problem =
        settings->uses_redis ? redis_location_parse(settings->store, &settings->redis) : NULL;
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
         "clients of one address; 0: no limit (default: 256, and no limit on this machine)",
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
            "--test-mode; REDIS_PASSWORD\nis used to log in to Redis.",
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

/* Returns 0, or a negative errno value with the reason printed. */
static int open_store(struct session_store *store, const struct settings *settings,
                      const struct logger *logger) {
    const struct session_store_limits limits = {.capacity = (size_t)settings->session_count_max,
                                                .ttl_ms = settings->session_ttl_ms};
    if (settings->uses_redis) {
        const struct redis_client_configuration configuration = {
            .location = settings->redis, .password = getenv("REDIS_PASSWORD"), .logger = logger};
        return session_store_redis_open(store, &configuration, "sequence", &limits);
    }
    int error = session_store_memory_open(store, &limits);
    if (error != 0) {
        (void)startup_fail(logger, "make room for the sessions", error);
    }
    return error;
}

/* Who is told about the server: the service manager, and the status page, if there is one. */
struct told {
    struct service_manager manager;
    struct http_server http;
    struct session_store_measured store;
};

/* Serves, and is looked at, until a signal arrives. */
static enum exit_code serve_and_tell(struct sequence_server *server, struct told *told,
                                     const struct settings *settings) {
    const struct figures figures = {.server = server, .store = &told->store};
    const struct http_server_configuration configuration = {
        .source = figures_source(&figures),
        .settings = settings->in_force,
        .logger = server->configuration.logger,
    };
    if (!http_server_start(&told->http, &configuration)) {
        return EXIT_CODE_START_FAILURE;
    }
    int error = sequence_server_run(server);
    http_server_stop(&told->http);
    return error == 0 ? EXIT_CODE_OK : EXIT_CODE_IO_FAILURE;
}

/* Serves with the store until a signal arrives. */
static enum exit_code serve(struct session_store *store, struct told *told,
                            const struct settings *settings, const struct logger *logger,
                            int signal_fd) {
    const struct sequence_server_configuration configuration = {
        .addresses = &settings->addresses,
        .port = (uint16_t)settings->port,
        .connection_count_max = (size_t)settings->connection_count_max,
        .peer_connection_count_max = settings->peer_connection_count_max < 0
                                         ? LIMIT_CONNECTIONS_PER_PEER_DEFAULT
                                         : (size_t)settings->peer_connection_count_max,
        .is_loopback_limited = settings->peer_connection_count_max >= 0,
        .offline_ms = settings->offline_ms,
        .connection = {.idle_timeout_ms = settings->idle_timeout_ms,
                       .session_timeout_ms = settings->session_timeout_ms,
                       .tick_ms = settings->tick_ms},
        .conversation = {.store = store,
                         .kind = settings->is_test_mode ? GENERATOR_PYTHON : GENERATOR_KEYED,
                         .is_ticking = settings->tick_ms > 0,
                         .fail_every = (uint64_t)settings->fail_every},
        .manager = &told->manager,
        .inquiry = http_server_inquiry(&told->http),
        .logger = logger,
    };
    struct sequence_server server;
    if (sequence_server_open(&server, &configuration, signal_fd) != 0) {
        return EXIT_CODE_START_FAILURE;
    }
    enum exit_code code = serve_and_tell(&server, told, settings);
    sequence_server_close(&server);
    return code;
}

static enum exit_code run(const struct settings *settings, const struct logger *logger,
                          int signal_fd) {
    struct session_store store;
    static struct told told;
    enum exit_code code = EXIT_CODE_START_FAILURE;
    if (!http_server_open(&told.http, settings->http_port, logger)) {
        return code;
    }
    if (open_store(&store, settings, logger) == 0) {
        if (http_server_inquiry(&told.http) != NULL) {
            session_store_measure(&told.store, &store);
        }
        service_manager_open(&told.manager, logger);
        code = serve(&store, &told, settings, logger, signal_fd);
        service_manager_close(&told.manager);
        session_store_destroy(&store);
    }
    http_server_close(&told.http);
    return code;
}

int main(int argc, char **argv) {
    struct settings settings;
    struct logger logger;
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
    int signal_fd = startup_prepare_process(&logger);
    if (signal_fd < 0) {
        return EXIT_CODE_START_FAILURE;
    }
    enum exit_code code = run(&settings, &logger, signal_fd);
    (void)os_close(signal_fd);
    return (int)code;
}
