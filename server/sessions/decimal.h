/*
 * Plain decimal numbers: digits only, without sign, space or leading zeros, so that each number has
 * one spelling. For what comes from outside, which the readers of the C library take too lightly.
 *
 * Threading: pure functions.
 */
#ifndef SERVER_SESSIONS_DECIMAL_H_
#define SERVER_SESSIONS_DECIMAL_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { DECIMAL_LENGTH_MAX = 10 /* 4294967295 */ };

/* Whether the `length` bytes at `text` are a decimal number, of any size. */
bool decimal_is_valid(const char *text, size_t length);

/* Reads the `length` bytes at `text` as a number that is at most `maximum`. False, with `*value` as
 * it was, if they are anything else. */
bool decimal_parse(const char *text, size_t length, uint32_t maximum, uint32_t *value);

/* Writes `value` to `out`, which has room for DECIMAL_LENGTH_MAX bytes, and returns the length.
 * Nothing terminates it. */
size_t decimal_write(uint32_t value, char *out);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_SESSIONS_DECIMAL_H_ */
