#include "server/numbers/numbers_server.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/runtime/os.h"
#include "server/runtime/signals.h"

/* Beside those of the clients: the signals, the wakeup, the guard, the manager's timer, and the
 * status page. */
enum { OTHER_WATCH_COUNT = 5 };

/* Ends the process as kill -9 would. No thread is waited for: one may be inside a call to a disk
 * that never answers. */
static void end_at_once(struct numbers_server *server) {
    logger_print(server->configuration.logger, LOG_LEVEL_ERROR,
                 "ending at once: up to %" PRIu64
                 " of the numbers that were received are not stored",
                 pipeline_unstored_count(server->configuration.pipeline));
    _exit(EXIT_CODE_IO_FAILURE);
}

static void request_shutdown(struct numbers_server *server, const char *reason) {
    if (!server->is_shutting_down) {
        server->shutdown_reason = reason;
    } else if (server->loop.now_ms >= server->impatience_from_ms) {
        end_at_once(server);
    }
}

static void start_shutdown(struct numbers_server *server) {
    logger_print(server->configuration.logger, LOG_LEVEL_INFO, "shutting down: %s",
                 server->shutdown_reason);
    server->is_shutting_down = true;
    service_manager_say_stopping(server->configuration.manager);
    server->impatience_from_ms = server->loop.now_ms + IMPATIENCE_AFTER_MS;
    clients_stop(&server->clients);
}

/* The client has sent all that counts: confirm that with FIN once it is stored. */
static void await_storage(struct numbers_server *server, struct client *client) {
    client_await(client, pipeline_hand_over(server->configuration.pipeline));
}

static void take_terminate(struct numbers_server *server, struct client *client) {
    const struct sockaddr *peer = (const struct sockaddr *)&client->peer;
    if (server->configuration.refuses_remote_terminate && !listener_is_loopback(peer)) {
        client_reject(client, REJECTION_TERMINATE, 0);
        return;
    }
    await_storage(server, client);
    /* One that is read late in a shutdown shows nobody's impatience, as a second signal does. */
    if (!server->is_shutting_down) {
        request_shutdown(server, "a client sent terminate");
    }
}

/* Gives the pipeline what is pending, and does what is to follow once it has taken everything. */
static void take_pending(struct numbers_server *server) {
    struct pending *pending = &server->pending;
    pending->next_index +=
        pipeline_add(server->configuration.pipeline, server->numbers + pending->next_index,
                     pending->count - pending->next_index, server->loop.now_ms);
    bool is_stalled = pending->next_index < pending->count;
    clients_hold_back(&server->clients, is_stalled);
    /* A shutdown may have ended the client meanwhile; its numbers still count. */
    if (is_stalled || pending->client->state == CLIENT_FREE) {
        return;
    }
    switch (pending->stop) {
    case LINE_PARSER_NEEDS_MORE:
        break;
    case LINE_PARSER_INVALID:
        client_reject(pending->client, REJECTION_BAD_LINE, 0);
        break;
    case LINE_PARSER_TERMINATE:
        take_terminate(server, pending->client);
        break;
    }
}

static void receive(void *context, struct client *client) {
    struct numbers_server *server = context;
    char *bytes = server->buffer + SESSION_HEADROOM_SIZE;
    ssize_t size = os_recv(client->fd, bytes, RECEIVE_SIZE);
    if (size == -EAGAIN) {
        return;
    }
    if (size < 0) {
        client_reject(client, REJECTION_LOST, (int)-size);
        return;
    }
    if (size == 0) {
        await_storage(server, client);
        return;
    }
    client_note_received(client);
    server->received_size += (uint64_t)size;
    struct pending *pending = &server->pending;
    pending->client = client;
    pending->next_index = 0;
    pending->count = session_receive(&client->session, server->configuration.parser, bytes,
                                     (size_t)size, server->numbers, &pending->stop);
    client->number_count += pending->count;
    int watch_index = client->watch_index;
    take_pending(server);
    if (server->clients.is_held_back) {
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
        request_shutdown(server, strsignal(signal_number));
    } else if (signal_number < 0) {
        request_shutdown(server, "a signal came that cannot be read");
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

static void confirm_stored_clients(struct numbers_server *server) {
    uint64_t stored_batch = pipeline_stored_batch(server->configuration.pipeline);
    /* Once writing fails workers drop their lines, and a batch without lines seems stored. The
     * error is set before that, and so is seen here after it. */
    if (log_writer_error(server->configuration.writer) == 0) {
        clients_confirm(&server->clients, stored_batch);
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
    if (server->clients.is_held_back || clients_have_ended(&server->clients)) {
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
static void do_what_is_due(struct numbers_server *server, bool has_polled) {
    int error = log_writer_error(server->configuration.writer);
    if (error != 0) {
        give_up(server, "store the log", error);
        return;
    }
    disk_watch_look(&server->disk_watch,
                    log_writer_call_ms(server->configuration.writer, server->loop.now_ms),
                    server->loop.now_ms, server->configuration.logger);
    pipeline_run(server->configuration.pipeline, server->loop.now_ms);
    if (server->clients.is_held_back) {
        take_pending(server);
    }
    if (server->shutdown_reason != NULL && !server->is_shutting_down) {
        start_shutdown(server);
    }
    if (server->is_shutting_down) {
        advance_shutdown(server);
    }
    confirm_stored_clients(server);
    clients_run(&server->clients, has_polled);
}

/* How long poll may wait, in milliseconds. */
static int poll_timeout(struct numbers_server *server) {
    int64_t pipeline_ms = pipeline_deadline_ms(server->configuration.pipeline);
    int64_t clients_ms = clients_deadline_ms(&server->clients);
    int64_t wait_ms = (pipeline_ms < clients_ms ? pipeline_ms : clients_ms) - os_now_ms();
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
        do_what_is_due(server, fired_count >= 0);
    }
    return server->exit_code;
}

static int watch_others(struct numbers_server *server) {
    const struct numbers_server_configuration *configuration = &server->configuration;
    int watch_index =
        poll_loop_add(&server->loop, configuration->signal_fd, POLLIN, on_signal, server);
    if (watch_index >= 0) {
        watch_index =
            poll_loop_add(&server->loop, configuration->progress->fd, POLLIN, on_progress, server);
    }
    int timer_fd = service_manager_timer_fd(configuration->manager);
    if (watch_index >= 0 && timer_fd >= 0) {
        watch_index = poll_loop_add(&server->loop, timer_fd, POLLIN, service_manager_handle_timer,
                                    configuration->manager);
    }
    if (watch_index >= 0 && configuration->guard_fd >= 0) {
        watch_index =
            poll_loop_add(&server->loop, configuration->guard_fd, POLLERR, on_guard_gone, server);
        server->guard_watch = watch_index;
    }
    if (watch_index >= 0 && configuration->inquiry != NULL) {
        watch_index = poll_loop_add(&server->loop, configuration->inquiry->asked.fd, POLLIN,
                                    inquiry_on_asked, configuration->inquiry);
    }
    return watch_index < 0 ? watch_index : 0;
}

int numbers_server_init(struct numbers_server *server,
                        const struct numbers_server_configuration *configuration) {
    *server = (struct numbers_server){.configuration = *configuration};
    const struct clients_configuration clients_configuration = {
        .loop = &server->loop,
        .listener = configuration->listener,
        .place_count = configuration->client_capacity,
        .when_full = configuration->when_full,
        .idle_timeout_ms = configuration->idle_timeout_ms,
        .receive = receive,
        .context = server,
        .logger = configuration->logger,
    };
    int error = poll_loop_init(
        &server->loop, clients_watch_count_max(configuration->client_capacity) + OTHER_WATCH_COUNT);
    if (error != 0) {
        return error;
    }
    server->buffer = malloc(SESSION_HEADROOM_SIZE + RECEIVE_SIZE);
    server->numbers = calloc(RECEIVED_NUMBER_CAPACITY, sizeof *server->numbers);
    if (server->buffer == NULL || server->numbers == NULL) {
        error = -ENOMEM;
    }
    if (error == 0) {
        error = clients_init(&server->clients, &clients_configuration);
    }
    if (error == 0) {
        error = watch_others(server);
    }
    if (error != 0) {
        numbers_server_destroy(server);
    }
    return error;
}

void numbers_server_destroy(struct numbers_server *server) {
    clients_destroy(&server->clients);
    poll_loop_destroy(&server->loop);
    free(server->buffer);
    free(server->numbers);
}
