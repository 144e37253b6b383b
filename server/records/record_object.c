#include "server/records/record_object.h"

#include <jansson.h>
#include <string.h>

#include "server/records/record_members.h"
#include "server/records/record_message.h"

static size_t count_characters(const char *bytes, size_t size) {
    size_t count = 0;
    for (size_t i = 0; i < size; i++) {
        /* Every byte but a continuation byte begins a character. */
        count += ((unsigned char)bytes[i] & 0xC0) != 0x80;
    }
    return count;
}

static bool is_space(char byte) {
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

static size_t skip_space(const char *bytes, size_t at) {
    while (is_space(bytes[at])) {
        at++;
    }
    return at;
}

static size_t skip_string(const char *bytes, size_t at) {
    for (at++; bytes[at] != '"'; at++) {
        if (bytes[at] == '\\') {
            at++;
        }
    }
    return at + 1;
}

static size_t skip_value(const char *bytes, size_t at) {
    if (bytes[at] == '"') {
        return skip_string(bytes, at);
    }
    while (!is_space(bytes[at]) && bytes[at] != ',' && bytes[at] != '}') {
        at++;
    }
    return at;
}

/* Finds the text of the value that is the `wanted_index`-th member of the object. jansson hands out
 * numbers only as numbers, and 1.50 or an id of 20 digits would not come back as it was sent.
 * jansson has accepted the object, and no member before this one is anything but a string or a
 * number, so every skip ends inside it. */
static struct record_text find_number(const char *bytes, size_t wanted_index) {
    size_t at = skip_space(bytes, 0);
    for (size_t index = 0;; index++) {
        /* Behind '{' or ',': the key, the colon, the value. */
        at = skip_space(bytes, at + 1);
        at = skip_space(bytes, skip_string(bytes, at));
        at = skip_space(bytes, at + 1);
        size_t end = skip_value(bytes, at);
        if (index == wanted_index) {
            return (struct record_text){.bytes = bytes + at, .size = end - at};
        }
        at = skip_space(bytes, end);
    }
}

static bool check_size(enum record_member member, struct record_text text,
                       size_t member_character_max, char *message) {
    if (member_character_max == 0 ||
        count_characters(text.bytes, text.size) <= member_character_max) {
        return true;
    }
    record_message_format(message, "\"%s\" is longer than %zu characters",
                          record_member_name(member), member_character_max);
    return false;
}

static bool read_members(const char *bytes, json_t *object, size_t member_character_max,
                         struct record *record, char *message) {
    bool seen[RECORD_MEMBER_COUNT] = {false};
    size_t index = 0;
    const char *key;
    json_t *value;
    /* jansson walks an object in the order of the text, which find_number depends on. */
    json_object_foreach(object, key, value) {
        enum record_member member = record_member_from_key(key, strlen(key));
        if (member == RECORD_MEMBER_COUNT) {
            record_message_format(message, "unknown member \"%.64s\"", key);
            return false;
        }
        if (seen[member]) {
            record_message_format(message, "\"%s\" appears twice", record_member_name(member));
            return false;
        }
        struct record_text *text = record_member_text(record, member);
        if (json_is_string(value)) {
            *text = (struct record_text){json_string_value(value), json_string_length(value)};
        } else if (json_is_number(value) && record_member_allows_number(member)) {
            *text = find_number(bytes, index);
        } else {
            record_message_format(message, "\"%s\" is not a string", record_member_name(member));
            return false;
        }
        if (!check_size(member, *text, member_character_max, message)) {
            return false;
        }
        seen[member] = true;
        index++;
    }
    for (int member = 0; member < RECORD_MEMBER_COUNT; member++) {
        if (!seen[member]) {
            record_message_format(message, "\"%s\" is missing",
                                  record_member_name((enum record_member)member));
            return false;
        }
    }
    return true;
}

bool record_object_parse(const char *bytes, size_t size, size_t member_character_max,
                         struct json_t **content, struct record *record,
                         char message[RECORDS_MESSAGE_SIZE]) {
    json_error_t error;
    *content = NULL;
    /* jansson overlooks one that follows a number. */
    if (memchr(bytes, '\0', size) != NULL) {
        record_message_format(message, "bad JSON: NUL byte");
        return false;
    }
    /* Integers as reals: their value is not used, and an integer of 20 digits is no error. */
    *content = json_loadb(bytes, size, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, &error);
    if (*content == NULL) {
        enum json_error_code code = json_error_code(&error);
        if (code == json_error_null_character || code == json_error_null_byte_in_key) {
            record_message_format(message, "bad JSON: NUL in a string");
            return false;
        }
        record_message_format(message, "bad JSON: %s", error.text);
        return false;
    }
    return read_members(bytes, *content, member_character_max, record, message);
}
