/*
 * The operating system's randomness.
 *
 * Threading: no state; any thread.
 */
#ifndef SERVER_SESSIONS_RANDOMNESS_H_
#define SERVER_SESSIONS_RANDOMNESS_H_

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Fills `size` bytes. Returns false if the system cannot give any. */
bool randomness_fill(void *bytes, size_t size);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_SESSIONS_RANDOMNESS_H_ */
