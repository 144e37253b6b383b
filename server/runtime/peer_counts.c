#include "server/runtime/peer_counts.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

struct peer_count {
    uint64_t address;
    uint32_t count;
    uint32_t next; /* in its bucket, or of the free ones */
};

/* IPv4 addresses are kept apart from the first halves of IPv6 ones by this, which begins none that
 * is routed. */
#define IPV4_MARK (UINT64_C(0xffff) << 32)

uint64_t peer_counts_find_peer(const struct sockaddr *address) {
    if (address->sa_family == AF_INET) {
        return IPV4_MARK |
               ntohl(((const struct sockaddr_in *)(const void *)address)->sin_addr.s_addr);
    }
    if (address->sa_family != AF_INET6) {
        return 0;
    }
    const uint8_t *bytes = ((const struct sockaddr_in6 *)(const void *)address)->sin6_addr.s6_addr;
    bool is_mapped =
        IN6_IS_ADDR_V4MAPPED(&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr);
    uint64_t peer = is_mapped ? IPV4_MARK >> 32 : 0;
    for (size_t index = is_mapped ? 12 : 0; index < (is_mapped ? 16u : 8u); index++) {
        peer = peer << 8 | bytes[index];
    }
    return peer;
}

static uint32_t *find_bucket(struct peer_counts *counts, uint64_t address) {
    uint64_t mixed = (address ^ address >> 32) * counts->hash_key;
    return &counts->buckets[(mixed >> 32) & (counts->bucket_count - 1)];
}

int peer_counts_init(struct peer_counts *counts, size_t capacity) {
    assert(capacity > 0 && capacity < UINT32_MAX);
    *counts = (struct peer_counts){.bucket_count = 16};
    while (counts->bucket_count < capacity) {
        counts->bucket_count *= 2;
    }
    if (getrandom(&counts->hash_key, sizeof counts->hash_key, 0) !=
        (ssize_t)sizeof counts->hash_key) {
        return -EIO;
    }
    counts->hash_key |= 1;
    counts->peers = calloc(capacity + 1, sizeof *counts->peers);
    counts->buckets = calloc(counts->bucket_count, sizeof *counts->buckets);
    if (counts->peers == NULL || counts->buckets == NULL) {
        peer_counts_destroy(counts);
        return -ENOMEM;
    }
    for (uint32_t token = 1; token < capacity; token++) {
        counts->peers[token].next = token + 1;
    }
    counts->first_free = 1;
    return 0;
}

void peer_counts_destroy(struct peer_counts *counts) {
    free(counts->peers);
    free(counts->buckets);
    *counts = (struct peer_counts){0};
}

uint32_t peer_counts_take(struct peer_counts *counts, uint64_t peer, size_t limit) {
    uint32_t *bucket = find_bucket(counts, peer);
    uint32_t token = *bucket;
    while (token != PEER_COUNTS_NONE && counts->peers[token].address != peer) {
        token = counts->peers[token].next;
    }
    if (token == PEER_COUNTS_NONE) {
        token = counts->first_free;
        assert(token != PEER_COUNTS_NONE);
        counts->first_free = counts->peers[token].next;
        counts->peers[token] = (struct peer_count){.address = peer, .next = *bucket};
        *bucket = token;
    } else if (counts->peers[token].count >= limit) {
        return PEER_COUNTS_NONE;
    }
    counts->peers[token].count++;
    return token;
}

void peer_counts_release(struct peer_counts *counts, uint32_t token) {
    if (token == PEER_COUNTS_NONE || --counts->peers[token].count > 0) {
        return;
    }
    uint32_t *link = find_bucket(counts, counts->peers[token].address);
    while (*link != token) {
        link = &counts->peers[*link].next;
    }
    *link = counts->peers[token].next;
    counts->peers[token].next = counts->first_free;
    counts->first_free = token;
}
