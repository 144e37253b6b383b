#include "server/records/records_server.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "server/runtime/os.h"
#include "server/runtime/signals.h"

enum {
    /* The signals, the wakeup, the service manager's timer, and the status page. */
    OWN_WATCH_COUNT = 4,
    /* How often to look for what is due, while anything is. */
    TICK_MS = 100,
};

/* Says how it ends. */
static enum exit_code conclude(const struct records_server *server) {
    const struct ingest_port *ingest = &server->ingest_port;
    size_t lost_count = record_buffer_count(server->config.buffer);
    logger_print(server->config.logger, LOG_LEVEL_INFO,
                 "%" PRIu64 " records received, %" PRIu64 " errors answered",
                 ingest->shared.record_count, ingest->shared.error_count);
    if (lost_count == 0 && ingest_port_count(ingest) == 0) {
        return EXIT_CODE_OK;
    }
    logger_print(server->config.logger, LOG_LEVEL_ERROR,
                 "stopped early: %zu records are not known to be stored, %zu senders were cut off",
                 lost_count, ingest_port_count(ingest));
    return EXIT_CODE_IO_FAILURE;
}

/* Ends when what has reached the server is stored. */
static void stop(struct records_server *server, const char *reason) {
    if (server->is_stopping) {
        return;
    }
    logger_print(server->config.logger, LOG_LEVEL_INFO, "shutting down: %s", reason);
    server->is_stopping = true;
    service_manager_say_stopping(server->config.manager);
    query_port_stop(&server->query_port);
    ingest_port_stop(&server->ingest_port);
}

static void on_signal(void *context, short events) {
    (void)events;
    struct records_server *server = context;
    int signal_number = signals_next(server->config.signal_fd);
    if (signal_number < 0) {
        /* It is still there, and may be read the next time: no second signal then. */
        stop(server, "a signal came that cannot be read");
    } else if (signal_number > 0 && !server->has_read_signal) {
        server->has_read_signal = true;
        stop(server, strsignal(signal_number));
    } else if (signal_number > 0) {
        /* As after kill -9, but with a word: nothing confirmed is lost, and nobody is waited for.
         */
        _exit((int)conclude(server));
    }
}

static void on_progress(void *context, short events) {
    (void)events;
    struct records_server *server = context;
    wakeup_clear(server->config.progress);
}

/* Watches what comes from within: signals, progress, and the service manager's timer. */
static int watch_own_descriptors(struct records_server *server) {
    const struct records_server_config *config = &server->config;
    const struct epoll_input inputs[] = {
        {config->signal_fd, on_signal, server},
        {config->progress->fd, on_progress, server},
        {service_manager_timer_fd(config->manager), service_manager_handle_timer, config->manager},
        {inquiry_fd(config->inquiry), inquiry_on_asked, config->inquiry},
    };
    return epoll_loop_add_inputs(&server->loop, inputs, sizeof inputs / sizeof inputs[0]);
}

int records_server_init(struct records_server *server, const struct records_server_config *config) {
    *server = (struct records_server){.config = *config};
    const struct ingest_port_config ingest_config = {
        .loop = &server->loop,
        .listener = config->ingest_listener,
        .buffer = config->buffer,
        .client_capacity = config->client_capacity,
        .limits = config->store->limits,
        .acknowledges = config->acknowledges,
        .idle_timeout_ms = config->idle_timeout_ms,
        .logger = config->logger,
    };
    const struct query_port_config query_config = {
        .listener = config->query_listener,
        .buffer = config->buffer,
        .gate = &config->writers->gate,
        .store = config->store,
        .progress = config->progress,
        .logger = config->logger,
    };
    int error = epoll_loop_init(&server->loop, clients_watch_count_max(config->client_capacity, 0) +
                                                   OWN_WATCH_COUNT);
    if (error == 0) {
        error = watch_own_descriptors(server);
    }
    if (error == 0) {
        error = ingest_port_init(&server->ingest_port, &ingest_config);
    }
    if (error == 0) {
        error = query_port_init(&server->query_port, &query_config);
    }
    if (error != 0) {
        records_server_destroy(server);
    }
    return error;
}

static void tell_import_progress(struct records_server *server, int64_t now_ms) {
    uint64_t record_count = server->ingest_port.shared.record_count;
    if (import_progress_is_due(&server->import_progress, record_count, now_ms)) {
        logger_print(server->config.logger, LOG_LEVEL_INFO,
                     "%" PRIu64 " records received, %" PRIu64 " of them stored", record_count,
                     record_buffer_stored_position(server->config.buffer));
    }
}

/* Does what is due, unless that was done a moment ago: all connections are looked at. Returns how
 * long the loop may wait for events. */
static int tick(struct records_server *server) {
    int64_t now_ms = os_now_ms();
    if (now_ms < server->next_tick_ms) {
        return (int)(server->next_tick_ms - now_ms);
    }
    server->next_tick_ms = now_ms + TICK_MS;
    tell_import_progress(server, now_ms);
    return ingest_port_tick(&server->ingest_port, now_ms) ? TICK_MS : -1;
}

/* Whether the server may end. On the way there it closes the buffer when nothing will come any
 * more, and cuts the queries off when everything is stored. */
static bool is_over(struct records_server *server) {
    if (server->is_stopping && !server->is_closed && ingest_port_count(&server->ingest_port) == 0) {
        server->is_closed = true;
        record_buffer_close(server->config.buffer);
    }
    if (!server->is_closed || !record_writers_are_finished(server->config.writers)) {
        return false;
    }
    query_port_cancel(&server->query_port);
    return query_port_is_idle(&server->query_port);
}

/* Hands what has come in to the writers; goes on with the connections that wait for the buffer or
 * the store, if it has made progress since they last looked; then handles events, and waits for
 * some if there was no progress. Its signal is one. Returns what epoll_loop_run_once does. */
static int run_turn(struct records_server *server, int timeout_ms) {
    struct record_buffer *buffer = server->config.buffer;
    uint64_t *stored_position = &server->ingest_port.shared.stored_position;
    record_buffer_publish(buffer);
    bool is_waiting = ingest_port_is_waiting(&server->ingest_port);
    bool can_advance = is_waiting && record_buffer_await_progress(buffer, *stored_position);
    if (can_advance || !is_waiting) {
        /* Before anybody looks for room. Where there was no progress it stays: what is stored
         * between the question and this line would be missed. */
        *stored_position = record_buffer_stored_position(buffer);
    }
    if (can_advance) {
        ingest_port_advance(&server->ingest_port);
    }
    return epoll_loop_run_once(&server->loop, can_advance ? 0 : timeout_ms);
}

enum exit_code records_server_run(struct records_server *server) {
    /* What is due comes first: it may end the last connection, for which no event would follow. */
    for (int timeout_ms = tick(server); !is_over(server); timeout_ms = tick(server)) {
        int result = run_turn(server, timeout_ms);
        if (result < 0) {
            logger_print(server->config.logger, LOG_LEVEL_ERROR, "cannot poll: %s",
                         strerror(-result));
            (void)conclude(server);
            _exit(EXIT_CODE_IO_FAILURE);
        }
    }
    return conclude(server);
}

void records_server_destroy(struct records_server *server) {
    query_port_destroy(&server->query_port);
    ingest_port_destroy(&server->ingest_port);
    epoll_loop_destroy(&server->loop);
}
