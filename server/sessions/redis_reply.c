#include "server/sessions/redis_reply.h"

#include <string.h>

#include "server/sessions/decimal.h"

enum {
    /* A line is a status, an error, or a number. */
    LINE_SIZE_MAX = 1024,
    LINE_END_SIZE = 2, /* "\r\n" */
};

/* Finds the line behind the first byte. COMPLETE: its length, without its end. */
static enum redis_reply_status find_line(const char *bytes, size_t size, size_t *length) {
    size_t searched_size = size < LINE_SIZE_MAX ? size : LINE_SIZE_MAX;
    const char *end = memchr(bytes, '\r', searched_size);
    if (end == NULL) {
        return size < LINE_SIZE_MAX ? REDIS_REPLY_PARTIAL : REDIS_REPLY_INVALID;
    }
    *length = (size_t)(end - bytes) - 1;
    if (end + 1 == bytes + size) {
        return REDIS_REPLY_PARTIAL;
    }
    return end[1] == '\n' ? REDIS_REPLY_COMPLETE : REDIS_REPLY_INVALID;
}

/* Reads a number of an INTEGER: as far as ours go, which are small. */
static bool parse_integer(const char *text, size_t length, int64_t *integer) {
    uint32_t value;
    bool is_negative = length > 0 && text[0] == '-';
    size_t sign_size = is_negative ? 1 : 0;
    if (!decimal_parse(text + sign_size, length - sign_size, UINT32_MAX, &value)) {
        return false;
    }
    *integer = is_negative ? -(int64_t)value : value;
    return true;
}

/* Reads what stands behind the line of a STRING. */
static enum redis_reply_status parse_string(const char *bytes, size_t size, size_t line_size,
                                            uint32_t length, struct redis_reply *reply,
                                            size_t *consumed_size) {
    size_t left_size = size - line_size;
    reply->kind = REDIS_REPLY_STRING;
    reply->text = bytes + line_size;
    reply->size = length;
    if (left_size > length && reply->text[length] != '\r') {
        return REDIS_REPLY_INVALID;
    }
    if (left_size < (size_t)length + LINE_END_SIZE) {
        return REDIS_REPLY_PARTIAL;
    }
    *consumed_size = line_size + length + LINE_END_SIZE;
    return reply->text[length + 1] == '\n' ? REDIS_REPLY_COMPLETE : REDIS_REPLY_INVALID;
}

enum redis_reply_status redis_reply_parse(const char *bytes, size_t size, struct redis_reply *reply,
                                          size_t *consumed_size) {
    size_t length = 0;
    uint32_t count;
    *reply = (struct redis_reply){.kind = REDIS_REPLY_NIL};
    if (size == 0) {
        return REDIS_REPLY_PARTIAL;
    }
    if (memchr("+-:$*", bytes[0], 5) == NULL) {
        return REDIS_REPLY_INVALID;
    }
    enum redis_reply_status status = find_line(bytes, size, &length);
    if (status != REDIS_REPLY_COMPLETE) {
        return status;
    }
    const char *line = bytes + 1;
    size_t line_size = 1 + length + LINE_END_SIZE;
    *consumed_size = line_size;
    reply->text = line;
    reply->size = length;
    bool is_none = length == 2 && memcmp(line, "-1", 2) == 0;
    switch (bytes[0]) {
    case '+':
        reply->kind = REDIS_REPLY_STATUS;
        return REDIS_REPLY_COMPLETE;
    case '-':
        reply->kind = REDIS_REPLY_ERROR;
        return REDIS_REPLY_COMPLETE;
    case ':':
        reply->kind = REDIS_REPLY_INTEGER;
        return parse_integer(line, length, &reply->integer) ? REDIS_REPLY_COMPLETE
                                                            : REDIS_REPLY_INVALID;
    default:
        break;
    }
    if (is_none) {
        return REDIS_REPLY_COMPLETE;
    }
    if (bytes[0] == '$') {
        return decimal_parse(line, length, REDIS_REPLY_SIZE_MAX, &count)
                   ? parse_string(bytes, size, line_size, count, reply, consumed_size)
                   : REDIS_REPLY_INVALID;
    }
    reply->kind = REDIS_REPLY_ARRAY;
    if (!decimal_parse(line, length, REDIS_REPLY_ITEM_COUNT_MAX, &count)) {
        return REDIS_REPLY_INVALID;
    }
    reply->count = count;
    return REDIS_REPLY_COMPLETE;
}

enum redis_reply_status redis_reply_measure(const char *bytes, size_t size, size_t *whole_size) {
    size_t offset = 0;
    size_t item_count = 0;
    for (size_t missing_count = 1; missing_count > 0; missing_count--) {
        struct redis_reply item;
        size_t item_size = 0;
        enum redis_reply_status status =
            redis_reply_parse(bytes + offset, size - offset, &item, &item_size);
        if (status == REDIS_REPLY_PARTIAL && size >= REDIS_REPLY_SIZE_MAX) {
            status = REDIS_REPLY_INVALID;
        }
        if (status != REDIS_REPLY_COMPLETE) {
            return status;
        }
        item_count += item.count;
        if (item_count > REDIS_REPLY_ITEM_COUNT_MAX) {
            return REDIS_REPLY_INVALID;
        }
        missing_count += item.count;
        offset += item_size;
    }
    *whole_size = offset;
    return offset <= REDIS_REPLY_SIZE_MAX ? REDIS_REPLY_COMPLETE : REDIS_REPLY_INVALID;
}

bool redis_reply_is_error(const struct redis_reply *reply, const char *code) {
    size_t length = strlen(code);
    return reply->kind == REDIS_REPLY_ERROR && reply->size >= length &&
           memcmp(reply->text, code, length) == 0 &&
           (reply->size == length || reply->text[length] == ' ');
}
