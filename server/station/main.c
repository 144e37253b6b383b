/* The composition root of the station: options, store, server. */
#include "server/runtime/exit_code.h"
#include "server/sessions/session_daemon.h"
#include "server/station/configuration.h"
#include "server/station/figures.h"
#include "server/station/station_server.h"

/* The parts, in the order in which they are built. */
struct daemon {
    struct session_daemon base;
    struct station_server server;
};

static struct station_server_configuration
configure_server(const struct configuration *configuration, struct daemon *daemon) {
    return (struct station_server_configuration){
        .drain_ms = configuration->drain_ms,
        .services = {.store = &daemon->base.store,
                     .stream_count_max = (size_t)configuration->stream_count_max,
                     .tick_ms = configuration->tick_ms,
                     .fail_every = (uint64_t)configuration->fail_every,
                     .offline_ms = configuration->offline_ms},
    };
}

/* Builds the parts, each on those before it. False: why not was printed. */
static bool build(struct daemon *daemon, const struct configuration *configuration) {
    int64_t note_ttl_ms = configuration->daemon.session_ttl_ms + configuration->tombstone_ttl_ms;
    if (!session_daemon_build(&daemon->base, &configuration->daemon, "station", note_ttl_ms)) {
        return false;
    }
    const struct station_server_configuration server_configuration =
        configure_server(configuration, daemon);
    return station_server_open(&daemon->server, &server_configuration, &daemon->base) == 0 &&
           session_daemon_start_page(&daemon->base, figures_source(&daemon->server));
}

/* Takes down what there is, in reverse. */
static void take_down(struct daemon *daemon) {
    session_daemon_stop(&daemon->base);
    station_server_close(&daemon->server);
    session_daemon_take_down(&daemon->base);
}

int main(int argc, char **argv) {
    struct configuration configuration;
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
    if (build(&daemon, &configuration)) {
        /* Until a signal arrives. */
        code = station_server_run(&daemon.server) == 0 ? EXIT_CODE_OK : EXIT_CODE_IO_FAILURE;
    }
    take_down(&daemon);
    return (int)code;
}
