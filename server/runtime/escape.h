/*
 * What comes from outside (bytes of a client, a path, a value of a store), as text that a terminal
 * or a log may be shown: one line, nothing in it that moves the cursor, changes the colours, or
 * turns the direction of reading.
 *
 * ASCII that prints stays, and so does what else is valid UTF-8 and visible. A backslash and a
 * double quote get a backslash in front; newline, carriage return and tab become \n, \r, \t; all
 * others become \xNN, byte by byte: control characters (C1 too, in UTF-8 or bare), what is not
 * UTF-8, and the invisible ones of Unicode (directions, joiners, separators of lines, tags).
 *
 * Threading: none inside; a function of its arguments.
 */
#ifndef SERVER_RUNTIME_ESCAPE_H_
#define SERVER_RUNTIME_ESCAPE_H_

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    ESCAPED_BYTE_SIZE_MAX = 4, /* what one byte becomes at most: \xNN */
    ESCAPED_CAPACITY_MIN = 4,  /* room for "..." and the NUL */
    ESCAPED_MESSAGE_CAPACITY_MIN = 16,
};

/* Writes size bytes escaped to text, with a NUL behind, and returns text. What capacity
 * (ESCAPED_CAPACITY_MIN at least) has no room for is left out, no character in its middle, and
 * "..." stands for it. */
const char *escape_bytes(char *text, size_t capacity, const char *bytes, size_t size);

/* The last thing done to a whole message, in which some parts may be escaped already and others
 * not: backslashes and double quotes stay. A message that capacity (at least
 * ESCAPED_MESSAGE_CAPACITY_MIN) has no room for loses its middle: a path may be long, and the
 * reason stands behind it. */
const char *escape_message(char *text, size_t capacity, const char *message);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RUNTIME_ESCAPE_H_ */
