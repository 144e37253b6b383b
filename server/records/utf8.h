/*
 * Which bytes are UTF-8: no overlong form, no surrogate, nothing above U+10FFFF (RFC 3629, the
 * table in its section 4).
 *
 * Threading: pure.
 */
#ifndef SERVER_RECORDS_UTF8_H_
#define SERVER_RECORDS_UTF8_H_

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Returns the size of the character that begins at `bytes[0..size)`, 1 to 4 bytes, or 0 when none
 * does or its end is missing. `size` is at least 1. */
size_t utf8_character_size(const char *bytes, size_t size);

/* Whether all of `bytes[0..size)` is UTF-8. */
bool utf8_is_valid(const char *bytes, size_t size);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RECORDS_UTF8_H_ */
