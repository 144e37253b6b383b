#include "server/records/json/text.h"

static const uint64_t EACH_BYTE = UINT64_C(0x0101010101010101);

/* Sets the high bit of the bytes that are zero. A byte above the first such byte may be marked too
 * ("Bit Twiddling Hacks", Sean Eron Anderson: Determine if a word has a zero byte). */
static uint64_t mark_zeros(uint64_t word) {
    return (word - EACH_BYTE) & ~word & (0x80 * EACH_BYTE);
}

/* The same for the bytes that are not plain. */
static uint64_t mark_others(uint64_t word) {
    uint64_t marks = word | ((word - ' ' * EACH_BYTE) & ~word);
    marks &= 0x80 * EACH_BYTE;
    marks |= mark_zeros(word ^ ('"' * EACH_BYTE));
    return marks | mark_zeros(word ^ ('\\' * EACH_BYTE));
}

size_t text_plain_span(const char *bytes, size_t size) {
    size_t at = 0;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    for (; size - at >= sizeof(uint64_t); at += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, bytes + at, sizeof word);
        uint64_t marks = mark_others(word);
        if (marks != 0) {
            return at + (size_t)__builtin_ctzll(marks) / 8;
        }
    }
#endif
    while (at < size && text_is_plain(bytes[at])) {
        at++;
    }
    return at;
}

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

size_t text_character_size(const char *bytes, size_t size) {
    unsigned char first = (unsigned char)bytes[0];
    size_t wanted_size = announced_size(first);
    if (wanted_size > size || wanted_size <= 1) {
        return wanted_size <= size ? wanted_size : 0;
    }
    bool is_good =
        are_continuations(bytes + 1, wanted_size - 1) && is_second_allowed(first, bytes[1]);
    return is_good ? wanted_size : 0;
}
