/*
 * The numbers server: reads the options, builds the parts, runs the loop, and takes the parts down
 * again in the opposite order. The only place that knows all of them.
 */
#include <assert.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "server/numbers/bulk_loader.h"
#include "server/numbers/configuration.h"
#include "server/numbers/figures.h"
#include "server/numbers/limits.h"
#include "server/numbers/log/log_file.h"
#include "server/numbers/log_loader.h"
#include "server/numbers/log/log_writer.h"
#include "server/numbers/log/tail_guard.h"
#include "server/numbers/numbers_server.h"
#include "server/numbers/pipeline.h"
#include "server/numbers/reporter.h"
#include "server/numbers/tally.h"
#include "server/runtime/http/http_server.h"
#include "server/runtime/memory_limit.h"
#include "server/runtime/os.h"
#include "server/runtime/profile.h"
#include "server/runtime/service_manager.h"
#include "server/runtime/signals.h"
#include "server/runtime/startup.h"

static_assert((int)OPTION_LIST_CAPACITY <= (int)LISTENER_CAPACITY,
              "every --bind that the command line takes can be listened on");

struct daemon {
    struct configuration configuration;
    struct logger logger;
    struct service_manager manager;
    struct listener listener;
    struct log_file log;
    struct tail_guard guard;
    void *map_memory;
    struct dedup_map map;
    struct wakeup progress;
    struct log_writer writer;
    struct tally tally;
    struct pipeline pipeline;
    struct reporter reporter;
    struct numbers_server server;
    struct http_server http;
    int signal_fd;
};

/* The layers from here on build one part each, run what is above it, and take the part down again.
 * They are listed from the last one to the first. */

/* Counts the numbers of the log as seen, and says how much of it is whole lines. */
static enum log_file_status load_log(struct daemon *daemon, off_t *kept_size) {
    struct bulk_loader_configuration bulk = {
        .log = &daemon->log,
        .parser = &daemon->configuration.parser,
        .pipeline = &daemon->pipeline,
        .progress = &daemon->progress,
        .stop_fd = daemon->signal_fd,
        .logger = &daemon->logger,
    };
    struct log_loader_configuration configuration = {
        .log = &daemon->log,
        .map = &daemon->map,
        .parser = &daemon->configuration.parser,
        .stop_fd = daemon->signal_fd,
        .logger = &daemon->logger,
    };
    if (daemon->log.is_regular) {
        switch (bulk_loader_load(&bulk, &configuration.loaded_count)) {
        case BULK_LOADER_LOADED:
            break; /* what is behind the whole lines is the other one's */
        case BULK_LOADER_REPEATED:
        case BULK_LOADER_FAILED:
            /* Once more, one line after the other, to say which one is wrong. */
            configuration.loaded_count = 0;
            memset(daemon->map_memory, 0, dedup_map_size());
            break;
        case BULK_LOADER_STOPPED:
            return LOG_FILE_STOPPED;
        }
    }
    return log_loader_load(&configuration, kept_size);
}

/* Empties the log, or counts its numbers as seen. Whatever can fail comes first: a start that fails
 * must not have changed the old log. */
static enum log_file_status prepare_log(struct daemon *daemon) {
    off_t kept_size = 0;
    enum log_file_status status = LOG_FILE_OK;
    if (daemon->configuration.resumes) {
        status = load_log(daemon, &kept_size);
    }
    if (status == LOG_FILE_OK && daemon->configuration.durability != DURABILITY_NEVER) {
        status = log_file_sync(&daemon->log, &daemon->logger);
    }
    if (status == LOG_FILE_OK) {
        status = log_file_cut(&daemon->log, kept_size, &daemon->logger);
    }
    return status;
}

/* The old log is touched as late as can be, and nothing fails after that. */
static enum exit_code run_with_prepared_log(struct daemon *daemon) {
    enum log_file_status status = prepare_log(daemon);
    if (status == LOG_FILE_STOPPED) {
        logger_print(&daemon->logger, LOG_LEVEL_INFO, "asked to end while loading the log");
        return EXIT_CODE_OK;
    }
    if (status != LOG_FILE_OK) {
        return EXIT_CODE_START_FAILURE;
    }
    if (daemon->log.guard != NULL) {
        tail_guard_arm(&daemon->guard);
    }
    reporter_begin(&daemon->reporter);
    listener_announce(&daemon->listener, &daemon->logger);
    service_manager_say_ready(&daemon->manager);
    return numbers_server_run(&daemon->server);
}

/* Before the log is prepared, which may take long: who looks meanwhile is told so. */
static enum exit_code run_with_status_page(struct daemon *daemon) {
    struct http_server_configuration configuration = {
        .source = figures_source(&daemon->server),
        .settings = daemon->configuration.settings,
        .logger = &daemon->logger,
    };
    if (!http_server_start(&daemon->http, &configuration)) {
        return EXIT_CODE_START_FAILURE;
    }
    enum exit_code exit_code = run_with_prepared_log(daemon);
    http_server_stop(&daemon->http);
    return exit_code;
}

static enum exit_code run_with_reporter(struct daemon *daemon) {
    int error = reporter_init(&daemon->reporter, &daemon->tally, STDOUT_FILENO,
                              daemon->configuration.report_interval_ms, &daemon->manager);
    if (error != 0) {
        return startup_fail(&daemon->logger, "start the reporter", error);
    }
    enum exit_code exit_code = run_with_status_page(daemon);
    reporter_finish(&daemon->reporter);
    return exit_code;
}

static enum exit_code run_with_server(struct daemon *daemon) {
    struct numbers_server_configuration configuration = {
        .client_capacity = (size_t)daemon->configuration.client_capacity,
        .when_full = (enum when_full)daemon->configuration.when_full,
        .idle_timeout_ms = daemon->configuration.idle_timeout_ms,
        .refuses_remote_terminate = daemon->configuration.refuses_remote_terminate,
        .listener = &daemon->listener,
        .signal_fd = daemon->signal_fd,
        .manager = &daemon->manager,
        .guard_fd = daemon->log.guard != NULL ? daemon->guard.socket_fd : -1,
        .progress = &daemon->progress,
        .parser = &daemon->configuration.parser,
        .pipeline = &daemon->pipeline,
        .writer = &daemon->writer,
        .inquiry = http_server_inquiry(&daemon->http),
        .logger = &daemon->logger,
    };
    int error = numbers_server_init(&daemon->server, &configuration);
    if (error != 0) {
        return startup_fail(&daemon->logger, "start the server", error);
    }
    /* Fewer connections without a place do as well; fewer clients are worth a warning. */
    (void)os_allow_descriptors(configuration.client_capacity + PLACELESS_COUNT_MAX +
                               DESCRIPTORS_BESIDE_CLIENTS);
    startup_allow_clients(configuration.client_capacity, DESCRIPTORS_BESIDE_CLIENTS,
                          &daemon->logger);
    enum exit_code exit_code = run_with_reporter(daemon);
    numbers_server_destroy(&daemon->server);
    return exit_code;
}

static enum exit_code run_with_pipeline(struct daemon *daemon) {
    struct pipeline_configuration configuration = {
        .map = &daemon->map,
        .formatter = &daemon->configuration.formatter,
        .writer = &daemon->writer,
        .tally = &daemon->tally,
        .progress = &daemon->progress,
        .worker_count = (size_t)daemon->configuration.worker_count,
    };
    int error = pipeline_init(&daemon->pipeline, &configuration);
    if (error != 0) {
        return startup_fail(&daemon->logger, "start the workers", error);
    }
    enum exit_code exit_code = run_with_server(daemon);
    pipeline_destroy(&daemon->pipeline);
    return exit_code;
}

static bool has_direct_blocks(const struct daemon *daemon) {
    return daemon->log.is_direct &&
           daemon->configuration.worker_count <= DIRECT_BLOCK_WORKER_COUNT_MAX;
}

static enum exit_code run_with_writer(struct daemon *daemon) {
    if (daemon->configuration.direct_io == DIRECT_IO_AUTO) {
        log_file_open_direct(&daemon->log);
    }
    struct log_writer_configuration configuration = {
        .log = &daemon->log,
        .line_size = LINE_SIZE,
        .block_size = has_direct_blocks(daemon) ? DIRECT_BLOCK_SIZE : BLOCK_SIZE,
        .block_slack_size = NUMBER_FORMATTER_SLACK_SIZE,
        .block_count = has_direct_blocks(daemon)
                           ? DIRECT_BLOCK_COUNT
                           : BLOCKS_PER_WORKER * (size_t)daemon->configuration.worker_count,
        /* A device has nothing to force to a disk, and says so with an error. */
        .durability = daemon->log.is_regular ? (enum durability)daemon->configuration.durability
                                             : DURABILITY_NEVER,
        .sync_interval_ms = daemon->configuration.sync_interval_ms,
        .disk_patience = {.debt_ms_max = SLOW_DISK_DEBT_MS, .rest_ms = SLOW_DISK_REST_MS},
        .logger = &daemon->logger,
        .progress = &daemon->progress,
    };
    int error = log_writer_init(&daemon->writer, &configuration);
    if (error != 0) {
        return startup_fail(&daemon->logger, "start the log writer", error);
    }
    enum exit_code exit_code = run_with_pipeline(daemon);
    log_writer_finish(&daemon->writer);
    log_writer_destroy(&daemon->writer);
    return exit_code;
}

static enum exit_code run_with_wakeup(struct daemon *daemon) {
    int error = wakeup_init(&daemon->progress);
    if (error != 0) {
        return startup_fail(&daemon->logger, "create an eventfd", error);
    }
    enum exit_code exit_code = run_with_writer(daemon);
    wakeup_destroy(&daemon->progress);
    return exit_code;
}

static enum exit_code run_with_map(struct daemon *daemon) {
    daemon->map_memory = os_map_memory(dedup_map_size());
    if (daemon->map_memory == NULL) {
        logger_print(&daemon->logger, LOG_LEVEL_ERROR, "cannot get %zu bytes for the map",
                     dedup_map_size());
        return EXIT_CODE_START_FAILURE;
    }
    dedup_map_init(&daemon->map, daemon->map_memory);
    enum exit_code exit_code = run_with_wakeup(daemon);
    os_unmap_memory(daemon->map_memory, dedup_map_size());
    return exit_code;
}

/* Behind the log, so that it can be told from it, and behind the guard, which is not profiled. */
static enum exit_code run_with_profile(struct daemon *daemon) {
    const char *path = daemon->configuration.profile_path;
    if (path == NULL) {
        return run_with_map(daemon);
    }
    struct profile profile;
    enum exit_code exit_code = profile_start(&profile, path, daemon->log.fd, &daemon->logger);
    if (exit_code != EXIT_CODE_OK) {
        return exit_code;
    }
    exit_code = run_with_map(daemon);
    profile_stop(&profile, &daemon->logger);
    return exit_code;
}

/* The guard is forked while the process is small and has one thread. */
static enum exit_code run_with_guard(struct daemon *daemon) {
    if (!daemon->log.is_regular) {
        return run_with_profile(daemon);
    }
    int error = tail_guard_start(&daemon->guard, daemon->log.fd);
    if (error != 0) {
        return startup_fail(&daemon->logger, "start the tail guard", error);
    }
    daemon->log.guard = &daemon->guard;
    enum exit_code exit_code = run_with_profile(daemon);
    if (!tail_guard_finish(&daemon->guard)) {
        logger_print(&daemon->logger, LOG_LEVEL_WARNING,
                     "the tail guard, process %d, goes on waiting for room to cut a torn line off",
                     (int)daemon->guard.pid);
    }
    return exit_code;
}

static enum exit_code run_with_log(struct daemon *daemon) {
    if (log_file_open(&daemon->log, daemon->configuration.log_path, &daemon->logger) !=
        LOG_FILE_OK) {
        return EXIT_CODE_START_FAILURE;
    }
    enum exit_code exit_code = run_with_guard(daemon);
    log_file_close(&daemon->log);
    return exit_code;
}

static enum exit_code run_with_http_port(struct daemon *daemon) {
    if (!http_server_open(&daemon->http, daemon->configuration.http_port, &daemon->logger)) {
        return EXIT_CODE_START_FAILURE;
    }
    enum exit_code exit_code = run_with_log(daemon);
    http_server_close(&daemon->http);
    return exit_code;
}

/* The ports come before the log: a second server started by mistake must not empty anything. */
static enum exit_code run_with_listener(struct daemon *daemon) {
    const struct configuration *configuration = &daemon->configuration;
    if (startup_listen(&daemon->listener, NULL, &configuration->addresses, configuration->port,
                       &daemon->logger) != 0) {
        return EXIT_CODE_START_FAILURE;
    }
    enum exit_code exit_code = run_with_http_port(daemon);
    listener_close(&daemon->listener);
    return exit_code;
}

/* Memory is made present at the start: whoever may not have it is killed then. */
static bool check_memory(const struct daemon *daemon) {
    uint64_t worker_count = (uint64_t)daemon->configuration.worker_count;
    uint64_t blocks_size = worker_count <= DIRECT_BLOCK_WORKER_COUNT_MAX
                               ? MEMORY_DIRECT_SIZE
                               : worker_count * MEMORY_PER_WORKER_SIZE;
    return memory_limit_check(MEMORY_SHARED_SIZE + blocks_size + MEMORY_REST_SIZE,
                              worker_count + THREADS_BESIDE_WORKERS, &daemon->logger);
}

/* SIGUSR1 opens the log anew. */
static bool receive_signals(struct daemon *daemon) {
    daemon->signal_fd = startup_prepare_process(&daemon->logger);
    if (daemon->signal_fd < 0) {
        return false;
    }
    int error = signals_add(daemon->signal_fd, SIGUSR1);
    if (error != 0) {
        (void)startup_fail(&daemon->logger, "receive SIGUSR1", error);
        (void)os_close(daemon->signal_fd);
    }
    return error == 0;
}

static enum exit_code run(struct daemon *daemon) {
    if (!receive_signals(daemon)) {
        return EXIT_CODE_START_FAILURE;
    }
    service_manager_open(&daemon->manager, &daemon->logger);
    enum exit_code exit_code =
        check_memory(daemon) ? run_with_listener(daemon) : EXIT_CODE_START_FAILURE;
    service_manager_close(&daemon->manager);
    (void)os_close(daemon->signal_fd);
    return exit_code;
}

int main(int argc, char **argv) {
    struct daemon daemon = {0};
    switch (configuration_read(&daemon.configuration, argc, argv)) {
    case OPTIONS_SHOWN:
        return EXIT_CODE_OK;
    case OPTIONS_INVALID:
        return EXIT_CODE_USAGE;
    case OPTIONS_RUN:
        break;
    }
    logger_init(&daemon.logger, (enum log_level)daemon.configuration.log_level);
    return (int)run(&daemon);
}
