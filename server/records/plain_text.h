/*
 * How far a text is plain: printable ASCII without quotes and backslashes, which JSON shows as it
 * is. Eight bytes at a time.
 *
 * Threading: pure.
 */
#ifndef SERVER_RECORDS_PLAIN_TEXT_H_
#define SERVER_RECORDS_PLAIN_TEXT_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PLAIN_TEXT_EACH_BYTE UINT64_C(0x0101010101010101)

static inline bool plain_text_is_plain(char byte) {
    return byte >= ' ' && (unsigned char)byte < 0x80 && byte != '"' && byte != '\\';
}

/* Sets the high bit of the bytes that are zero. A byte above the first such byte may be marked too
 * ("Bit Twiddling Hacks", Sean Eron Anderson: Determine if a word has a zero byte). */
static inline uint64_t plain_text_mark_zeros(uint64_t word) {
    return (word - PLAIN_TEXT_EACH_BYTE) & ~word & (0x80 * PLAIN_TEXT_EACH_BYTE);
}

/* The same for the bytes that are not plain. */
static inline uint64_t plain_text_mark_others(uint64_t word) {
    uint64_t marks = word | ((word - ' ' * PLAIN_TEXT_EACH_BYTE) & ~word);
    marks &= 0x80 * PLAIN_TEXT_EACH_BYTE;
    marks |= plain_text_mark_zeros(word ^ ('"' * PLAIN_TEXT_EACH_BYTE));
    return marks | plain_text_mark_zeros(word ^ ('\\' * PLAIN_TEXT_EACH_BYTE));
}

/* Returns how many bytes at the front of `bytes[0..size)` are plain. */
static inline size_t plain_text_span(const char *bytes, size_t size) {
    size_t at = 0;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    for (; size - at >= sizeof(uint64_t); at += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, bytes + at, sizeof word);
        uint64_t marks = plain_text_mark_others(word);
        if (marks != 0) {
            return at + (size_t)__builtin_ctzll(marks) / 8;
        }
    }
#endif
    while (at < size && plain_text_is_plain(bytes[at])) {
        at++;
    }
    return at;
}

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RECORDS_PLAIN_TEXT_H_ */
