/*
 * How long a client waits before it tries to connect again: twice as long each time, up to a limit,
 * and by chance, so that thousands of clients that lost the same server do not come back at once.
 *
 * Threading: pure function.
 */
#ifndef SERVER_SESSIONS_BACKOFF_H_
#define SERVER_SESSIONS_BACKOFF_H_

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { BACKOFF_MAX_MS = 5000 };

/* The delay before attempt `attempt_index` (0: the first after the loss), in milliseconds: between
 * half of first_ms * 2^attempt_index, but of BACKOFF_MAX_MS at most, and the whole of it.
 * `first_ms` is 0 to BACKOFF_MAX_MS; `random` is any random number. */
int64_t backoff_delay_ms(int64_t first_ms, uint32_t attempt_index, uint32_t random);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_SESSIONS_BACKOFF_H_ */
