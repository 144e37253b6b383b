/* The composition root of the sequence server: options, store, server. */
#include "server/runtime/exit_code.h"
#include "server/sequence/configuration.h"
#include "server/sequence/figures.h"
#include "server/sequence/sequence_server.h"
#include "server/sessions/session_daemon.h"

/* The parts, in the order in which they are built. */
struct daemon {
    struct session_daemon base;
    struct sequence_server server;
};

static struct sequence_server_configuration
configure_server(const struct configuration *configuration, struct daemon *daemon) {
    return (struct sequence_server_configuration){
        .offline_ms = configuration->offline_ms,
        .connection = {.idle_timeout_ms = configuration->idle_timeout_ms,
                       .session_timeout_ms = configuration->session_timeout_ms,
                       .tick_ms = configuration->tick_ms},
        .conversation = {.store = &daemon->base.store,
                         .kind = configuration->is_test_mode ? GENERATOR_PYTHON : GENERATOR_KEYED,
                         .is_ticking = configuration->tick_ms > 0,
                         .fail_every = (uint64_t)configuration->fail_every},
    };
}

/* Builds the parts, each on those before it. False: why not was printed. */
static bool build(struct daemon *daemon, const struct configuration *configuration) {
    if (!session_daemon_build(&daemon->base, &configuration->daemon, "sequence", 0)) {
        return false;
    }
    const struct sequence_server_configuration server_configuration =
        configure_server(configuration, daemon);
    return sequence_server_open(&daemon->server, &server_configuration, &daemon->base) == 0 &&
           session_daemon_start_page(&daemon->base, figures_source(&daemon->server));
}

/* Takes down what there is, in reverse. */
static void take_down(struct daemon *daemon) {
    session_daemon_stop(&daemon->base);
    sequence_server_close(&daemon->server);
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
        code = sequence_server_run(&daemon.server) == 0 ? EXIT_CODE_OK : EXIT_CODE_IO_FAILURE;
    }
    take_down(&daemon);
    return (int)code;
}
