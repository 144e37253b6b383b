/*
 * The numbers server: reads the options, builds the parts, runs the loop, and takes the parts down
 * again in the opposite order. The only place that knows all of them.
 */
#include <assert.h>
#include <signal.h>
#include <unistd.h>

#include "server/numbers/configuration.h"
#include "server/numbers/figures.h"
#include "server/numbers/limits.h"
#include "server/numbers/log/log_file.h"
#include "server/numbers/log/log_writer.h"
#include "server/numbers/log/tail_guard.h"
#include "server/numbers/numbers_server.h"
#include "server/numbers/pipeline.h"
#include "server/numbers/reporter.h"
#include "server/numbers/resume.h"
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
    struct profile profile;
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

/* The parts, in the order in which they are built. What could not be built has said why. */

/* SIGUSR1 opens the log anew. */
static enum exit_code receive_signals(struct daemon *daemon) {
    daemon->signal_fd = startup_prepare_process(&daemon->logger);
    if (daemon->signal_fd < 0) {
        return EXIT_CODE_START_FAILURE;
    }
    int error = signals_add(daemon->signal_fd, SIGUSR1);
    if (error != 0) {
        (void)os_close(daemon->signal_fd);
        return startup_fail(&daemon->logger, "receive SIGUSR1", error);
    }
    return EXIT_CODE_OK;
}

static void close_signals(struct daemon *daemon) {
    (void)os_close(daemon->signal_fd);
}

static enum exit_code open_service_manager(struct daemon *daemon) {
    service_manager_open(&daemon->manager, &daemon->logger);
    return EXIT_CODE_OK;
}

static void close_service_manager(struct daemon *daemon) {
    service_manager_close(&daemon->manager);
}

/* Memory is made present at the start: whoever may not have it is killed then. */
static enum exit_code check_memory(struct daemon *daemon) {
    uint64_t worker_count = (uint64_t)daemon->configuration.worker_count;
    uint64_t blocks_size = worker_count <= DIRECT_BLOCK_WORKER_COUNT_MAX
                               ? MEMORY_DIRECT_SIZE
                               : worker_count * MEMORY_PER_WORKER_SIZE;
    return memory_limit_check(MEMORY_SHARED_SIZE + blocks_size + MEMORY_REST_SIZE,
                              worker_count + THREADS_BESIDE_WORKERS, &daemon->logger)
               ? EXIT_CODE_OK
               : EXIT_CODE_START_FAILURE;
}

/* The ports come before the log: a second server started by mistake must not empty anything. */
static enum exit_code open_listener(struct daemon *daemon) {
    const struct configuration *configuration = &daemon->configuration;
    return startup_listen(&daemon->listener, NULL, &configuration->addresses, configuration->port,
                          &daemon->logger) == 0
               ? EXIT_CODE_OK
               : EXIT_CODE_START_FAILURE;
}

static void close_listener(struct daemon *daemon) {
    listener_close(&daemon->listener);
}

static enum exit_code open_http_port(struct daemon *daemon) {
    return http_server_open(&daemon->http, daemon->configuration.http_port, &daemon->logger)
               ? EXIT_CODE_OK
               : EXIT_CODE_START_FAILURE;
}

static void close_http_port(struct daemon *daemon) {
    http_server_close(&daemon->http);
}

static enum exit_code open_log(struct daemon *daemon) {
    return log_file_open(&daemon->log, daemon->configuration.log_path, &daemon->logger) ==
                   LOG_FILE_OK
               ? EXIT_CODE_OK
               : EXIT_CODE_START_FAILURE;
}

static void close_log(struct daemon *daemon) {
    log_file_close(&daemon->log);
}

/* Forked while the process is small and has one thread. */
static enum exit_code start_guard(struct daemon *daemon) {
    if (!daemon->log.is_regular) {
        return EXIT_CODE_OK;
    }
    int error = tail_guard_start(&daemon->guard, daemon->log.fd);
    if (error != 0) {
        return startup_fail(&daemon->logger, "start the tail guard", error);
    }
    daemon->log.guard = &daemon->guard;
    return EXIT_CODE_OK;
}

static void finish_guard(struct daemon *daemon) {
    if (daemon->log.guard != NULL && !tail_guard_finish(&daemon->guard)) {
        logger_print(&daemon->logger, LOG_LEVEL_WARNING,
                     "the tail guard, process %d, goes on waiting for room to cut a torn line off",
                     (int)daemon->guard.pid);
    }
}

/* Behind the log, so that it can be told from it, and behind the guard, which is not profiled. */
static enum exit_code start_profile(struct daemon *daemon) {
    const char *path = daemon->configuration.profile_path;
    return path != NULL ? profile_start(&daemon->profile, path, daemon->log.fd, &daemon->logger)
                        : EXIT_CODE_OK;
}

static void stop_profile(struct daemon *daemon) {
    if (daemon->configuration.profile_path != NULL) {
        profile_stop(&daemon->profile, &daemon->logger);
    }
}

static enum exit_code make_map(struct daemon *daemon) {
    daemon->map_memory = os_map_memory(dedup_map_size());
    if (daemon->map_memory == NULL) {
        logger_print(&daemon->logger, LOG_LEVEL_ERROR, "cannot get %zu bytes for the map",
                     dedup_map_size());
        return EXIT_CODE_START_FAILURE;
    }
    dedup_map_init(&daemon->map, daemon->map_memory);
    return EXIT_CODE_OK;
}

static void free_map(struct daemon *daemon) {
    os_unmap_memory(daemon->map_memory, dedup_map_size());
}

static enum exit_code make_wakeup(struct daemon *daemon) {
    int error = wakeup_init(&daemon->progress);
    return error == 0 ? EXIT_CODE_OK : startup_fail(&daemon->logger, "create an eventfd", error);
}

static void close_wakeup(struct daemon *daemon) {
    wakeup_destroy(&daemon->progress);
}

static bool has_direct_blocks(const struct daemon *daemon) {
    return daemon->log.is_direct &&
           daemon->configuration.worker_count <= DIRECT_BLOCK_WORKER_COUNT_MAX;
}

static enum exit_code start_writer(struct daemon *daemon) {
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
    return error == 0 ? EXIT_CODE_OK : startup_fail(&daemon->logger, "start the log writer", error);
}

static void finish_writer(struct daemon *daemon) {
    log_writer_finish(&daemon->writer);
    log_writer_destroy(&daemon->writer);
}

static enum exit_code start_pipeline(struct daemon *daemon) {
    struct pipeline_configuration configuration = {
        .map = &daemon->map,
        .formatter = &daemon->configuration.formatter,
        .writer = &daemon->writer,
        .tally = &daemon->tally,
        .progress = &daemon->progress,
        .worker_count = (size_t)daemon->configuration.worker_count,
    };
    int error = pipeline_init(&daemon->pipeline, &configuration);
    return error == 0 ? EXIT_CODE_OK : startup_fail(&daemon->logger, "start the workers", error);
}

static void stop_pipeline(struct daemon *daemon) {
    pipeline_destroy(&daemon->pipeline);
}

static enum exit_code make_server(struct daemon *daemon) {
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
    return EXIT_CODE_OK;
}

static void free_server(struct daemon *daemon) {
    numbers_server_destroy(&daemon->server);
}

static enum exit_code start_reporter(struct daemon *daemon) {
    int error = reporter_init(&daemon->reporter, &daemon->tally, STDOUT_FILENO,
                              daemon->configuration.report_interval_ms, &daemon->manager);
    return error == 0 ? EXIT_CODE_OK : startup_fail(&daemon->logger, "start the reporter", error);
}

static void finish_reporter(struct daemon *daemon) {
    reporter_finish(&daemon->reporter);
}

/* Before the log is prepared, which may take long: who looks meanwhile is told so. */
static enum exit_code start_status_page(struct daemon *daemon) {
    struct http_server_configuration configuration = {
        .source = figures_source(&daemon->server),
        .settings = daemon->configuration.settings,
        .logger = &daemon->logger,
    };
    return http_server_start(&daemon->http, &configuration) ? EXIT_CODE_OK
                                                            : EXIT_CODE_START_FAILURE;
}

static void stop_status_page(struct daemon *daemon) {
    http_server_stop(&daemon->http);
}

static const struct part {
    enum exit_code (*build)(struct daemon *daemon);
    void (*take_down)(struct daemon *daemon); /* in reverse; NULL: nothing to do */
} parts[] = {
    {receive_signals, close_signals},
    {open_service_manager, close_service_manager},
    {check_memory, NULL},
    {open_listener, close_listener},
    {open_http_port, close_http_port},
    {open_log, close_log},
    {start_guard, finish_guard},
    {start_profile, stop_profile},
    {make_map, free_map},
    {make_wakeup, close_wakeup},
    {start_writer, finish_writer},
    {start_pipeline, stop_pipeline},
    {make_server, free_server},
    {start_reporter, finish_reporter},
    {start_status_page, stop_status_page},
};

/* Empties the log, or counts its numbers as seen. Whatever can fail comes first: a start that fails
 * must not have changed the old log. */
static enum log_file_status prepare_log(struct daemon *daemon) {
    const struct resume_configuration configuration = {
        .log = &daemon->log,
        .map = &daemon->map,
        .parser = &daemon->configuration.parser,
        .pipeline = &daemon->pipeline,
        .progress = &daemon->progress,
        .stop_fd = daemon->signal_fd,
        .logger = &daemon->logger,
    };
    off_t kept_size = 0;
    enum log_file_status status =
        daemon->configuration.resumes ? resume_load(&configuration, &kept_size) : LOG_FILE_OK;
    if (status == LOG_FILE_OK && daemon->configuration.durability != DURABILITY_NEVER) {
        status = log_file_sync(&daemon->log, &daemon->logger);
    }
    if (status == LOG_FILE_OK) {
        status = log_file_cut(&daemon->log, kept_size, &daemon->logger);
    }
    return status;
}

/* The old log is touched as late as can be, and nothing fails after that. */
static enum exit_code serve(struct daemon *daemon) {
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

static enum exit_code run(struct daemon *daemon) {
    const size_t part_count = sizeof parts / sizeof parts[0];
    size_t built_count = 0;
    enum exit_code exit_code = EXIT_CODE_OK;
    while (built_count < part_count &&
           (exit_code = parts[built_count].build(daemon)) == EXIT_CODE_OK) {
        built_count++;
    }
    if (built_count == part_count) {
        exit_code = serve(daemon);
    }
    while (built_count > 0) {
        const struct part *part = &parts[--built_count];
        if (part->take_down != NULL) {
            part->take_down(daemon);
        }
    }
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
