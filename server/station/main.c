/* The composition root of the station: options, store, server. */
#include <stdlib.h>

#include "server/runtime/logger.h"
#include "server/runtime/os.h"
#include "server/runtime/startup.h"
#include "server/sessions/session_store_memory.h"
#include "server/sessions/session_store_redis.h"
#include "server/station/configuration.h"
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

/* Serves until a signal arrives. */
static enum exit_code serve(struct session_store *store, const struct configuration *configuration,
                            struct service_manager *manager, const struct logger *logger,
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
        .manager = manager,
        .logger = logger,
    };
    struct station_server server;
    if (station_server_open(&server, &server_configuration, signal_fd) != 0) {
        return EXIT_CODE_START_FAILURE;
    }
    int error = station_server_run(&server);
    station_server_close(&server);
    return error == 0 ? EXIT_CODE_OK : EXIT_CODE_IO_FAILURE;
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
    struct session_store store;
    enum exit_code code = open_store(&store, &configuration, &logger);
    if (code == EXIT_CODE_OK) {
        struct service_manager manager;
        service_manager_open(&manager, &logger);
        code = serve(&store, &configuration, &manager, &logger, signal_fd);
        service_manager_close(&manager);
        session_store_destroy(&store);
    }
    (void)os_close(signal_fd);
    return (int)code;
}
