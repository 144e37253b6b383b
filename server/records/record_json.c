#include "server/records/record_json.h"

#include <string.h>

#include "server/records/plain_text.h"

/* The longest form of one byte: \u001f. */
enum { ESCAPED_SIZE_MAX = 6 };

static const char ID_PREFIX[] = RECORD_JSON_BEFORE_ID;
static const char NAME_PREFIX[] = RECORD_JSON_BEFORE_NAME;
static const char AGE_PREFIX[] = RECORD_JSON_BEFORE_AGE;
static const char SUFFIX[] = RECORD_JSON_END;

size_t record_json_size_max(const struct record *record) {
    return sizeof(ID_PREFIX) + sizeof(NAME_PREFIX) + sizeof(AGE_PREFIX) + sizeof(SUFFIX) +
           ESCAPED_SIZE_MAX * (record->id.size + record->name.size + record->age.size);
}

static char *append(char *at, const char *bytes, size_t size) {
    memcpy(at, bytes, size);
    return at + size;
}

static char *append_escaped_byte(char *at, unsigned char byte) {
    static const char HEX[] = "0123456789abcdef";
    const char *short_form = NULL;
    switch (byte) {
    case '"':
        short_form = "\\\"";
        break;
    case '\\':
        short_form = "\\\\";
        break;
    case '\n':
        short_form = "\\n";
        break;
    case '\r':
        short_form = "\\r";
        break;
    case '\t':
        short_form = "\\t";
        break;
    case '\b':
        short_form = "\\b";
        break;
    case '\f':
        short_form = "\\f";
        break;
    default:
        break;
    }
    if (short_form != NULL) {
        return append(at, short_form, 2);
    }
    at = append(at, "\\u00", 4);
    *at++ = HEX[byte >> 4];
    *at++ = HEX[byte & 0xF];
    return at;
}

static size_t text_size(struct record_text text) {
    size_t size = 0;
    size_t index = 0;
    while (index < text.size) {
        size_t plain_size = plain_text_span(text.bytes + index, text.size - index);
        size += plain_size;
        index += plain_size;
        if (index < text.size) {
            char escaped[ESCAPED_SIZE_MAX];
            unsigned char byte = (unsigned char)text.bytes[index++];
            size += byte >= 0x80 ? 1 : (size_t)(append_escaped_byte(escaped, byte) - escaped);
        }
    }
    return size;
}

size_t record_json_size(const struct record *record) {
    return sizeof RECORD_JSON_BEFORE_ID RECORD_JSON_BEFORE_NAME RECORD_JSON_BEFORE_AGE
               RECORD_JSON_END -
           1 + text_size(record->id) + text_size(record->name) + text_size(record->age);
}

static char *append_text(char *at, struct record_text text) {
    const char *rest = text.bytes;
    const char *end = text.bytes + text.size;
    while (rest < end) {
        size_t plain_size = plain_text_span(rest, (size_t)(end - rest));
        at = append(at, rest, plain_size);
        rest += plain_size;
        if (rest < end) {
            unsigned char byte = (unsigned char)*rest++;
            if (byte >= 0x80) {
                *at++ = (char)byte; /* a piece of UTF-8 stands for itself */
            } else {
                at = append_escaped_byte(at, byte);
            }
        }
    }
    return at;
}

size_t record_json_format(const struct record *record, char *line) {
    char *at = append(line, ID_PREFIX, sizeof(ID_PREFIX) - 1);
    at = append_text(at, record->id);
    at = append(at, NAME_PREFIX, sizeof(NAME_PREFIX) - 1);
    at = append_text(at, record->name);
    at = append(at, AGE_PREFIX, sizeof(AGE_PREFIX) - 1);
    at = append_text(at, record->age);
    at = append(at, SUFFIX, sizeof(SUFFIX) - 1);
    return (size_t)(at - line);
}

size_t record_json_format_error(const char *message, char *line, size_t capacity) {
    static const char PREFIX[] = "{\"error\": \"";
    char *at = append(line, PREFIX, sizeof PREFIX - 1);
    char *end = line + capacity - sizeof SUFFIX - ESCAPED_SIZE_MAX;
    for (; *message != '\0' && at < end; message++) {
        at = append_text(at, (struct record_text){message, 1});
    }
    at = append(at, SUFFIX, sizeof SUFFIX - 1);
    return (size_t)(at - line);
}
