#include "server/station/http2.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "server/runtime/os.h"
#include "server/station/http2_callbacks.h"

int http2_configuration_init(struct http2_configuration *configuration,
                             const struct http2_handlers *handlers, void *context) {
    *configuration = (struct http2_configuration){.handlers = handlers, .context = context};
    if (nghttp2_option_new(&configuration->option) != 0 ||
        nghttp2_session_callbacks_new(&configuration->callbacks) != 0) {
        http2_configuration_destroy(configuration);
        return -ENOMEM;
    }
    nghttp2_option *option = configuration->option;
    nghttp2_option_set_no_auto_window_update(option, 1);
    nghttp2_option_set_no_closed_streams(option, 1);
    nghttp2_option_set_max_settings(option, LIMIT_SETTINGS_COUNT_MAX);
    nghttp2_option_set_max_outbound_ack(option, LIMIT_OUTBOUND_ACK_COUNT_MAX);
    nghttp2_option_set_stream_reset_rate_limit(option, LIMIT_RESET_BURST, LIMIT_RESETS_PER_SECOND);
    nghttp2_option_set_max_continuations(option, LIMIT_CONTINUATION_COUNT_MAX);
    http2_callbacks_set(configuration->callbacks);
    return 0;
}

void http2_configuration_destroy(struct http2_configuration *configuration) {
    nghttp2_option_del(configuration->option);
    nghttp2_session_callbacks_del(configuration->callbacks);
    *configuration = (struct http2_configuration){0};
}

static void enter(struct http2_connection *connection, enum http2_phase phase) {
    connection->phase = phase;
    connection->phase_ms = connection->now_ms;
}

int http2_open(struct http2_connection *connection, const struct http2_configuration *configuration,
               int fd, uint64_t peer, int64_t now_ms) {
    static const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, LIMIT_STREAMS_PER_CONNECTION},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, LIMIT_STREAM_INPUT_SIZE},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, LIMIT_HEADER_LIST_SIZE_MAX},
    };
    connection->configuration = configuration;
    connection->session = NULL;
    connection->fd = fd;
    connection->peer = peer;
    connection->is_turn_over = false;
    connection->is_ping_sent = false;
    connection->streams = NULL;
    connection->header_block_size = 0;
    connection->opened_ms = now_ms;
    connection->sent_size = 0;
    connection->now_ms = now_ms;
    connection->heard_ms = now_ms;
    connection->taken_ms = now_ms;
    connection->output_start = 0;
    connection->output_size = 0;
    flood_guard_begin(&connection->guard, now_ms);
    enter(connection, HTTP2_PREFACE);
    if (nghttp2_session_server_new2(&connection->session, configuration->callbacks, connection,
                                    configuration->option) != 0) {
        return -ENOMEM;
    }
    if (nghttp2_submit_settings(connection->session, NGHTTP2_FLAG_NONE, settings,
                                sizeof settings / sizeof settings[0]) != 0) {
        nghttp2_session_del(connection->session);
        return -ENOMEM;
    }
    int unsent_size = LIMIT_UNSENT_SIZE;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent_size, sizeof unsent_size);
    return 0;
}

static bool has_output(const struct http2_connection *connection) {
    return connection->output_start < connection->output_size;
}

/* Sends what there is, as far as the socket takes it. False: the connection is lost. */
static bool send_output(struct http2_connection *connection) {
    while (has_output(connection)) {
        ssize_t size = os_send(connection->fd, connection->output + connection->output_start,
                               connection->output_size - connection->output_start);
        if (size < 0) {
            return size == -EAGAIN;
        }
        connection->output_start += (size_t)size;
        connection->sent_size += (uint64_t)size;
        connection->taken_ms = connection->now_ms;
    }
    connection->output_start = 0;
    connection->output_size = 0;
    connection->taken_ms = connection->now_ms;
    return true;
}

/* Lets nghttp2 fill the empty output buffer. False: it cannot. */
static bool fill_output(struct http2_connection *connection) {
    while (LIMIT_OUTPUT_SIZE - connection->output_size >= LIMIT_FRAME_SIZE_MAX) {
        const uint8_t *bytes;
        ssize_t size = nghttp2_session_mem_send(connection->session, &bytes);
        if (size < 0 || size > LIMIT_FRAME_SIZE_MAX) {
            return false;
        }
        if (size == 0) {
            return true;
        }
        memcpy(connection->output + connection->output_size, bytes, (size_t)size);
        connection->output_size += (size_t)size;
    }
    return true;
}

/* What follows when the last byte is sent. */
static enum http2_outcome begin_lingering(struct http2_connection *connection) {
    if (shutdown(connection->fd, SHUT_WR) != 0) {
        return HTTP2_FINISHED;
    }
    enter(connection, HTTP2_LINGERING);
    return HTTP2_OPEN;
}

/* Sends until there is nothing to send, the client does not take it, or the turn is over. */
static enum http2_outcome pump(struct http2_connection *connection) {
    for (int fill_count = 0;; fill_count++) {
        if (!send_output(connection)) {
            return HTTP2_FINISHED;
        }
        if (has_output(connection)) {
            return HTTP2_OPEN;
        }
        connection->is_turn_over = fill_count == LIMIT_FILLS_PER_TURN;
        if (connection->is_turn_over) {
            return HTTP2_OPEN;
        }
        if (!fill_output(connection)) {
            return HTTP2_FINISHED;
        }
        if (!has_output(connection)) {
            break;
        }
    }
    bool is_done = !nghttp2_session_want_read(connection->session) &&
                   !nghttp2_session_want_write(connection->session);
    return is_done || connection->phase == HTTP2_ENDING ? begin_lingering(connection) : HTTP2_OPEN;
}

/* Judges what nghttp2 could not read. */
static enum http2_outcome give_up(struct http2_connection *connection, ssize_t error) {
    if (error != NGHTTP2_ERR_CALLBACK_FAILURE && error != NGHTTP2_ERR_FLOODED) {
        return HTTP2_FINISHED; /* it speaks something else, or there is no memory */
    }
    enter(connection, HTTP2_ENDING);
    return nghttp2_session_terminate_session(connection->session, NGHTTP2_ENHANCE_YOUR_CALM) == 0
               ? pump(connection)
               : HTTP2_FINISHED;
}

/* Reads once. */
static enum http2_outcome receive_input(struct http2_connection *connection) {
    uint8_t bytes[LIMIT_INPUT_SIZE];
    ssize_t size = os_recv(connection->fd, bytes, sizeof bytes);
    if (size <= 0) {
        return size == -EAGAIN ? HTTP2_OPEN : HTTP2_FINISHED;
    }
    if (connection->phase >= HTTP2_ENDING) {
        return HTTP2_OPEN; /* thrown away, so that closing sends no RST before the last bytes */
    }
    ssize_t read_size = nghttp2_session_mem_recv(connection->session, bytes, (size_t)size);
    return read_size < 0 ? give_up(connection, read_size) : HTTP2_OPEN;
}

enum http2_outcome http2_handle_events(struct http2_connection *connection, short events,
                                       int64_t now_ms) {
    connection->now_ms = now_ms;
    if (connection->phase == HTTP2_LINGERING) {
        return receive_input(connection);
    }
    if (!send_output(connection)) {
        return HTTP2_FINISHED;
    }
    bool may_read = (events & (POLLIN | POLLHUP | POLLERR)) != 0 || connection->is_turn_over;
    if (!has_output(connection) && may_read && receive_input(connection) == HTTP2_FINISHED) {
        return HTTP2_FINISHED;
    }
    return connection->phase == HTTP2_LINGERING ? HTTP2_OPEN : pump(connection);
}

static void send_ping(struct http2_connection *connection) {
    (void)nghttp2_submit_ping(connection->session, NGHTTP2_FLAG_NONE, NULL);
    connection->is_ping_sent = true;
    connection->ping_ms = connection->now_ms;
}

int64_t http2_deadline_ms(const struct http2_connection *connection) {
    switch (connection->phase) {
    case HTTP2_PREFACE:
        return connection->phase_ms + LIMIT_PREFACE_MS;
    case HTTP2_ENDING:
    case HTTP2_LINGERING:
        return connection->phase_ms + LIMIT_FAREWELL_MS;
    case HTTP2_SERVING:
        break;
    }
    if (has_output(connection)) {
        return connection->taken_ms + LIMIT_SILENCE_MS + LIMIT_PING_ANSWER_MS;
    }
    return connection->is_ping_sent ? connection->ping_ms + LIMIT_PING_ANSWER_MS
                                    : connection->heard_ms + LIMIT_SILENCE_MS;
}

enum http2_outcome http2_advance(struct http2_connection *connection, int64_t now_ms) {
    connection->now_ms = now_ms;
    if (http2_deadline_ms(connection) <= now_ms) {
        bool is_only_silent = connection->phase == HTTP2_SERVING && !has_output(connection) &&
                              !connection->is_ping_sent;
        if (!is_only_silent) {
            return HTTP2_FINISHED;
        }
        send_ping(connection);
    }
    return connection->phase == HTTP2_LINGERING ? HTTP2_OPEN : pump(connection);
}

short http2_wanted_events(const struct http2_connection *connection) {
    return has_output(connection) ? POLLOUT : connection->is_turn_over ? POLLIN | POLLOUT : POLLIN;
}

void http2_announce_end(struct http2_connection *connection) {
    (void)nghttp2_submit_shutdown_notice(connection->session);
}

void http2_refuse_new_streams(struct http2_connection *connection) {
    nghttp2_session *session = connection->session;
    (void)nghttp2_submit_goaway(session, NGHTTP2_FLAG_NONE,
                                nghttp2_session_get_last_proc_stream_id(session), NGHTTP2_NO_ERROR,
                                NULL, 0);
}

void http2_close(struct http2_connection *connection) {
    while (connection->streams != NULL) {
        http2_forget_stream(connection->streams);
    }
    nghttp2_session_del(connection->session);
    connection->session = NULL;
    (void)os_close(connection->fd);
}
