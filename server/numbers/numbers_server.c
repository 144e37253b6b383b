#include "server/numbers/numbers_server.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/numbers/accepting.h"
#include "server/runtime/os.h"
#include "server/runtime/signals.h"

/* The connections, then the listeners, the signals, the wakeup, and the guard. */
enum { WATCHES_BESIDE_CLIENTS = LISTENER_CAPACITY + 3 };

/* Frees the connection's place. Its descriptor has been closed. */
static void release_connection(struct connection *connection) {
    struct numbers_server *server = connection->server;
    if (server->pending.connection == connection) {
        server->pending.connection = NULL; /* its numbers still count */
    }
    if (connection->state == CONNECTION_STORING) {
        server->storing_count--;
    }
    connection->state = CONNECTION_FREE;
    server->client_count--;
    accepting_update(server);
}

/* Ends a connection with RST: the client cannot know what was kept. */
static void reset_connection(struct connection *connection) {
    poll_loop_remove(&connection->server->loop, connection->watch_index);
    listener_reset_connection(connection->fd);
    release_connection(connection);
}

/* Ends a connection with FIN: everything the client sent is stored. */
static void confirm_connection(struct connection *connection) {
    poll_loop_remove(&connection->server->loop, connection->watch_index);
    listener_set_reset_on_close(connection->fd, false);
    (void)os_close(connection->fd);
    release_connection(connection);
}

/* Ends the process as kill -9 would. No thread is waited for: one may be inside a call to a disk
 * that never answers. */
static void end_at_once(struct numbers_server *server) {
    logger_print(server->configuration.logger, LOG_LEVEL_ERROR,
                 "ending at once: up to %" PRIu64
                 " of the numbers that were received are not stored",
                 pipeline_unstored_count(server->configuration.pipeline));
    _exit(EXIT_CODE_IO_FAILURE);
}

static void start_shutdown(struct numbers_server *server, const char *reason) {
    if (server->is_shutting_down) {
        if (server->loop.now_ms >= server->impatience_from_ms) {
            end_at_once(server);
        }
        return;
    }
    logger_print(server->configuration.logger, LOG_LEVEL_INFO, "shutting down: %s", reason);
    server->is_shutting_down = true;
    server->impatience_from_ms = server->loop.now_ms + IMPATIENCE_AFTER_MS;
    accepting_update(server);
    for (size_t index = 0; index < server->configuration.client_capacity; index++) {
        if (server->connections[index].state == CONNECTION_RECEIVING) {
            reset_connection(&server->connections[index]);
        }
    }
}

static void set_stalled(struct numbers_server *server, bool is_stalled) {
    if (server->is_stalled == is_stalled) {
        return;
    }
    server->is_stalled = is_stalled;
    for (size_t index = 0; index < server->configuration.client_capacity; index++) {
        struct connection *connection = &server->connections[index];
        if (connection->state == CONNECTION_RECEIVING) {
            poll_loop_set_events(&server->loop, connection->watch_index, is_stalled ? 0 : POLLIN);
            /* The silence so far was the server's, not the client's. */
            connection->last_received_ms = server->loop.now_ms;
        }
    }
}

/* Gives the pipeline what is pending, and does what is to follow once it has taken everything. */
static void take_pending(struct numbers_server *server) {
    struct pending *pending = &server->pending;
    pending->next_index +=
        pipeline_add(server->configuration.pipeline, server->numbers + pending->next_index,
                     pending->count - pending->next_index, server->loop.now_ms);
    set_stalled(server, pending->next_index < pending->count);
    if (server->is_stalled) {
        return;
    }
    struct connection *connection = pending->connection;
    pending->connection = NULL;
    if (connection == NULL || pending->stop == LINE_PARSER_NEEDS_MORE) {
        return;
    }
    if (pending->stop == LINE_PARSER_TERMINATE && connection->may_terminate) {
        start_shutdown(server, "a client sent terminate");
    } else {
        reset_connection(connection);
    }
}

/* The client has sent all it wants to: confirm that with FIN once it is stored. */
static void end_of_stream(struct connection *connection) {
    struct numbers_server *server = connection->server;
    poll_loop_set_events(&server->loop, connection->watch_index, 0);
    connection->state = CONNECTION_STORING;
    server->storing_count++;
    connection->awaited_batch = pipeline_hand_over(server->configuration.pipeline);
}

static void on_receivable(void *context, short events) {
    (void)events; /* an error or a hang-up is what recv then reports */
    struct connection *connection = context;
    struct numbers_server *server = connection->server;
    /* Its watch is paused or gone otherwise. */
    assert(!server->is_stalled && !server->is_shutting_down);
    char *bytes = server->buffer + SESSION_HEADROOM_SIZE;
    ssize_t size = os_recv(connection->fd, bytes, RECEIVE_SIZE);
    if (size == -EAGAIN) {
        return;
    }
    if (size < 0) {
        reset_connection(connection);
        return;
    }
    if (size == 0) {
        end_of_stream(connection);
        return;
    }
    connection->last_received_ms = server->loop.now_ms;
    struct pending *pending = &server->pending;
    pending->connection = connection;
    pending->next_index = 0;
    pending->count = session_receive(&connection->session, server->configuration.parser, bytes,
                                     (size_t)size, server->numbers, &pending->stop);
    int watch_index = connection->watch_index;
    take_pending(server);
    if (server->is_stalled) {
        /* The others have had no turn in this round: they come first in the next one. */
        poll_loop_start_behind(&server->loop, watch_index);
    }
}

static void on_signal(void *context, short events) {
    (void)events;
    struct numbers_server *server = context;
    int signal_number = signals_next(server->configuration.signal_fd);
    if (signal_number == SIGUSR1) {
        log_writer_reopen(server->configuration.writer);
    } else if (signal_number > 0) {
        start_shutdown(server, strsignal(signal_number));
    } else if (signal_number < 0) {
        start_shutdown(server, "a signal came that cannot be read");
    }
}

static void on_progress(void *context, short events) {
    (void)events;
    struct numbers_server *server = context;
    wakeup_clear(server->configuration.progress);
}

static void on_guard_gone(void *context, short events) {
    (void)events;
    struct numbers_server *server = context;
    poll_loop_remove(&server->loop, server->guard_watch); /* it would fire for ever */
    logger_print(server->configuration.logger, LOG_LEVEL_WARNING,
                 "the tail guard has ended: a kill -9 may from now on leave a torn last line in "
                 "the log, which --resume cuts off; restart the server to have a guard again");
}

static void confirm_stored_connections(struct numbers_server *server) {
    if (server->storing_count == 0) {
        return;
    }
    uint64_t stored_batch = pipeline_stored_batch(server->configuration.pipeline);
    if (log_writer_error(server->configuration.writer) != 0) {
        /* Once writing fails workers drop their lines, and a batch without lines seems stored. The
         * error is set before that, and so is seen here after it. */
        return;
    }
    for (size_t index = 0; index < server->configuration.client_capacity; index++) {
        struct connection *connection = &server->connections[index];
        if (connection->state == CONNECTION_STORING && connection->awaited_batch <= stored_batch) {
            confirm_connection(connection);
        }
    }
}

static int64_t earlier(int64_t left_ms, int64_t right_ms) {
    return left_ms < right_ms ? left_ms : right_ms;
}

/* Resets the clients that have been silent for too long. It runs after the events of a turn, so
 * that a client whose bytes waited while the whole process did is not taken for a silent one. */
static void end_idle_connections(struct numbers_server *server) {
    int64_t timeout_ms = server->configuration.idle_timeout_ms;
    server->idle_deadline_ms = INT64_MAX;
    if (timeout_ms == 0 || server->is_stalled) {
        return;
    }
    for (size_t index = 0; index < server->configuration.client_capacity; index++) {
        struct connection *connection = &server->connections[index];
        if (connection->state != CONNECTION_RECEIVING) {
            continue;
        }
        int64_t deadline_ms = connection->last_received_ms + timeout_ms;
        if (deadline_ms <= server->loop.now_ms) {
            reset_connection(connection);
        } else {
            server->idle_deadline_ms = earlier(server->idle_deadline_ms, deadline_ms);
        }
    }
}

static void give_up(struct numbers_server *server, const char *action, int error) {
    logger_print(server->configuration.logger, LOG_LEVEL_ERROR, "cannot %s: %s", action,
                 strerror(-error));
    server->exit_code = EXIT_CODE_IO_FAILURE;
    server->is_done = true;
}

/* A shutdown that takes long waits for the disk: says how not to wait for it. */
static void offer_to_end(struct numbers_server *server) {
    if (!server->has_offered_to_end && server->loop.now_ms >= server->impatience_from_ms) {
        server->has_offered_to_end = true;
        logger_print(server->configuration.logger, LOG_LEVEL_WARNING,
                     "still storing what was received; a second SIGTERM or SIGINT ends the server "
                     "at once, and what is not stored by then is lost");
    }
}

/* Takes the next step towards the end, as far as the other threads have come. */
static void advance_shutdown(struct numbers_server *server) {
    struct pipeline *pipeline = server->configuration.pipeline;
    struct log_writer *writer = server->configuration.writer;
    offer_to_end(server);
    if (server->is_stalled) {
        return;
    }
    (void)pipeline_hand_over(pipeline);
    if (!pipeline_is_drained(pipeline)) {
        return;
    }
    log_writer_finish(writer);
    if (!log_writer_is_finished(writer)) {
        return;
    }
    int error = log_writer_error(writer);
    if (error != 0) {
        give_up(server, "store the log", error);
    }
    server->is_done = true;
}

/* What each turn does after the events: everything that other threads or the clock made due. */
static void do_what_is_due(struct numbers_server *server) {
    int error = log_writer_error(server->configuration.writer);
    if (error != 0) {
        give_up(server, "store the log", error);
        return;
    }
    disk_watch_look(&server->disk_watch,
                    log_writer_call_ms(server->configuration.writer, server->loop.now_ms),
                    server->loop.now_ms, server->configuration.logger);
    pipeline_run(server->configuration.pipeline, server->loop.now_ms);
    if (server->is_stalled) {
        take_pending(server);
    }
    end_idle_connections(server);
    accepting_retry(server);
    if (server->is_shutting_down) {
        advance_shutdown(server);
    }
    confirm_stored_connections(server);
    accepting_run(server);
}

/* How long poll may wait, in milliseconds. */
static int poll_timeout(struct numbers_server *server) {
    int64_t deadline_ms = earlier(pipeline_deadline_ms(server->configuration.pipeline),
                                  earlier(server->idle_deadline_ms, server->accept_again_ms));
    int64_t wait_ms = deadline_ms - os_now_ms();
    if (wait_ms < 0) {
        return 0;
    }
    return wait_ms < WAIT_MAX_MS ? (int)wait_ms : WAIT_MAX_MS;
}

/* After a failed poll: waits a moment, and says whether to try again. */
static bool wait_for_memory(struct numbers_server *server, int error) {
    server->failed_poll_count++;
    if (error != -ENOMEM || server->failed_poll_count > FAILED_POLL_COUNT_MAX) {
        return false;
    }
    (void)os_poll(NULL, 0, FAILED_POLL_PAUSE_MS);
    return true;
}

enum exit_code numbers_server_run(struct numbers_server *server) {
    while (!server->is_done) {
        int fired_count = poll_loop_run_once(&server->loop, poll_timeout(server));
        if (fired_count >= 0) {
            server->failed_poll_count = 0;
        } else if (!wait_for_memory(server, fired_count)) {
            give_up(server, "wait for events", fired_count);
            end_at_once(server); /* nobody is left to wait for the disk */
        }
        do_what_is_due(server);
    }
    return server->exit_code;
}

static int add_watches(struct numbers_server *server) {
    const struct numbers_server_configuration *configuration = &server->configuration;
    int error = accepting_start(server, on_receivable);
    if (error != 0) {
        return error;
    }
    int watch_index =
        poll_loop_add(&server->loop, configuration->signal_fd, POLLIN, on_signal, server);
    if (watch_index >= 0) {
        watch_index =
            poll_loop_add(&server->loop, configuration->progress->fd, POLLIN, on_progress, server);
    }
    if (watch_index >= 0 && configuration->guard_fd >= 0) {
        watch_index =
            poll_loop_add(&server->loop, configuration->guard_fd, POLLERR, on_guard_gone, server);
        server->guard_watch = watch_index;
    }
    return watch_index < 0 ? watch_index : 0;
}

int numbers_server_init(struct numbers_server *server,
                        const struct numbers_server_configuration *configuration) {
    *server = (struct numbers_server){.configuration = *configuration,
                                      .accept_again_ms = INT64_MAX,
                                      .idle_deadline_ms = INT64_MAX};
    int error =
        poll_loop_init(&server->loop, configuration->client_capacity + WATCHES_BESIDE_CLIENTS);
    if (error != 0) {
        return error;
    }
    server->connections = calloc(configuration->client_capacity, sizeof *server->connections);
    server->buffer = malloc(SESSION_HEADROOM_SIZE + RECEIVE_SIZE);
    server->numbers = calloc(RECEIVED_NUMBER_CAPACITY, sizeof *server->numbers);
    if (server->connections == NULL || server->buffer == NULL || server->numbers == NULL) {
        error = -ENOMEM;
    } else {
        error = add_watches(server);
    }
    if (error != 0) {
        numbers_server_destroy(server);
    }
    return error;
}

void numbers_server_destroy(struct numbers_server *server) {
    for (size_t index = 0;
         server->connections != NULL && index < server->configuration.client_capacity; index++) {
        if (server->connections[index].state != CONNECTION_FREE) {
            reset_connection(&server->connections[index]);
        }
    }
    poll_loop_destroy(&server->loop);
    free(server->connections);
    free(server->buffer);
    free(server->numbers);
}
