/*
 * Tells a client that floods from one that is busy: frames that ask for nothing cost a token each.
 * Tokens come with time, and with the data that the client was sent.
 *
 * Ownership: plain values. Threading: pure functions; times are monotonic milliseconds.
 */
#ifndef SERVER_STATION_FLOOD_GUARD_H_
#define SERVER_STATION_FLOOD_GUARD_H_

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct flood_guard {
    int64_t token_count;
    int64_t refilled_ms; /* up to when time has been turned into tokens */
};

void flood_guard_begin(struct flood_guard *guard, int64_t now_ms);

/* A frame of data went to the client. */
void flood_guard_note_data(struct flood_guard *guard);

/* A frame that asks for nothing came. False: there were too many of them. */
bool flood_guard_allows(struct flood_guard *guard, int64_t now_ms);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_STATION_FLOOD_GUARD_H_ */
