/* The composition root of the station: options, store, server. */
#include <stdlib.h>

#include "server/runtime/http/http_server.h"
#include "server/runtime/logger.h"
#include "server/runtime/os.h"
#include "server/runtime/startup.h"
#include "server/sessions/session_store_measured.h"
#include "server/sessions/session_store_memory.h"
#include "server/sessions/session_store_redis.h"
#include "server/station/configuration.h"
#include "server/station/figures.h"
#include "server/station/limits.h"
#include "server/station/station_server.h"

/* Opens the store that --store names. Unless that succeeds, why is printed. */
static enum exit_code open_store(struct session_store *store,
                                 const struct configuration *configuration,
                                 const struct logger *logger) {
    const struct session_store_limits limits = {
        .capacity = (size_t)configuration->session_count_max,
        .ttl_ms = configuration->session_ttl_ms,
        .note_capacity = (size_t)configuration->session_count_max,
        .note_ttl_ms = configuration->session_ttl_ms + configuration->tombstone_ttl_ms,
    };
    if (!configuration->uses_redis) {
        int error = session_store_memory_open(store, &limits);
        return error == 0 ? EXIT_CODE_OK : startup_fail(logger, "make room for sequences", error);
    }
    const struct redis_client_configuration redis = {
        .location = configuration->redis, .password = getenv("REDIS_PASSWORD"), .logger = logger};
    return session_store_redis_open(store, &redis, "station", &limits) == 0
               ? EXIT_CODE_OK
               : EXIT_CODE_START_FAILURE;
}

/* Who is told about the server: the service manager, and the status page, if there is one. */
struct told {
    struct service_manager manager;
    struct http_server http;
    struct session_store_measured store;
};

/* Serves, and is looked at, until a signal arrives. */
static enum exit_code serve_and_tell(struct station_server *server, struct told *told,
                                     const struct configuration *configuration) {
    const struct figures figures = {.server = server, .store = &told->store};
    const struct http_server_configuration http_configuration = {
        .source = figures_source(&figures),
        .settings = configuration->settings,
        .logger = server->configuration.logger,
    };
    if (!http_server_start(&told->http, &http_configuration)) {
        return EXIT_CODE_START_FAILURE;
    }
    int error = station_server_run(server);
    http_server_stop(&told->http);
    return error == 0 ? EXIT_CODE_OK : EXIT_CODE_IO_FAILURE;
}

/* Serves until a signal arrives. */
static enum exit_code serve(struct session_store *store, struct told *told,
                            const struct configuration *configuration, const struct logger *logger,
                            int signal_fd) {
    const struct station_server_configuration server_configuration = {
        .addresses = &configuration->addresses,
        .port = (uint16_t)configuration->port,
        .connection_count_max = (size_t)configuration->connection_count_max,
        .peer_connection_count_max = configuration->peer_connection_count_max < 0
                                         ? LIMIT_CONNECTIONS_PER_PEER_DEFAULT
                                         : (size_t)configuration->peer_connection_count_max,
        .is_loopback_limited = configuration->peer_connection_count_max >= 0,
        .drain_ms = configuration->drain_ms,
        .services = {.store = store,
                     .stream_count_max = (size_t)configuration->stream_count_max,
                     .tick_ms = configuration->tick_ms,
                     .fail_every = (uint64_t)configuration->fail_every,
                     .offline_ms = configuration->offline_ms},
        .manager = &told->manager,
        .inquiry = http_server_inquiry(&told->http),
        .logger = logger,
    };
    struct station_server server;
    if (station_server_open(&server, &server_configuration, signal_fd) != 0) {
        return EXIT_CODE_START_FAILURE;
    }
    enum exit_code code = serve_and_tell(&server, told, configuration);
    station_server_close(&server);
    return code;
}

static enum exit_code run(const struct configuration *configuration, const struct logger *logger,
                          int signal_fd) {
    struct session_store store;
    static struct told told;
    if (!http_server_open(&told.http, configuration->http_port, logger)) {
        return EXIT_CODE_START_FAILURE;
    }
    enum exit_code code = open_store(&store, configuration, logger);
    if (code == EXIT_CODE_OK) {
        if (http_server_inquiry(&told.http) != NULL) {
            session_store_measure(&told.store, &store);
        }
        service_manager_open(&told.manager, logger);
        code = serve(&store, &told, configuration, logger, signal_fd);
        service_manager_close(&told.manager);
        session_store_destroy(&store);
    }
    http_server_close(&told.http);
    return code;
}

int main(int argc, char **argv) {
    struct configuration configuration;
    switch (configuration_read(&configuration, argc, argv)) {
    case OPTIONS_RUN:
        break;
    case OPTIONS_SHOWN:
        return EXIT_CODE_OK;
    case OPTIONS_INVALID:
        return EXIT_CODE_USAGE;
    }
    struct logger logger;
    logger_init(&logger, (enum log_level)configuration.log_level);
    int signal_fd = startup_prepare_process(&logger);
    if (signal_fd < 0) {
        return EXIT_CODE_START_FAILURE;
    }
    enum exit_code code = run(&configuration, &logger, signal_fd);
    (void)os_close(signal_fd);
    return (int)code;
}
