/*
 * The records server: reads the options, builds the parts in order, runs the loop, and takes the
 * parts down in the opposite order. The only place that knows all of them.
 */
#include <stdlib.h>

#include "server/records/configuration.h"
#include "server/records/figures.h"
#include "server/records/records_server.h"
#include "server/records/store/store_open.h"
#include "server/runtime/http/http_server.h"
#include "server/runtime/os.h"
#include "server/runtime/startup.h"

/* Each part that is zeroed, or has no descriptor, is safe to take down. */
struct daemon {
    struct configuration configuration;
    struct logger logger;
    int signal_fd;
    struct service_manager manager;
    struct listener ingest_listener;
    struct listener query_listener;
    struct rejects rejects;
    struct store *store;
    struct wakeup progress;
    struct record_buffer buffer;
    struct record_writers writers;
    struct records_server server;
    struct http_server http;
};

/* So much that every thread can be at work while the buffer fills again. */
static size_t choose_batch_count(size_t queue_size, size_t thread_count) {
    size_t count = queue_size / (thread_count + 1);
    if (count == 0) {
        return 1;
    }
    return count < RECORDS_BATCH_MAX ? count : RECORDS_BATCH_MAX;
}

/* name: what a service manager calls the socket, if it has opened one. */
static int open_listener(struct daemon *daemon, struct listener *listener, const char *name,
                         int64_t port) {
    return startup_listen(listener, name, &daemon->configuration.addresses, port, &daemon->logger);
}

static enum exit_code open_store(struct daemon *daemon) {
    char message[MESSAGE_SIZE];
    char *password = NULL;
    bool is_usage_error = false;
    if (!rejects_open(&daemon->rejects, daemon->configuration.rejects_path, &daemon->logger,
                      message)) {
        logger_print(&daemon->logger, LOG_LEVEL_ERROR, "cannot open --rejects=%s", message);
        return EXIT_CODE_START_FAILURE;
    }
    if (!configuration_read_password(&daemon->configuration, &password)) {
        return EXIT_CODE_START_FAILURE;
    }
    struct store_options options = {
        .location = daemon->configuration.store,
        .password = password,
        .syncs_always = daemon->configuration.syncs_always != 0,
        .rejects = &daemon->rejects,
        .logger = &daemon->logger,
    };
    daemon->store = store_open(&options, &is_usage_error, message);
    free(password);
    if (daemon->store != NULL) {
        return EXIT_CODE_OK;
    }
    if (is_usage_error) {
        configuration_complain(message);
        return EXIT_CODE_USAGE;
    }
    logger_print(&daemon->logger, LOG_LEVEL_ERROR, "cannot open the store: %s", message);
    return EXIT_CODE_START_FAILURE;
}

static int start_writers(struct daemon *daemon) {
    size_t thread_count = (size_t)daemon->configuration.worker_count;
    if (thread_count > daemon->store->writer_count_max) {
        thread_count = daemon->store->writer_count_max;
    }
    const struct record_writers_config config = {
        .store = daemon->store,
        .rejects = &daemon->rejects,
        .buffer = &daemon->buffer,
        .thread_count = thread_count,
        .batch_count_max =
            choose_batch_count((size_t)daemon->configuration.queue_size, thread_count),
        .logger = &daemon->logger,
        .finished = &daemon->progress,
    };
    return record_writers_start(&daemon->writers, &config);
}

static int init_server(struct daemon *daemon) {
    const struct configuration *configuration = &daemon->configuration;
    const struct records_server_config config = {
        .ingest_listener = &daemon->ingest_listener,
        .query_listener = &daemon->query_listener,
        .signal_fd = daemon->signal_fd,
        .manager = &daemon->manager,
        .progress = &daemon->progress,
        .buffer = &daemon->buffer,
        .writers = &daemon->writers,
        .store = daemon->store,
        .client_capacity = (size_t)configuration->client_capacity,
        .acknowledges = configuration->acknowledges,
        .idle_timeout_ms = configuration->idle_timeout_ms,
        .inquiry = http_server_inquiry(&daemon->http),
        .logger = &daemon->logger,
    };
    return records_server_init(&daemon->server, &config);
}

static bool start_status_page(struct daemon *daemon) {
    const struct http_server_configuration configuration = {
        .source = figures_source(&daemon->server),
        .settings = daemon->configuration.settings,
        .logger = &daemon->logger,
    };
    return http_server_start(&daemon->http, &configuration);
}

/* Builds the parts from the first to the last. EXIT_CODE_OK, or the reason is printed. */
static enum exit_code build(struct daemon *daemon) {
    const struct configuration *configuration = &daemon->configuration;
    daemon->signal_fd = startup_prepare_process(&daemon->logger);
    if (daemon->signal_fd < 0) {
        return EXIT_CODE_START_FAILURE;
    }
    service_manager_open(&daemon->manager, &daemon->logger);
    if (open_listener(daemon, &daemon->ingest_listener, "ingest", configuration->ingest_port) !=
            0 ||
        open_listener(daemon, &daemon->query_listener, "query", configuration->query_port) != 0 ||
        !http_server_open(&daemon->http, configuration->http_port, &daemon->logger)) {
        return EXIT_CODE_START_FAILURE;
    }
    enum exit_code exit_code = open_store(daemon);
    if (exit_code != EXIT_CODE_OK) {
        return exit_code;
    }
    int error = wakeup_init(&daemon->progress);
    if (error != 0) {
        return startup_fail(&daemon->logger, "create an eventfd", error);
    }
    error =
        record_buffer_init(&daemon->buffer, (size_t)configuration->queue_size, &daemon->progress);
    if (error != 0) {
        return startup_fail(&daemon->logger, "set the buffer up", error);
    }
    error = start_writers(daemon);
    if (error != 0) {
        return startup_fail(&daemon->logger, "start the workers", error);
    }
    error = init_server(daemon);
    if (error != 0) {
        return startup_fail(&daemon->logger, "start the server", error);
    }
    return start_status_page(daemon) ? EXIT_CODE_OK : EXIT_CODE_START_FAILURE;
}

static enum exit_code run(struct daemon *daemon) {
    startup_allow_clients((size_t)daemon->configuration.client_capacity,
                          RECORDS_DESCRIPTORS_BESIDE_CLIENTS, &daemon->logger);
    listener_announce(&daemon->ingest_listener, &daemon->logger);
    listener_announce(&daemon->query_listener, &daemon->logger);
    logger_print(&daemon->logger, LOG_LEVEL_INFO,
                 "ready: records on port %u, queries on port %u, store %s",
                 listener_port(&daemon->ingest_listener), listener_port(&daemon->query_listener),
                 daemon->configuration.store);
    service_manager_say_ready(&daemon->manager);
    return records_server_run(&daemon->server);
}

/* Takes down what was built, from the last part to the first. */
static void take_down(struct daemon *daemon) {
    http_server_stop(&daemon->http);
    records_server_destroy(&daemon->server);
    record_buffer_close(&daemon->buffer); /* of writers that never had a server */
    record_writers_finish(&daemon->writers);
    record_buffer_destroy(&daemon->buffer);
    wakeup_destroy(&daemon->progress);
    if (daemon->store != NULL) {
        store_close(daemon->store);
    }
    http_server_close(&daemon->http);
    rejects_close(&daemon->rejects);
    listener_close(&daemon->query_listener);
    listener_close(&daemon->ingest_listener);
    service_manager_close(&daemon->manager);
    if (daemon->signal_fd >= 0) {
        (void)os_close(daemon->signal_fd);
    }
}

int main(int argc, char **argv) {
    static struct daemon daemon = {.signal_fd = -1, .progress = {.fd = -1}};
    switch (configuration_read(&daemon.configuration, argc, argv)) {
    case OPTIONS_SHOWN:
        return EXIT_CODE_OK;
    case OPTIONS_INVALID:
        return EXIT_CODE_USAGE;
    case OPTIONS_RUN:
        break;
    }
    logger_init(&daemon.logger, (enum log_level)daemon.configuration.log_level);
    enum exit_code exit_code = build(&daemon);
    if (exit_code == EXIT_CODE_OK) {
        exit_code = run(&daemon);
    }
    take_down(&daemon);
    return (int)exit_code;
}
