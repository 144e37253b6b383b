#include "server/records/json/record_shortcut.h"

#include <stdbool.h>

#include "server/records/json/text.h"

/* Digits in a row that are a number for certain, whatever a parser thinks of large ones. */
enum { PLAIN_DIGITS_MAX = 15 };

struct cursor {
    const char *at;
    const char *end;
};

static size_t left_size(const struct cursor *cursor) {
    return (size_t)(cursor->end - cursor->at);
}

static void skip_space(struct cursor *cursor) {
    cursor->at += text_space_span(cursor->at, left_size(cursor));
}

/* Steps over `byte` and the space around it. */
static bool take_byte(struct cursor *cursor, char byte) {
    skip_space(cursor);
    if (cursor->at == cursor->end || *cursor->at != byte) {
        return false;
    }
    cursor->at++;
    skip_space(cursor);
    return true;
}

/* Steps over plain text and UTF-8. */
static void skip_text(struct cursor *cursor) {
    size_t step_size;
    do {
        cursor->at += text_plain_span(cursor->at, left_size(cursor));
        bool is_high = cursor->at < cursor->end && (unsigned char)*cursor->at >= 0x80;
        step_size = is_high ? text_character_size(cursor->at, left_size(cursor)) : 0;
        cursor->at += step_size;
    } while (step_size > 0);
}

static bool take_string(struct cursor *cursor, struct record_text *text) {
    if (cursor->at == cursor->end || *cursor->at != '"') {
        return false;
    }
    const char *begin = ++cursor->at;
    skip_text(cursor);
    if (cursor->at == cursor->end || *cursor->at != '"') {
        return false;
    }
    *text = (struct record_text){.bytes = begin, .size = (size_t)(cursor->at - begin)};
    cursor->at++;
    return true;
}

/* Takes a whole number without a sign. Fractions, exponents and leading zeros are left to the
 * parser. */
static bool take_number(struct cursor *cursor, struct record_text *text) {
    const char *begin = cursor->at;
    while (cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9') {
        cursor->at++;
    }
    size_t size = (size_t)(cursor->at - begin);
    *text = (struct record_text){.bytes = begin, .size = size};
    return size > 0 && size <= PLAIN_DIGITS_MAX && (*begin != '0' || size == 1);
}

static bool take_value(struct cursor *cursor, enum record_member member, struct record_text *text) {
    if (cursor->at < cursor->end && *cursor->at == '"') {
        return take_string(cursor, text);
    }
    return record_member_allows_number(member) && take_number(cursor, text);
}

size_t record_shortcut_parse(const char *data, size_t size, struct record *record) {
    struct cursor cursor = {.at = data, .end = data + size};
    bool seen[RECORD_MEMBER_COUNT] = {false};
    for (int index = 0; index < RECORD_MEMBER_COUNT; index++) {
        struct record_text key;
        if (!take_byte(&cursor, index == 0 ? '{' : ',') || !take_string(&cursor, &key)) {
            return 0;
        }
        enum record_member member = record_member_from_key(key.bytes, key.size);
        if (member == RECORD_MEMBER_COUNT || seen[member]) {
            return 0;
        }
        seen[member] = true;
        if (!take_byte(&cursor, ':') ||
            !take_value(&cursor, member, record_member_text(record, member))) {
            return 0;
        }
        skip_space(&cursor);
    }
    bool closed = cursor.at < cursor.end && *cursor.at == '}';
    return closed ? (size_t)(cursor.at + 1 - data) : 0;
}
