/*
 * What JSON says about the bytes of a text: how far they are plain, which are UTF-8, where white
 * space ends.
 *
 * Threading: pure.
 */
#ifndef SERVER_RECORDS_JSON_TEXT_H_
#define SERVER_RECORDS_JSON_TEXT_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Whether a byte stands in a string of JSON as it is: printable ASCII, no quote, no backslash. */
static inline bool text_is_plain(char byte) {
    return byte >= ' ' && (unsigned char)byte < 0x80 && byte != '"' && byte != '\\';
}

static inline bool text_is_space(char byte) {
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

/* Returns how many bytes at the front of `bytes[0..size)` are white space. */
static inline size_t text_space_span(const char *bytes, size_t size) {
    size_t at = 0;
    while (at < size && text_is_space(bytes[at])) {
        at++;
    }
    return at;
}

/* Returns how many bytes at the front of `bytes[0..size)` are plain, looking at eight at a time. */
size_t text_plain_span(const char *bytes, size_t size);

/* Returns the size of the UTF-8 character that begins at `bytes[0..size)`, 1 to 4 bytes, or 0 when
 * none does or its end is missing. `size` is at least 1. No overlong form, no surrogate and nothing
 * above U+10FFFF is one (RFC 3629, the table in its section 4). */
size_t text_character_size(const char *bytes, size_t size);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RECORDS_JSON_TEXT_H_ */
