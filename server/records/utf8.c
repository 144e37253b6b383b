#include "server/records/utf8.h"

static bool is_within(char byte, unsigned char lowest, unsigned char highest) {
    return (unsigned char)byte >= lowest && (unsigned char)byte <= highest;
}

static bool are_continuations(const char *bytes, size_t count) {
    for (size_t index = 0; index < count; index++) {
        if (!is_within(bytes[index], 0x80, 0xBF)) {
            return false;
        }
    }
    return true;
}

/* Only the second byte has other limits than 80..BF, and only behind these first bytes. */
static bool is_second_allowed(unsigned char first, char second) {
    switch (first) {
    case 0xE0:
        return is_within(second, 0xA0, 0xBF); /* else overlong */
    case 0xED:
        return is_within(second, 0x80, 0x9F); /* else a surrogate */
    case 0xF0:
        return is_within(second, 0x90, 0xBF); /* else overlong */
    case 0xF4:
        return is_within(second, 0x80, 0x8F); /* else above U+10FFFF */
    default:
        return true;
    }
}

/* The size that the first byte announces, 0 for a byte that cannot be first. */
static size_t announced_size(unsigned char first) {
    if (first < 0x80) {
        return 1;
    }
    if (first < 0xC2 || first > 0xF4) {
        return 0;
    }
    return first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
}

size_t utf8_character_size(const char *bytes, size_t size) {
    unsigned char first = (unsigned char)bytes[0];
    size_t wanted_size = announced_size(first);
    if (wanted_size > size || wanted_size <= 1) {
        return wanted_size <= size ? wanted_size : 0;
    }
    bool is_good =
        are_continuations(bytes + 1, wanted_size - 1) && is_second_allowed(first, bytes[1]);
    return is_good ? wanted_size : 0;
}

bool utf8_is_valid(const char *bytes, size_t size) {
    size_t at = 0;
    while (at < size) {
        size_t character_size = utf8_character_size(bytes + at, size - at);
        if (character_size == 0) {
            return false;
        }
        at += character_size;
    }
    return true;
}
