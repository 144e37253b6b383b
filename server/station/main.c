/* The composition root of the station: options, store, server. */
#include "server/runtime/http/http_server.h"
#include "server/runtime/logger.h"
#include "server/runtime/os.h"
#include "server/runtime/startup.h"
#include "server/sessions/session_store_measured.h"
#include "server/sessions/session_store_open.h"
#include "server/station/configuration.h"
#include "server/station/figures.h"
#include "server/station/station_server.h"

static struct session_store_limits find_store_limits(const struct configuration *configuration) {
    return (struct session_store_limits){
        .capacity = (size_t)configuration->session_count_max,
        .peer_max = session_store_peer_max(configuration->peer_connection_count_max),
        .ttl_ms = configuration->session_ttl_ms,
        .note_capacity = (size_t)configuration->session_count_max,
        .note_ttl_ms = configuration->session_ttl_ms + configuration->tombstone_ttl_ms,
    };
}

/* The parts, in the order in which they are built. */
struct daemon {
    int signal_fd;
    struct http_server http;
    struct session_store store;
    struct session_store_measured measured;
    struct service_manager manager;
    struct station_server server;
    struct figures figures;
};

static struct station_server_configuration
configure_server(const struct configuration *configuration, struct daemon *daemon,
                 const struct logger *logger) {
    return (struct station_server_configuration){
        .addresses = &configuration->addresses,
        .port = (uint16_t)configuration->port,
        .connection_count_max = (size_t)configuration->connection_count_max,
        .peer_connection_count_max = configuration->peer_connection_count_max,
        .drain_ms = configuration->drain_ms,
        .services = {.store = &daemon->store,
                     .stream_count_max = (size_t)configuration->stream_count_max,
                     .tick_ms = configuration->tick_ms,
                     .fail_every = (uint64_t)configuration->fail_every,
                     .offline_ms = configuration->offline_ms},
        .manager = &daemon->manager,
        .inquiry = http_server_inquiry(&daemon->http),
        .logger = logger,
    };
}

/* Builds the parts, each on those before it. False: why not was printed. */
static bool build(struct daemon *daemon, const struct configuration *configuration,
                  const struct logger *logger) {
    const struct session_store_limits limits = find_store_limits(configuration);
    daemon->signal_fd = startup_prepare_process(logger);
    if (daemon->signal_fd < 0 ||
        !http_server_open(&daemon->http, configuration->http_port, logger) ||
        session_store_open(&daemon->store, &configuration->store_choice, "station", &limits,
                           logger) != 0) {
        return false;
    }
    if (http_server_inquiry(&daemon->http) != NULL) {
        session_store_measure(&daemon->measured, &daemon->store);
    }
    service_manager_open(&daemon->manager, logger);
    const struct station_server_configuration server_configuration =
        configure_server(configuration, daemon, logger);
    if (station_server_open(&daemon->server, &server_configuration, daemon->signal_fd) != 0) {
        return false;
    }
    daemon->figures = (struct figures){.server = &daemon->server, .store = &daemon->measured};
    const struct http_server_configuration http_configuration = {
        .source = figures_source(&daemon->figures),
        .settings = configuration->settings,
        .logger = logger};
    return http_server_start(&daemon->http, &http_configuration);
}

/* Takes down what there is, in reverse. */
static void take_down(struct daemon *daemon) {
    http_server_stop(&daemon->http);
    station_server_close(&daemon->server);
    service_manager_close(&daemon->manager);
    session_store_destroy(&daemon->store);
    http_server_close(&daemon->http);
    if (daemon->signal_fd >= 0) {
        (void)os_close(daemon->signal_fd);
    }
}

int main(int argc, char **argv) {
    struct configuration configuration;
    struct logger logger;
    struct daemon daemon = {0};
    enum exit_code code = EXIT_CODE_START_FAILURE;
    switch (configuration_read(&configuration, argc, argv)) {
    case OPTIONS_RUN:
        break;
    case OPTIONS_SHOWN:
        return EXIT_CODE_OK;
    case OPTIONS_INVALID:
        return EXIT_CODE_USAGE;
    }
    logger_init(&logger, (enum log_level)configuration.log_level);
    if (build(&daemon, &configuration, &logger)) {
        /* Until a signal arrives. */
        code = station_server_run(&daemon.server) == 0 ? EXIT_CODE_OK : EXIT_CODE_IO_FAILURE;
    }
    take_down(&daemon);
    return (int)code;
}
