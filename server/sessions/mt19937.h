/*
 * MT19937, the Mersenne Twister of Matsumoto and Nishimura ("Mersenne Twister: A 623-dimensionally
 * equidistributed uniform pseudo-random number generator", ACM TOMACS 8(1), 1998), with the
 * initialisation by an array of their revision of 2002, which is the one CPython's random uses.
 *
 * It is here for the service's test mode only: its output can be predicted from 624 values of it.
 *
 * Ownership: the caller owns the struct; nothing is allocated. Threading: one thread per struct.
 */
#ifndef SERVER_SESSIONS_MT19937_H_
#define SERVER_SESSIONS_MT19937_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { MT19937_STATE_COUNT = 624 };

struct mt19937 {
    uint32_t state[MT19937_STATE_COUNT];
    uint32_t next_index; /* the next word of state to hand out; MT19937_STATE_COUNT: all used */
};

/* Seeds `twister` from `key_count` words at `key`; key_count >= 1. */
void mt19937_seed_by_array(struct mt19937 *twister, const uint32_t *key, size_t key_count);

/* Returns the next 32 random bits. `twister` must have been seeded. */
uint32_t mt19937_next(struct mt19937 *twister);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_SESSIONS_MT19937_H_ */
