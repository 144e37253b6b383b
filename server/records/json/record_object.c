#include "server/records/json/record_object.h"

#include <jansson.h>
#include <stdlib.h>

#include "server/records/json/text.h"

/* Integers as reals: their value is not used, and an integer of 20 digits is no error. */
enum { PARSE_FLAGS = JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL };

static size_t count_characters(struct record_text text) {
    size_t count = 0;
    for (size_t i = 0; i < text.size; i++) {
        /* Every byte but a continuation byte begins a character. */
        count += ((unsigned char)text.bytes[i] & 0xC0) != 0x80;
    }
    return count;
}

/* The functions below step through `bytes[0..size)`, of which `at` is a place, and never beyond. */

static size_t skip_space(const char *bytes, size_t size, size_t at) {
    return at + text_space_span(bytes + at, size - at);
}

static size_t skip_string(const char *bytes, size_t size, size_t at) {
    for (at++; at < size && bytes[at] != '"'; at++) {
        at += bytes[at] == '\\';
    }
    return at < size ? at + 1 : size;
}

static size_t skip_digits(const char *bytes, size_t size, size_t at) {
    while (at < size && bytes[at] >= '0' && bytes[at] <= '9') {
        at++;
    }
    return at;
}

/* Steps over a number of JSON's grammar (RFC 8259, section 6). Where there is none, it stays. */
static size_t skip_number(const char *bytes, size_t size, size_t at) {
    size_t integer = at + (bytes[at] == '-');
    size_t end = skip_digits(bytes, size, integer);
    if (end == integer || (bytes[integer] == '0' && end > integer + 1)) {
        return at;
    }
    if (end < size && bytes[end] == '.') {
        size_t fraction = end + 1;
        end = skip_digits(bytes, size, fraction);
        if (end == fraction) {
            return at;
        }
    }
    if (end < size && (bytes[end] == 'e' || bytes[end] == 'E')) {
        size_t exponent = end + 1;
        exponent += exponent < size && (bytes[exponent] == '+' || bytes[exponent] == '-');
        end = skip_digits(bytes, size, exponent);
        if (end == exponent) {
            return at;
        }
    }
    return end;
}

/* Puts 0 or -0 in the place of each number, with spaces behind it. */
static void shrink_numbers(char *bytes, size_t size) {
    for (size_t at = 0; at < size;) {
        size_t end = bytes[at] == '"' ? skip_string(bytes, size, at) : skip_number(bytes, size, at);
        if (end == at) {
            at++;
            continue;
        }
        if (bytes[at] != '"') {
            size_t integer = at + (bytes[at] == '-');
            memset(bytes + integer, ' ', end - integer);
            bytes[integer] = '0';
        }
        at = end;
    }
}

/* jansson makes a double of each number, and refuses what is too large for one. Their values are of
 * no use here, and their text is taken from `bytes`: so it gets to see small ones. */
static json_t *load_with_small_numbers(const char *bytes, size_t size, json_error_t *error) {
    char *copy = malloc(size);
    if (copy == NULL) {
        return NULL;
    }
    memcpy(copy, bytes, size);
    shrink_numbers(copy, size);
    json_t *content = json_loadb(copy, size, PARSE_FLAGS, error);
    free(copy);
    return content;
}

/* Finds the text of the value that is the `wanted_index`-th member of the object, a number: jansson
 * hands out numbers only as such, and 1.50 would not come back as it was sent. jansson has accepted
 * the object, and no member before this one is anything but a string or a number. */
static struct record_text find_number(const char *bytes, size_t size, size_t wanted_index) {
    size_t at = skip_space(bytes, size, 0);
    for (size_t index = 0;; index++) {
        /* Behind '{' or ',': the key, the colon, the value. */
        at = skip_space(bytes, size, at + 1);
        at = skip_space(bytes, size, skip_string(bytes, size, at));
        at = skip_space(bytes, size, at + 1);
        size_t end = bytes[at] == '"' ? skip_string(bytes, size, at) : skip_number(bytes, size, at);
        if (index == wanted_index) {
            return (struct record_text){.bytes = bytes + at, .size = end - at};
        }
        at = skip_space(bytes, size, end);
    }
}

static bool check_size(enum record_member member, struct record_text text,
                       const struct record_limits *limits, char *message) {
    size_t character_max = limits->character_max[member];
    if (character_max == 0 || count_characters(text) <= character_max) {
        return true;
    }
    message_format(message, "\"%s\" is longer than %zu characters", record_member_name(member),
                   character_max);
    return false;
}

/* What one pass over the members of an object knows. */
struct reading {
    const char *bytes;
    size_t size;
    const struct record_limits *limits;
    struct record *record;
    bool seen[RECORD_MEMBER_COUNT];
    char *message;
};

static bool read_member(struct reading *reading, const char *key, json_t *value, size_t index) {
    enum record_member member = record_member_from_key(key, strlen(key));
    if (member == RECORD_MEMBER_COUNT) {
        message_format(reading->message, "unknown member \"%.64s\"", key);
        return false;
    }
    if (reading->seen[member]) {
        message_format(reading->message, "\"%s\" appears twice", record_member_name(member));
        return false;
    }
    reading->seen[member] = true;
    struct record_text *text = record_member_text(reading->record, member);
    if (json_is_string(value)) {
        *text = (struct record_text){json_string_value(value), json_string_length(value)};
    } else if (json_is_number(value) && record_member_allows_number(member)) {
        *text = find_number(reading->bytes, reading->size, index);
    } else {
        message_format(reading->message, "\"%s\" is not a string", record_member_name(member));
        return false;
    }
    return check_size(member, *text, reading->limits, reading->message);
}

static bool read_members(struct reading *reading, json_t *object) {
    const char *key;
    json_t *value;
    size_t index = 0;
    /* jansson walks an object in the order of the text, which find_number depends on. */
    json_object_foreach(object, key, value) {
        if (!read_member(reading, key, value, index++)) {
            return false;
        }
    }
    for (int member = 0; member < RECORD_MEMBER_COUNT; member++) {
        if (!reading->seen[member]) {
            message_format(reading->message, "\"%s\" is missing",
                           record_member_name((enum record_member)member));
            return false;
        }
    }
    return true;
}

bool record_object_parse(const char *bytes, size_t size, const struct record_limits *limits,
                         struct json_t **content, struct record *record,
                         char message[MESSAGE_SIZE]) {
    json_error_t error = {0};
    *content = NULL;
    /* jansson overlooks one that follows a number. */
    if (memchr(bytes, '\0', size) != NULL) {
        message_format(message, "bad JSON: NUL byte");
        return false;
    }
    *content = json_loadb(bytes, size, PARSE_FLAGS, &error);
    if (*content == NULL && json_error_code(&error) == json_error_numeric_overflow) {
        *content = load_with_small_numbers(bytes, size, &error);
    }
    if (*content == NULL) {
        enum json_error_code code = json_error_code(&error);
        bool is_nul = code == json_error_null_character || code == json_error_null_byte_in_key;
        message_format(message, "bad JSON: %s", is_nul ? "NUL in a string" : error.text);
        return false;
    }
    struct reading reading = {
        .bytes = bytes, .size = size, .limits = limits, .record = record, .message = message};
    return read_members(&reading, *content);
}
