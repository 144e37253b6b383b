#include "server/runtime/escape.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* What one character of at most four bytes becomes at most. */
enum { CHARACTER_SIZE_MAX = 4, PIECE_CAPACITY = CHARACTER_SIZE_MAX * ESCAPED_BYTE_SIZE_MAX + 1 };

struct code_point_range {
    uint32_t first, last;
};

/* Valid, but nothing that a reader sees, or something that changes what the reader sees. */
static const struct code_point_range hidden_ranges[] = {
    {0x80, 0x9f},       /* C1: U+009B begins a terminal's command as ESC [ does */
    {0xad, 0xad},       /* soft hyphen */
    {0x61c, 0x61c},     /* Arabic letter mark */
    {0x180e, 0x180e},   /* Mongolian vowel separator */
    {0x200b, 0x200f},   /* no width, joiners, marks of direction */
    {0x2028, 0x202e},   /* separators of lines and paragraphs, embedded directions */
    {0x2060, 0x206f},   /* invisible operators, isolated directions */
    {0xfeff, 0xfeff},   /* byte order mark */
    {0xfff9, 0xfffb},   /* annotations */
    {0xe0000, 0xe0fff}, /* tags, further variations */
};

static bool is_hidden(uint32_t code_point) {
    for (size_t index = 0; index < sizeof hidden_ranges / sizeof hidden_ranges[0]; index++) {
        if (code_point >= hidden_ranges[index].first && code_point <= hidden_ranges[index].last) {
            return true;
        }
    }
    return false;
}

/* The size of the UTF-8 character of two bytes or more that bytes begin with, and its code point;
 * 0: they begin with none. */
static size_t decode(const unsigned char *bytes, size_t size, uint32_t *code_point) {
    static const uint32_t lowest[CHARACTER_SIZE_MAX + 1] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char first = bytes[0];
    size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || length > size) {
        return 0;
    }
    uint32_t value = first & (0x7fU >> length);
    for (size_t index = 1; index < length; index++) {
        if ((bytes[index] & 0xc0) != 0x80) {
            return 0;
        }
        value = value << 6 | (bytes[index] & 0x3fU);
    }
    bool is_surrogate = value >= 0xd800 && value <= 0xdfff;
    if (value < lowest[length] || value > 0x10ffff || is_surrogate) {
        return 0;
    }
    *code_point = value;
    return length;
}

static void escape_byte(char *piece, unsigned char byte) {
    static const char named[] = "\nn\rr\tt\\\\\"\"";
    for (size_t index = 0; index < sizeof named - 1; index += 2) {
        if (byte == (unsigned char)named[index]) {
            piece[0] = '\\';
            piece[1] = named[index + 1];
            piece[2] = '\0';
            return;
        }
    }
    bool is_printable = byte >= ' ' && byte <= '~';
    (void)snprintf(piece, ESCAPED_BYTE_SIZE_MAX + 1, is_printable ? "%c" : "\\x%02x", byte);
}

/* Writes the first character as text to piece, and returns how many bytes it is. */
static size_t take_character(char *piece, const unsigned char *bytes, size_t size) {
    uint32_t code_point = 0;
    size_t length = decode(bytes, size, &code_point);
    if (length == 0) {
        escape_byte(piece, bytes[0]);
        return 1;
    }
    if (!is_hidden(code_point)) {
        memcpy(piece, bytes, length);
        piece[length] = '\0';
        return length;
    }
    for (size_t index = 0; index < length; index++) {
        escape_byte(piece + index * ESCAPED_BYTE_SIZE_MAX, bytes[index]);
    }
    return length;
}

/* Whether all of the bytes had room. */
static bool escape(char *text, size_t capacity, const char *bytes, size_t size, bool is_message) {
    static const char ellipsis[] = "...";
    assert(capacity >= ESCAPED_CAPACITY_MIN);
    size_t text_size = 0;
    size_t cut_size = 0; /* as much of the text as leaves room for the ellipsis */
    size_t taken_size = 0;
    while (taken_size < size) {
        char piece[PIECE_CAPACITY];
        const unsigned char *next = (const unsigned char *)bytes + taken_size;
        taken_size += take_character(piece, next, size - taken_size);
        if (is_message && (*next == '\\' || *next == '"')) {
            piece[0] = (char)*next;
            piece[1] = '\0';
        }
        size_t piece_size = strlen(piece);
        if (text_size + piece_size >= capacity) {
            memcpy(text + cut_size, ellipsis, sizeof ellipsis);
            return false;
        }
        memcpy(text + text_size, piece, piece_size);
        text_size += piece_size;
        if (text_size + sizeof ellipsis <= capacity) {
            cut_size = text_size;
        }
    }
    text[text_size] = '\0';
    return true;
}

const char *escape_bytes(char *text, size_t capacity, const char *bytes, size_t size) {
    (void)escape(text, capacity, bytes, size, false);
    return text;
}

const char *escape_message(char *text, size_t capacity, const char *message) {
    size_t size = strlen(message);
    if (escape(text, capacity, message, size, true)) {
        return text;
    }
    size_t tail_capacity = capacity / 2;
    const char *tail = message + size - (tail_capacity - 1) / ESCAPED_BYTE_SIZE_MAX;
    while (((unsigned char)*tail & 0xc0) == 0x80) {
        tail++; /* it began in the middle of a character */
    }
    (void)escape(text, capacity - tail_capacity + 1, message, size, true);
    size_t head_size = strlen(text);
    (void)escape(text + head_size, capacity - head_size, tail, strlen(tail), true);
    return text;
}
