#include "server/sequence/protocol.h"

#include <assert.h>
#include <string.h>

#include "server/sessions/decimal.h"

enum { FIELD_COUNT_MAX = 4 };

/* A piece of the message between two commas. */
struct field {
    const char *text;
    size_t length;
};

struct request_form {
    const char *name;
    size_t field_count;
};

static const struct request_form request_forms[] = {
    [PROTOCOL_INIT] = {"INIT", 4},     [PROTOCOL_CONT] = {"CONT", 2}, [PROTOCOL_RECV] = {"RECV", 2},
    [PROTOCOL_STREAM] = {"STREAM", 2}, [PROTOCOL_FIN] = {"FIN", 1},
};

enum { REQUEST_KIND_COUNT = sizeof request_forms / sizeof request_forms[0] };

static bool field_is(const struct field *field, const char *text) {
    return field->length == strlen(text) && memcmp(field->text, text, field->length) == 0;
}

/* Splits `length` bytes at the commas. Returns the count of fields; one more than FIELD_COUNT_MAX
 * when there are too many. */
static size_t split_fields(const char *text, size_t length, struct field fields[FIELD_COUNT_MAX]) {
    size_t count = 0;
    const char *end = text + length;
    for (;;) {
        const char *comma = memchr(text, ',', (size_t)(end - text));
        const char *field_end = comma ? comma : end;
        if (count == FIELD_COUNT_MAX) {
            return FIELD_COUNT_MAX + 1;
        }
        fields[count++] = (struct field){text, (size_t)(field_end - text)};
        if (!comma) {
            return count;
        }
        text = comma + 1;
    }
}

static bool parse_decimal(const struct field *field, uint32_t maximum, uint32_t *value) {
    return decimal_parse(field->text, field->length, maximum, value);
}

static enum protocol_error parse_client_id(const struct field *field, char *client_id) {
    if (!client_id_is_valid(field->text, field->length)) {
        return PROTOCOL_ERROR_CLIENT_ID;
    }
    memcpy(client_id, field->text, CLIENT_ID_LENGTH);
    return PROTOCOL_ERROR_NONE;
}

static enum protocol_error parse_init(const struct field *fields,
                                      struct protocol_request *request) {
    enum protocol_error error = parse_client_id(&fields[1], request->client_id);
    if (error != PROTOCOL_ERROR_NONE) {
        return error;
    }
    if (!parse_decimal(&fields[2], PROTOCOL_NUMBER_COUNT_MAX, &request->number_count)) {
        return PROTOCOL_ERROR_NUMBER_COUNT;
    }
    if (!parse_decimal(&fields[3], PROTOCOL_BATCH_SIZE_MAX, &request->batch_size) ||
        request->batch_size == 0) {
        return PROTOCOL_ERROR_BATCH_SIZE;
    }
    return PROTOCOL_ERROR_NONE;
}

static enum protocol_error parse_batch_index(const struct field *field,
                                             struct protocol_request *request) {
    if (!parse_decimal(field, UINT32_MAX, &request->batch_index)) {
        if (!decimal_is_valid(field->text, field->length)) {
            return PROTOCOL_ERROR_BATCH_INDEX;
        }
        request->batch_index = UINT32_MAX;
    }
    request->batch_index_text = field->text;
    request->batch_index_length = field->length;
    return PROTOCOL_ERROR_NONE;
}

/* Reads the request whose text, without the ';', is the `length` bytes at `text`. */
static enum protocol_error parse_request_text(const char *text, size_t length,
                                              struct protocol_request *request) {
    struct field fields[FIELD_COUNT_MAX];
    size_t field_count = split_fields(text, length, fields);
    size_t kind = 0;
    while (kind < REQUEST_KIND_COUNT && !field_is(&fields[0], request_forms[kind].name)) {
        kind++;
    }
    if (kind == REQUEST_KIND_COUNT) {
        return PROTOCOL_ERROR_UNKNOWN_MESSAGE;
    }
    if (field_count != request_forms[kind].field_count) {
        return PROTOCOL_ERROR_FIELD_COUNT;
    }

    memset(request, 0, sizeof *request);
    request->kind = (enum protocol_request_kind)kind;
    switch (request->kind) {
    case PROTOCOL_INIT:
        return parse_init(fields, request);
    case PROTOCOL_CONT:
        return parse_client_id(&fields[1], request->client_id);
    case PROTOCOL_RECV:
    case PROTOCOL_STREAM:
        return parse_batch_index(&fields[1], request);
    case PROTOCOL_FIN:
        break;
    }
    return PROTOCOL_ERROR_NONE;
}

enum protocol_status protocol_parse_request(const char *bytes, size_t size,
                                            struct protocol_request *request, size_t *consumed_size,
                                            enum protocol_error *error) {
    size_t searched_size = size < PROTOCOL_REQUEST_SIZE_MAX ? size : PROTOCOL_REQUEST_SIZE_MAX;
    const char *end = searched_size > 0 ? memchr(bytes, ';', searched_size) : NULL;
    if (!end) {
        if (size < PROTOCOL_REQUEST_SIZE_MAX) {
            return PROTOCOL_PARTIAL;
        }
        *error = PROTOCOL_ERROR_MESSAGE_TOO_LONG;
        return PROTOCOL_INVALID;
    }
    *error = parse_request_text(bytes, (size_t)(end - bytes), request);
    if (*error != PROTOCOL_ERROR_NONE) {
        return PROTOCOL_INVALID;
    }
    *consumed_size = (size_t)(end - bytes) + 1;
    return PROTOCOL_COMPLETE;
}

static size_t write_text(const char *text, size_t length, char *out) {
    memcpy(out, text, length);
    return length;
}

size_t protocol_write_request(const struct protocol_request *request, char *out) {
    const char *name = request_forms[request->kind].name;
    size_t size = write_text(name, strlen(name), out);
    if (request->kind == PROTOCOL_INIT || request->kind == PROTOCOL_CONT) {
        out[size++] = ',';
        size += write_text(request->client_id, CLIENT_ID_LENGTH, out + size);
    }
    if (request->kind == PROTOCOL_INIT) {
        out[size++] = ',';
        size += decimal_write(request->number_count, out + size);
        out[size++] = ',';
        size += decimal_write(request->batch_size, out + size);
    }
    if (request->kind == PROTOCOL_RECV || request->kind == PROTOCOL_STREAM) {
        out[size++] = ',';
        size += decimal_write(request->batch_index, out + size);
    }
    out[size++] = ';';
    return size;
}

/* Reads "a:b:c" into `numbers`. */
static enum protocol_error parse_numbers(const char *text, size_t length, uint8_t *numbers,
                                         size_t capacity, size_t *number_count) {
    const char *end = text + length;
    size_t count = 0;
    for (;;) {
        uint32_t value = 0;
        const char *separator = text;
        while (separator < end && *separator != ':') {
            separator++;
        }
        struct field field = {text, (size_t)(separator - text)};
        if (count == capacity || !parse_decimal(&field, PROTOCOL_NUMBER_MAX, &value)) {
            return PROTOCOL_ERROR_NUMBER;
        }
        numbers[count++] = (uint8_t)value;
        if (separator == end) {
            break;
        }
        text = separator + 1;
    }
    *number_count = count;
    return PROTOCOL_ERROR_NONE;
}

static enum protocol_error parse_checksum(const char *text, size_t length, char *checksum) {
    if (length != PROTOCOL_CHECKSUM_LENGTH) {
        return PROTOCOL_ERROR_CHECKSUM;
    }
    for (size_t i = 0; i < length; i++) {
        bool is_digit = text[i] >= '0' && text[i] <= '9';
        if (!is_digit && (text[i] < 'a' || text[i] > 'f')) {
            return PROTOCOL_ERROR_CHECKSUM;
        }
    }
    memcpy(checksum, text, length);
    return PROTOCOL_ERROR_NONE;
}

/* Reads the reply whose text, without the ';', is the `length` bytes at `text`. */
static enum protocol_error parse_reply_text(const char *text, size_t length, uint8_t *numbers,
                                            size_t capacity, struct protocol_reply *reply) {
    enum { PREFIX_LENGTH = 4 };
    memset(reply, 0, sizeof *reply);
    if (length == 3 && memcmp(text, "ACK", 3) == 0) {
        reply->kind = PROTOCOL_ACK;
        return PROTOCOL_ERROR_NONE;
    }
    if (length < PREFIX_LENGTH) {
        return PROTOCOL_ERROR_UNKNOWN_MESSAGE;
    }
    const char *content = text + PREFIX_LENGTH;
    size_t content_length = length - PREFIX_LENGTH;
    if (memcmp(text, "NUM,", PREFIX_LENGTH) == 0) {
        reply->kind = PROTOCOL_NUM;
        return parse_numbers(content, content_length, numbers, capacity, &reply->number_count);
    }
    if (memcmp(text, "FAC,", PREFIX_LENGTH) == 0) {
        reply->kind = PROTOCOL_FAC;
        return parse_checksum(content, content_length, reply->checksum);
    }
    if (memcmp(text, "ERR,", PREFIX_LENGTH) == 0) {
        reply->kind = PROTOCOL_ERR;
        reply->error_text = content;
        reply->error_text_length = content_length;
        return content_length <= PROTOCOL_ERROR_TEXT_LENGTH_MAX ? PROTOCOL_ERROR_NONE
                                                                : PROTOCOL_ERROR_MESSAGE_TOO_LONG;
    }
    return PROTOCOL_ERROR_UNKNOWN_MESSAGE;
}

enum protocol_status protocol_parse_reply(const char *bytes, size_t size, uint8_t *numbers,
                                          size_t capacity, struct protocol_reply *reply,
                                          size_t *consumed_size, enum protocol_error *error) {
    const char *end = size > 0 ? memchr(bytes, ';', size) : NULL;
    if (!end) {
        size_t size_max = PROTOCOL_NUMBERS_PREFIX_SIZE + PROTOCOL_NUMBER_SIZE_MAX * capacity;
        if (size_max < PROTOCOL_ERROR_SIZE_MAX) {
            size_max = PROTOCOL_ERROR_SIZE_MAX;
        }
        if (size < size_max) {
            return PROTOCOL_PARTIAL;
        }
        *error = PROTOCOL_ERROR_MESSAGE_TOO_LONG;
        return PROTOCOL_INVALID;
    }
    *error = parse_reply_text(bytes, (size_t)(end - bytes), numbers, capacity, reply);
    if (*error != PROTOCOL_ERROR_NONE) {
        return PROTOCOL_INVALID;
    }
    *consumed_size = (size_t)(end - bytes) + 1;
    return PROTOCOL_COMPLETE;
}

size_t protocol_write_ack(char *out) {
    return write_text("ACK;", PROTOCOL_ACK_SIZE, out);
}

size_t protocol_write_error(const char *text, char *out) {
    size_t size = write_text("ERR,", 4, out);
    size_t length = strnlen(text, PROTOCOL_ERROR_TEXT_LENGTH_MAX);
    assert(memchr(text, ';', length) == NULL);
    size += write_text(text, length, out + size);
    out[size++] = ';';
    return size;
}

size_t protocol_write_checksum(const char *checksum, char *out) {
    size_t size = write_text("FAC,", 4, out);
    size += write_text(checksum, PROTOCOL_CHECKSUM_LENGTH, out + size);
    out[size++] = ';';
    return size;
}

size_t protocol_write_numbers(const uint8_t *numbers, size_t count, bool is_first, bool is_last,
                              char *out) {
    assert(count > 0);
    size_t size = is_first ? write_text("NUM,", PROTOCOL_NUMBERS_PREFIX_SIZE, out) : 0;
    for (size_t i = 0; i < count; i++) {
        assert(numbers[i] <= PROTOCOL_NUMBER_MAX);
        size += decimal_write(numbers[i], out + size);
        out[size++] = ':';
    }
    if (is_last) {
        out[size - 1] = ';';
    }
    return size;
}

const char *protocol_describe_error(enum protocol_error error) {
    switch (error) {
    case PROTOCOL_ERROR_NONE:
        return "No error";
    case PROTOCOL_ERROR_UNKNOWN_MESSAGE:
        return "Unknown message";
    case PROTOCOL_ERROR_MESSAGE_TOO_LONG:
        return "Message too long";
    case PROTOCOL_ERROR_FIELD_COUNT:
        return "Wrong number of fields";
    case PROTOCOL_ERROR_CLIENT_ID:
        return "Client-id is not a UUID";
    case PROTOCOL_ERROR_NUMBER_COUNT:
        return "Count of numbers must be 0 to 65535 without leading zeros";
    case PROTOCOL_ERROR_BATCH_SIZE:
        return "Batch size must be 1 to 65535 without leading zeros";
    case PROTOCOL_ERROR_BATCH_INDEX:
        return "Batch index must be a number without leading zeros";
    case PROTOCOL_ERROR_NUMBER:
        return "Bad number";
    case PROTOCOL_ERROR_CHECKSUM:
        return "Bad checksum";
    }
    return "Unknown error";
}
