/*
 * How much each peer has, connections or sessions, so that one cannot take all places. A peer is an
 * IPv4 address or the first half of an IPv6 address, which is what one of its users is given.
 *
 * Everything is allocated once. The hash is keyed, so that peers cannot aim at one bucket.
 *
 * Ownership: the struct owns its tables. Threading: one thread.
 */
#ifndef SERVER_RUNTIME_PEER_COUNTS_H_
#define SERVER_RUNTIME_PEER_COUNTS_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { PEER_COUNTS_NONE = 0 };

struct peer_counts {
    struct peer_count *peers; /* 1 to capacity are used */
    uint32_t *buckets;
    size_t bucket_count; /* a power of two */
    uint32_t first_free;
    uint64_t hash_key;
};

/* The peer at an address, never 0; 0: the address is of another family, and nobody's in
 * particular. */
uint64_t peer_counts_find_peer(const struct sockaddr *address);

/* Makes room for `capacity` things, of as many peers. 0, or a negative errno value with
 * nothing to destroy. */
int peer_counts_init(struct peer_counts *counts, size_t capacity);

/* Does nothing to one that is zeroed. */
void peer_counts_destroy(struct peer_counts *counts);

/* Counts one thing more of the peer. Returns its token, which is to be released; or
 * PEER_COUNTS_NONE if the peer has `limit` of them already. No more than `capacity` are out. */
uint32_t peer_counts_take(struct peer_counts *counts, uint64_t peer, size_t limit);

/* Gives a token back; PEER_COUNTS_NONE does no harm. */
void peer_counts_release(struct peer_counts *counts, uint32_t token);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RUNTIME_PEER_COUNTS_H_ */
