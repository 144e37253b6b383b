#include "server/station/client_call.h"

#include <errno.h>
#include <nghttp2/nghttp2.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "server/runtime/escape.h"
#include "server/runtime/os.h"
#include "server/sessions/decimal.h"
#include "server/station/call.h"
#include "server/station/client_socket.h"

enum {
    INPUT_SIZE = 64 * 1024,
    /* A number with its prefix, and whatever a later version may add to it. */
    MESSAGE_SIZE_MAX = 256,
    WINDOW_SIZE = 1024 * 1024,
};

struct client_call {
    const struct client_call_request *request;
    const struct client_call_handlers *handlers;
    int fd;
    nghttp2_session *session;
    bool is_closed;  /* the stream */
    bool is_refused; /* by take_number() */
    bool has_status;
    uint32_t http_status;
    uint32_t status;
    char text[CLIENT_CALL_TEXT_SIZE]; /* escaped */
    size_t sent_size;                 /* of the request */
    size_t request_size;
    uint8_t request_bytes[CALL_PREFIX_SIZE + CODEC_REQUEST_SIZE_MAX];
    size_t input_size; /* of a message that is not whole yet */
    uint8_t input[CALL_PREFIX_SIZE + MESSAGE_SIZE_MAX];
};

static ssize_t read_request(nghttp2_session *session, int32_t stream_id, uint8_t *room, size_t size,
                            uint32_t *flags, nghttp2_data_source *source, void *context) {
    struct client_call *call = context;
    (void)session;
    (void)stream_id;
    (void)source;
    size_t left_size = call->request_size - call->sent_size;
    size_t piece_size = size < left_size ? size : left_size;
    memcpy(room, call->request_bytes + call->sent_size, piece_size);
    call->sent_size += piece_size;
    if (piece_size == left_size) {
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    }
    return (ssize_t)piece_size;
}

static bool equals(const uint8_t *bytes, size_t size, const char *text) {
    return size == strlen(text) && memcmp(bytes, text, size) == 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_size, const uint8_t *value, size_t value_size, uint8_t flags,
                     void *context) {
    struct client_call *call = context;
    const char *text = (const char *)value;
    (void)session;
    (void)frame;
    (void)flags;
    if (equals(name, name_size, ":status")) {
        (void)decimal_parse(text, value_size, 999, &call->http_status);
    } else if (equals(name, name_size, "grpc-status")) {
        call->has_status = decimal_parse(text, value_size, STATUS_CODE_MAX, &call->status);
    } else if (equals(name, name_size, "grpc-message")) {
        (void)escape_bytes(call->text, sizeof call->text, text, value_size);
    }
    return 0;
}

/* Hands on the message that is whole in the input. False: it is none. */
static bool take_message(struct client_call *call, size_t size) {
    struct codec_number number;
    struct wire_bytes message = {call->input + CALL_PREFIX_SIZE, size};
    return call->input[0] == 0 && codec_decode_station_number(message, &number) &&
           call->handlers->take_number(call->handlers->context, &number);
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream_id, const uint8_t *bytes,
                   size_t size, void *context) {
    struct client_call *call = context;
    (void)session;
    (void)flags;
    (void)stream_id;
    for (size_t i = 0; i < size; i++) {
        call->input[call->input_size++] = bytes[i];
        if (call->input_size < CALL_PREFIX_SIZE) {
            continue;
        }
        size_t message_size = (size_t)call->input[1] << 24 | (size_t)call->input[2] << 16 |
                              (size_t)call->input[3] << 8 | call->input[4];
        if (message_size > MESSAGE_SIZE_MAX) {
            call->is_refused = true;
            return NGHTTP2_ERR_CALLBACK_FAILURE;
        }
        if (call->input_size == CALL_PREFIX_SIZE + message_size) {
            if (!take_message(call, message_size)) {
                call->is_refused = true;
                return NGHTTP2_ERR_CALLBACK_FAILURE;
            }
            call->input_size = 0;
        }
    }
    return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t stream_id, uint32_t error_code,
                           void *context) {
    struct client_call *call = context;
    (void)session;
    (void)stream_id;
    (void)error_code;
    call->is_closed = true;
    return 0;
}

static nghttp2_nv make_field(const char *name, const char *value) {
    return (nghttp2_nv){.name = (uint8_t *)(uintptr_t)name,
                        .value = (uint8_t *)(uintptr_t)value,
                        .namelen = strlen(name),
                        .valuelen = strlen(value)};
}

/* Writes SETTINGS, a larger window, and the request. 0, or an error of nghttp2's. */
static int submit_call(struct client_call *call) {
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, WINDOW_SIZE},
    };
    const nghttp2_nv fields[] = {
        make_field(":method", "POST"),
        make_field(":scheme", "http"),
        make_field(":path", call->request->path),
        make_field(":authority", call->request->host),
        make_field("te", "trailers"),
        make_field("content-type", "application/grpc"),
        make_field("user-agent", "station-client/1.0.0"),
    };
    const nghttp2_data_provider provider = {.read_callback = read_request};
    size_t size = codec_encode_sequence_request(call->request->client_id, call->request->argument,
                                                call->request_bytes + CALL_PREFIX_SIZE);
    call_write_prefix(size, call->request_bytes);
    call->request_size = CALL_PREFIX_SIZE + size;
    int error = nghttp2_submit_settings(call->session, NGHTTP2_FLAG_NONE, settings, 2);
    if (error == 0) {
        error =
            nghttp2_session_set_local_window_size(call->session, NGHTTP2_FLAG_NONE, 0, WINDOW_SIZE);
    }
    if (error == 0) {
        int32_t id = nghttp2_submit_request(call->session, NULL, fields,
                                            sizeof fields / sizeof fields[0], &provider, NULL);
        error = id < 0 ? id : 0;
    }
    return error;
}

/* Makes the session. 0, or -ENOMEM. */
static int open_session(struct client_call *call) {
    nghttp2_session_callbacks *callbacks;
    if (nghttp2_session_callbacks_new(&callbacks) != 0) {
        return -ENOMEM;
    }
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    int error = nghttp2_session_client_new(&call->session, callbacks, call);
    nghttp2_session_callbacks_del(callbacks);
    return error != 0 || submit_call(call) != 0 ? -ENOMEM : 0;
}

/* Sends what nghttp2 has to send. 0, or a negative errno value. */
static int send_output(struct client_call *call) {
    for (;;) {
        const uint8_t *bytes;
        ssize_t size = nghttp2_session_mem_send(call->session, &bytes);
        if (size <= 0) {
            return size < 0 ? -EPROTO : 0;
        }
        while (size > 0) {
            ssize_t sent_size = os_send(call->fd, bytes, (size_t)size);
            if (sent_size == -EAGAIN) {
                int events =
                    client_socket_wait(call->fd, POLLOUT, os_now_ms() + call->request->timeout_ms);
                sent_size = events > 0 ? 0 : events == 0 ? -ETIMEDOUT : events;
            }
            if (sent_size < 0) {
                return (int)sent_size;
            }
            bytes += sent_size;
            size -= sent_size;
        }
    }
}

/* Reads once, after waiting for it: half of the time in silence, then with a PING. 0, or a negative
 * errno value. */
static int receive_input(struct client_call *call) {
    uint8_t bytes[INPUT_SIZE];
    int64_t half_ms = call->request->timeout_ms / 2;
    int events = client_socket_wait(call->fd, POLLIN, os_now_ms() + half_ms);
    if (events == 0) {
        (void)nghttp2_submit_ping(call->session, NGHTTP2_FLAG_NONE, NULL);
        int error = send_output(call);
        events = error != 0 ? error : client_socket_wait(call->fd, POLLIN, os_now_ms() + half_ms);
    }
    if (events <= 0) {
        return events == 0 ? -ETIMEDOUT : events;
    }
    ssize_t size = os_recv(call->fd, bytes, sizeof bytes);
    if (size <= 0) {
        return size == -EAGAIN ? 0 : size == 0 ? -ECONNRESET : (int)size;
    }
    if (nghttp2_session_mem_recv(call->session, bytes, (size_t)size) < 0) {
        return -EPROTO;
    }
    return call->handlers->end_piece(call->handlers->context) ? 0 : -ECANCELED;
}

/* Moves bytes until the stream is closed. 0, or a negative errno value. */
static int converse(struct client_call *call) {
    int error = 0;
    while (error == 0 && !call->is_closed) {
        error = send_output(call);
        error = error != 0 ? error : receive_input(call);
    }
    return error;
}

static enum status judge(const struct client_call *call, int error,
                         char text[CLIENT_CALL_TEXT_SIZE]) {
    if (call->is_refused) {
        (void)snprintf(text, CLIENT_CALL_TEXT_SIZE, "the server sent something else");
        return STATUS_UNAVAILABLE;
    }
    if (call->has_status) {
        (void)snprintf(text, CLIENT_CALL_TEXT_SIZE, "%s", call->text);
        return (enum status)call->status;
    }
    if (call->http_status != 0 && call->http_status != 200) {
        (void)snprintf(text, CLIENT_CALL_TEXT_SIZE, "HTTP status %u", call->http_status);
    } else {
        (void)snprintf(text, CLIENT_CALL_TEXT_SIZE, "%s",
                       error != 0 ? strerror(-error) : "the stream was reset");
    }
    return STATUS_UNAVAILABLE;
}

enum status client_call_run(const struct client_call_request *request,
                            const struct client_call_handlers *handlers,
                            char text[CLIENT_CALL_TEXT_SIZE]) {
    struct client_call call = {.request = request, .handlers = handlers};
    call.fd = client_socket_connect(request->host, request->port, request->timeout_ms);
    if (call.fd < 0) {
        return judge(&call, call.fd, text);
    }
    int error = open_session(&call);
    if (error == 0) {
        error = converse(&call);
    }
    nghttp2_session_del(call.session);
    (void)os_close(call.fd);
    return judge(&call, error, text);
}
