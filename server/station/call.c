#include "server/station/call.h"

#include <string.h>
#include <strings.h>

enum {
    HEADER_OVERHEAD = 32,
    TIMEOUT_DIGIT_COUNT_MAX = 8,
};

static const struct outcome outcome_ok = {STATUS_OK, ""};

void call_begin(struct call *call) {
    call->header_list_size = 0;
    call->path[0] = '\0';
    call->is_post = false;
    call->has_type = false;
    call->has_other_type = false;
    call->is_compressed = false;
    call->has_bad_timeout = false;
    call->timeout_ms = CALL_NO_TIMEOUT;
    call->is_input_ended = false;
    call->input_size = 0;
}

static bool equals(const char *text, size_t size, const char *expected) {
    return size == strlen(expected) && memcmp(text, expected, size) == 0;
}

static bool is_grpc_type(const char *value, size_t size) {
    static const char type[] = "application/grpc";
    const size_t type_size = sizeof type - 1;
    if (size < type_size || strncasecmp(value, type, type_size) != 0) {
        return false;
    }
    return size == type_size || value[type_size] == '+' || value[type_size] == ';';
}

static void copy_path(struct call *call, const char *value, size_t size) {
    bool fits = size < sizeof call->path && memchr(value, '\0', size) == NULL;
    if (fits) {
        memcpy(call->path, value, size);
    }
    call->path[fits ? size : 0] = '\0';
}

void call_add_header(struct call *call, const char *name, size_t name_size, const char *value,
                     size_t value_size) {
    call->header_list_size += name_size + value_size + HEADER_OVERHEAD;
    if (equals(name, name_size, ":path")) {
        copy_path(call, value, value_size);
    } else if (equals(name, name_size, ":method")) {
        call->is_post = equals(value, value_size, "POST");
    } else if (equals(name, name_size, "content-type")) {
        call->has_other_type = call->has_other_type || !is_grpc_type(value, value_size);
        call->has_type = true;
    } else if (equals(name, name_size, "grpc-encoding")) {
        call->is_compressed = call->is_compressed || !equals(value, value_size, "identity");
    } else if (equals(name, name_size, "grpc-timeout")) {
        call->has_bad_timeout = call->has_bad_timeout || call->timeout_ms != CALL_NO_TIMEOUT ||
                                !call_parse_timeout(value, value_size, &call->timeout_ms);
    }
}

enum call_verdict call_judge_headers(const struct call *call, struct outcome *outcome) {
    *outcome = outcome_ok;
    if (!call->is_post) {
        return CALL_IS_NO_POST;
    }
    if (!call->has_type || call->has_other_type) {
        return CALL_IS_NO_GRPC;
    }
    if (call->header_list_size > LIMIT_HEADER_LIST_SIZE_MAX) {
        *outcome = (struct outcome){STATUS_RESOURCE_EXHAUSTED, "more than 8 KiB of headers"};
    } else if (call->is_compressed) {
        *outcome = (struct outcome){STATUS_UNIMPLEMENTED, "messages must not be compressed"};
    } else if (call->has_bad_timeout) {
        *outcome = (struct outcome){STATUS_INVALID_ARGUMENT, "malformed grpc-timeout"};
    }
    return outcome->status == STATUS_OK ? CALL_ACCEPTED : CALL_REFUSED;
}

/* Nanoseconds of a unit; 0: there is no such unit. */
static int64_t unit_ns(char unit) {
    const int64_t second_ns = 1000000000;
    switch (unit) {
    case 'H':
        return 3600 * second_ns;
    case 'M':
        return 60 * second_ns;
    case 'S':
        return second_ns;
    case 'm':
        return 1000000;
    case 'u':
        return 1000;
    case 'n':
        return 1;
    default:
        return 0;
    }
}

bool call_parse_timeout(const char *value, size_t size, int64_t *timeout_ms) {
    const int64_t millisecond_ns = 1000000;
    if (size < 2 || size > TIMEOUT_DIGIT_COUNT_MAX + 1) {
        return false;
    }
    int64_t count = 0;
    for (size_t i = 0; i < size - 1; i++) {
        if (value[i] < '0' || value[i] > '9') {
            return false;
        }
        count = 10 * count + (value[i] - '0');
    }
    int64_t ns = unit_ns(value[size - 1]);
    if (ns == 0) {
        return false;
    }
    *timeout_ms = ns >= millisecond_ns ? count * (ns / millisecond_ns)
                                       : (count * ns + millisecond_ns - 1) / millisecond_ns;
    return true;
}

bool call_add_input(struct call *call, const uint8_t *bytes, size_t size) {
    if (size > sizeof call->input - call->input_size) {
        return false;
    }
    memcpy(call->input + call->input_size, bytes, size);
    call->input_size += size;
    return true;
}

static size_t read_message_size(const uint8_t *prefix) {
    return (size_t)prefix[1] << 24 | (size_t)prefix[2] << 16 | (size_t)prefix[3] << 8 | prefix[4];
}

enum call_message call_peek_message(const struct call *call, struct wire_bytes *message,
                                    struct outcome *outcome) {
    *outcome = outcome_ok;
    if (call->input_size > 0 && call->input[0] != 0) {
        *outcome =
            call->input[0] == 1
                ? (struct outcome){STATUS_INTERNAL, "compressed message without grpc-encoding"}
                : (struct outcome){STATUS_INTERNAL, "malformed message prefix"};
        return CALL_MESSAGE_BAD;
    }
    if (call->input_size < CALL_PREFIX_SIZE) {
        return CALL_MESSAGE_PARTIAL;
    }
    size_t size = read_message_size(call->input);
    if (size > LIMIT_MESSAGE_SIZE_MAX) {
        *outcome = (struct outcome){STATUS_RESOURCE_EXHAUSTED, "message of more than 512 bytes"};
        return CALL_MESSAGE_BAD;
    }
    if (call->input_size - CALL_PREFIX_SIZE < size) {
        return CALL_MESSAGE_PARTIAL;
    }
    *message = (struct wire_bytes){call->input + CALL_PREFIX_SIZE, size};
    return CALL_MESSAGE_COMPLETE;
}

size_t call_drop_message(struct call *call) {
    size_t size = CALL_PREFIX_SIZE + read_message_size(call->input);
    call->input_size -= size;
    memmove(call->input, call->input + size, call->input_size);
    return size;
}

void call_write_prefix(size_t size, uint8_t prefix[CALL_PREFIX_SIZE]) {
    prefix[0] = 0; /* not compressed */
    prefix[1] = (uint8_t)(size >> 24);
    prefix[2] = (uint8_t)(size >> 16);
    prefix[3] = (uint8_t)(size >> 8);
    prefix[4] = (uint8_t)size;
}
