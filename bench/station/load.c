/* A client of many streams for measurements: counts the messages that come in so many seconds, and
 * looks at nothing else. Speaks to any server of station.v1.
 *
 *   load --port PORT [--streams N] [--seconds S]
 */
#include <errno.h>
#include <inttypes.h>
#include <nghttp2/nghttp2.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/runtime/options.h"
#include "server/runtime/os.h"
#include "server/sessions/client_id.h"
#include "server/sessions/randomness.h"
#include "server/station/call.h"
#include "server/station/client_socket.h"
#include "server/station/codec.h"

enum {
    STREAMS_PER_CONNECTION = 100,
    CONNECTION_COUNT_MAX = 100,
    NUMBER_COUNT = 65535,
    INPUT_SIZE = 256 * 1024,
    WINDOW_SIZE = 16 * 1024 * 1024,
    CONNECT_TIMEOUT_MS = 10 * 1000,
};

struct stream {
    size_t sent_size; /* of the request */
    size_t request_size;
    uint8_t request[CALL_PREFIX_SIZE + CODEC_REQUEST_SIZE_MAX];
    size_t prefix_size; /* of the message being read */
    size_t left_size;
};

struct connection {
    nghttp2_session *session;
    const uint8_t *output;
    size_t output_size;
    struct stream streams[STREAMS_PER_CONNECTION];
};

static uint64_t message_count;
static uint64_t failed_count;

static ssize_t read_request(nghttp2_session *session, int32_t stream_id, uint8_t *room, size_t size,
                            uint32_t *flags, nghttp2_data_source *source, void *context) {
    struct stream *stream = source->ptr;
    (void)session;
    (void)stream_id;
    (void)context;
    size_t left_size = stream->request_size - stream->sent_size;
    size_t piece_size = size < left_size ? size : left_size;
    memcpy(room, stream->request + stream->sent_size, piece_size);
    stream->sent_size += piece_size;
    if (piece_size == left_size) {
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    }
    return (ssize_t)piece_size;
}

static nghttp2_nv make_field(const char *name, const char *value) {
    return (nghttp2_nv){.name = (uint8_t *)(uintptr_t)name,
                        .value = (uint8_t *)(uintptr_t)value,
                        .namelen = strlen(name),
                        .valuelen = strlen(value)};
}

/* Asks for a sequence of its own. */
static void begin_stream(nghttp2_session *session, struct stream *stream) {
    const nghttp2_nv fields[] = {
        make_field(":method", "POST"),
        make_field(":scheme", "http"),
        make_field(":path", "/station.v1.NumbersStation/Start"),
        make_field(":authority", "localhost"),
        make_field("te", "trailers"),
        make_field("content-type", "application/grpc"),
    };
    uint8_t random[CLIENT_ID_RANDOM_SIZE];
    char client_id[CLIENT_ID_LENGTH + 1];
    (void)randomness_fill(random, sizeof random);
    client_id_write(random, client_id);
    size_t size =
        codec_encode_sequence_request(client_id, NUMBER_COUNT, stream->request + CALL_PREFIX_SIZE);
    call_write_prefix(size, stream->request);
    stream->request_size = CALL_PREFIX_SIZE + size;
    stream->sent_size = 0;
    stream->prefix_size = 0;
    stream->left_size = 0;
    const nghttp2_data_provider provider = {.source = {.ptr = stream},
                                            .read_callback = read_request};
    (void)nghttp2_submit_request(session, NULL, fields, sizeof fields / sizeof fields[0], &provider,
                                 stream);
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream_id, const uint8_t *bytes,
                   size_t size, void *context) {
    struct stream *stream = nghttp2_session_get_stream_user_data(session, stream_id);
    (void)flags;
    (void)context;
    while (size > 0) {
        if (stream->prefix_size < CALL_PREFIX_SIZE) {
            stream->prefix_size++;
            stream->left_size = *bytes++; /* the last of five bytes: messages are short */
            size--;
        }
        if (stream->prefix_size == CALL_PREFIX_SIZE) {
            size_t piece_size = size < stream->left_size ? size : stream->left_size;
            stream->left_size -= piece_size;
            bytes += piece_size;
            size -= piece_size;
            if (stream->left_size == 0) {
                stream->prefix_size = 0;
                message_count++;
            }
        }
    }
    return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t stream_id, uint32_t error_code,
                           void *context) {
    (void)context;
    failed_count += error_code == NGHTTP2_NO_ERROR ? 0 : 1;
    begin_stream(session, nghttp2_session_get_stream_user_data(session, stream_id));
    return 0;
}

static nghttp2_session *open_session(struct connection *connection, int64_t stream_count) {
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, WINDOW_SIZE},
    };
    nghttp2_session_callbacks *callbacks;
    nghttp2_session *session;
    if (nghttp2_session_callbacks_new(&callbacks) != 0) {
        return NULL;
    }
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    int error = nghttp2_session_client_new(&session, callbacks, connection);
    nghttp2_session_callbacks_del(callbacks);
    if (error != 0) {
        return NULL;
    }
    (void)nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings, 2);
    (void)nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0, WINDOW_SIZE);
    for (int64_t i = 0; i < stream_count; i++) {
        begin_stream(session, &connection->streams[i]);
    }
    return session;
}

/* Sends what there is, as far as the socket takes it. False: the connection is lost. */
static bool send_output(struct connection *connection, struct pollfd *polled) {
    for (;;) {
        if (connection->output_size == 0) {
            ssize_t size = nghttp2_session_mem_send(connection->session, &connection->output);
            if (size <= 0) {
                polled->events = POLLIN;
                return size == 0;
            }
            connection->output_size = (size_t)size;
        }
        ssize_t sent_size = os_send(polled->fd, connection->output, connection->output_size);
        if (sent_size < 0) {
            polled->events = POLLIN | POLLOUT;
            return sent_size == -EAGAIN;
        }
        connection->output += sent_size;
        connection->output_size -= (size_t)sent_size;
    }
}

static bool handle_events(struct connection *connection, struct pollfd *polled) {
    static uint8_t bytes[INPUT_SIZE];
    if ((polled->revents & ~POLLOUT) != 0) {
        ssize_t size = os_recv(polled->fd, bytes, sizeof bytes);
        if (size != -EAGAIN &&
            (size <= 0 || nghttp2_session_mem_recv(connection->session, bytes, (size_t)size) < 0)) {
            return false;
        }
    }
    return send_output(connection, polled);
}

/* Runs until the time is over. False: a connection was lost. */
static bool run(struct connection *connections, struct pollfd *polled, size_t count,
                int64_t end_ms) {
    for (int64_t now_ms = os_now_ms(); now_ms < end_ms; now_ms = os_now_ms()) {
        if (os_poll(polled, count, (int)(end_ms - now_ms)) < 0) {
            return false;
        }
        for (size_t i = 0; i < count; i++) {
            if (polled[i].revents != 0 && !handle_events(&connections[i], &polled[i])) {
                return false;
            }
        }
    }
    return true;
}

static int fail(const char *text) {
    (void)fprintf(stderr, "load: %s\n", text);
    return 1;
}

int main(int argc, char **argv) {
    int64_t port = 12345;
    int64_t stream_count = 1;
    int64_t duration_ms = 3000;
    const struct option_spec specs[] = {
        {"port", "NUMBER", "the server's", OPTION_INTEGER, &port, 1, 65535, NULL},
        {"streams", "NUMBER", "at a time, 100 a connection", OPTION_INTEGER, &stream_count, 1,
         STREAMS_PER_CONNECTION * CONNECTION_COUNT_MAX, NULL},
        {"seconds", "SECONDS", "how long", OPTION_SECONDS, &duration_ms, 1, 3600 * 1000, NULL},
    };
    const struct options options = {.program = "station_load",
                                    .summary = "Counts the messages of many streams of numbers.",
                                    .examples = "  station_load --streams 1000 --seconds 3\n",
                                    .specs = specs,
                                    .spec_count = sizeof specs / sizeof specs[0]};
    int first;
    if (options_parse(&options, argc, argv, &first) != OPTIONS_RUN) {
        return 2;
    }
    size_t count = (size_t)(stream_count + STREAMS_PER_CONNECTION - 1) / STREAMS_PER_CONNECTION;
    struct connection *connections = calloc(count, sizeof *connections);
    struct pollfd *polled = calloc(count, sizeof *polled);
    if (connections == NULL || polled == NULL) {
        return fail("no memory");
    }
    for (size_t i = 0; i < count; i++) {
        int64_t left_count = stream_count - (int64_t)i * STREAMS_PER_CONNECTION;
        polled[i].fd = client_socket_connect("127.0.0.1", (uint16_t)port, CONNECT_TIMEOUT_MS);
        connections[i].session =
            open_session(&connections[i],
                         left_count < STREAMS_PER_CONNECTION ? left_count : STREAMS_PER_CONNECTION);
        if (polled[i].fd < 0 || connections[i].session == NULL ||
            !send_output(&connections[i], &polled[i])) {
            return fail("no connection");
        }
    }
    int64_t begin_ms = os_now_ms();
    if (!run(connections, polled, count, begin_ms + duration_ms) || failed_count > 0) {
        return fail("a connection or a stream was lost");
    }
    (void)printf("%" PRIu64 " messages in %.3f s\n", message_count,
                 (double)(os_now_ms() - begin_ms) / 1000);
    free(connections);
    free(polled);
    return 0;
}
