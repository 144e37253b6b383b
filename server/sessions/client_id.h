/*
 * Client-ids: UUIDs as text (8-4-4-4-12 hexadecimal digits in either case).
 *
 * Threading: pure function.
 */
#ifndef SERVER_SESSIONS_CLIENT_ID_H_
#define SERVER_SESSIONS_CLIENT_ID_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    CLIENT_ID_LENGTH = 36,
    CLIENT_ID_RANDOM_SIZE = 16,
};

/* Says whether the `length` bytes at `text` are a client-id. */
bool client_id_is_valid(const char *text, size_t length);

/* Writes the random UUID (RFC 9562, version 4) made of 16 random bytes, terminated, to `text`. */
void client_id_write(const uint8_t random[CLIENT_ID_RANDOM_SIZE], char text[CLIENT_ID_LENGTH + 1]);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_SESSIONS_CLIENT_ID_H_ */
