/*
 * The records server: reads the options, builds the parts, runs the loop, and takes the parts down
 * again in the opposite order. The only place that knows all of them.
 */
#include <stdlib.h>

#include "server/records/configuration.h"
#include "server/records/records_server.h"
#include "server/runtime/os.h"
#include "server/runtime/startup.h"

struct daemon {
    struct configuration configuration;
    struct logger logger;
    int signal_fd;
    struct listener ingest_listener;
    struct listener query_listener;
    struct store *store;
    struct wakeup progress;
    struct record_buffer buffer;
    struct record_writers writers;
    struct query_threads query_threads;
    struct records_server server;
};

/* The layers below build one part each, run what is above it, and take the part down again. They
 * are listed from the last one to the first. */

static enum exit_code run_loop(struct daemon *daemon) {
    startup_allow_clients((size_t)daemon->configuration.client_capacity,
                          RECORDS_DESCRIPTORS_BESIDE_CLIENTS, &daemon->logger);
    listener_announce(&daemon->ingest_listener, &daemon->logger);
    listener_announce(&daemon->query_listener, &daemon->logger);
    logger_print(&daemon->logger, LOG_LEVEL_INFO,
                 "ready: records on port %u, queries on port %u, store %s",
                 listener_port(&daemon->ingest_listener), listener_port(&daemon->query_listener),
                 daemon->configuration.store);
    enum exit_code exit_code = records_server_run(&daemon->server);
    query_threads_cancel(&daemon->query_threads);
    return exit_code;
}

static enum exit_code run_server(struct daemon *daemon) {
    const struct configuration *configuration = &daemon->configuration;
    struct records_server_config config = {
        .ingest_listener = &daemon->ingest_listener,
        .query_listener = &daemon->query_listener,
        .signal_fd = daemon->signal_fd,
        .progress = &daemon->progress,
        .buffer = &daemon->buffer,
        .writers = &daemon->writers,
        .query_threads = &daemon->query_threads,
        .client_capacity = (size_t)configuration->client_capacity,
        .member_character_max = daemon->store->member_character_max,
        .acknowledges = configuration->acknowledges,
        .idle_timeout_ms = configuration->idle_timeout_ms,
        .logger = &daemon->logger,
    };
    int error = records_server_init(&daemon->server, &config);
    if (error != 0) {
        record_buffer_close(&daemon->buffer);
        query_threads_finish(&daemon->query_threads);
        return startup_fail(&daemon->logger, "start the server", error);
    }
    enum exit_code exit_code = run_loop(daemon);
    query_threads_finish(&daemon->query_threads);
    records_server_destroy(&daemon->server);
    return exit_code;
}

static enum exit_code run_with_queries(struct daemon *daemon) {
    struct query_source source = {
        .buffer = &daemon->buffer, .writers = &daemon->writers, .store = daemon->store};
    int error = query_threads_start(&daemon->query_threads, &source, &daemon->progress);
    if (error != 0) {
        record_buffer_close(&daemon->buffer);
        return startup_fail(&daemon->logger, "start the query threads", error);
    }
    return run_server(daemon);
}

static size_t choose_thread_count(const struct daemon *daemon) {
    size_t wanted_count = (size_t)daemon->configuration.worker_count;
    size_t useful_count = daemon->store->writer_count_max;
    return wanted_count < useful_count ? wanted_count : useful_count;
}

/* So much that every thread can be at work while the buffer fills again. */
static size_t choose_batch_count(size_t queue_size, size_t thread_count) {
    size_t count = queue_size / (thread_count + 1);
    if (count == 0) {
        return 1;
    }
    return count < RECORDS_BATCH_MAX ? count : RECORDS_BATCH_MAX;
}

static enum exit_code run_with_writers(struct daemon *daemon) {
    size_t thread_count = choose_thread_count(daemon);
    size_t queue_size = (size_t)daemon->configuration.queue_size;
    struct record_writers_config config = {
        .store = daemon->store,
        .buffer = &daemon->buffer,
        .thread_count = thread_count,
        .batch_count_max = choose_batch_count(queue_size, thread_count),
        .logger = &daemon->logger,
        .finished = &daemon->progress,
    };
    int error = record_writers_start(&daemon->writers, &config);
    if (error != 0) {
        return startup_fail(&daemon->logger, "start the workers", error);
    }
    enum exit_code exit_code = run_with_queries(daemon);
    record_writers_finish(&daemon->writers);
    return exit_code;
}

static enum exit_code run_with_buffer(struct daemon *daemon) {
    int error = wakeup_init(&daemon->progress);
    if (error != 0) {
        return startup_fail(&daemon->logger, "create an eventfd", error);
    }
    error = record_buffer_init(&daemon->buffer, (size_t)daemon->configuration.queue_size,
                               &daemon->progress);
    enum exit_code exit_code = EXIT_CODE_START_FAILURE;
    if (error == 0) {
        exit_code = run_with_writers(daemon);
        record_buffer_destroy(&daemon->buffer);
    } else {
        (void)startup_fail(&daemon->logger, "set the buffer up", error);
    }
    wakeup_destroy(&daemon->progress);
    return exit_code;
}

static enum exit_code run_with_store(struct daemon *daemon) {
    char message[RECORDS_MESSAGE_SIZE];
    char *password = NULL;
    bool is_usage_error = false;
    if (!configuration_read_password(&daemon->configuration, &password)) {
        return EXIT_CODE_START_FAILURE;
    }
    struct store_options options = {
        .location = daemon->configuration.store,
        .password = password,
        .syncs_always = daemon->configuration.syncs_always != 0,
    };
    daemon->store = store_open(&options, &is_usage_error, message);
    free(password);
    if (daemon->store == NULL) {
        if (is_usage_error) {
            configuration_complain(message);
            return EXIT_CODE_USAGE;
        }
        logger_print(&daemon->logger, LOG_LEVEL_ERROR, "cannot open the store: %s", message);
        return EXIT_CODE_START_FAILURE;
    }
    if (daemon->store->is_mended) {
        logger_print(&daemon->logger, LOG_LEVEL_WARNING, "cut a torn last line off %s",
                     daemon->configuration.store);
    }
    enum exit_code exit_code = run_with_buffer(daemon);
    store_close(daemon->store);
    return exit_code;
}

static int open_listener(struct daemon *daemon, struct listener *listener, int64_t port) {
    const struct configuration *configuration = &daemon->configuration;
    return listener_open(listener, configuration->addresses.items, configuration->addresses.count,
                         (uint16_t)port, &daemon->logger);
}

static enum exit_code run_with_listeners(struct daemon *daemon) {
    enum exit_code exit_code = EXIT_CODE_START_FAILURE;
    if (open_listener(daemon, &daemon->ingest_listener, daemon->configuration.ingest_port) != 0) {
        return exit_code;
    }
    if (open_listener(daemon, &daemon->query_listener, daemon->configuration.query_port) == 0) {
        exit_code = run_with_store(daemon);
        listener_close(&daemon->query_listener);
    }
    listener_close(&daemon->ingest_listener);
    return exit_code;
}

static enum exit_code run(struct daemon *daemon) {
    daemon->signal_fd = startup_prepare_process(&daemon->logger);
    if (daemon->signal_fd < 0) {
        return EXIT_CODE_START_FAILURE;
    }
    enum exit_code exit_code = run_with_listeners(daemon);
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
