/*
 * What a client of a Redis cluster must know (https://redis.io/docs/reference/cluster-spec): which
 * of the 16384 slots a key is in, and how nodes say that a slot is another's.
 *
 * Threading: pure functions.
 */
#ifndef SERVER_SESSIONS_REDIS_CLUSTER_H_
#define SERVER_SESSIONS_REDIS_CLUSTER_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/sessions/redis_location.h"
#include "server/sessions/redis_reply.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { REDIS_SLOT_COUNT = 16384 };

/* The slot of the terminated `key`, which has no hash tag (no braces). */
uint16_t redis_cluster_slot(const char *key);

/* Reads "MOVED <slot> <host>:<port>" or "ASK ...", sent by the node at `host`. False: it is
 * none. */
bool redis_cluster_parse_redirection(const struct redis_reply *error, const char *host,
                                     uint32_t *slot, struct redis_address *address);

/* Told of each range of slots, first and last included, and the master that has them. */
typedef void redis_cluster_range_handler(void *context, uint32_t first_slot, uint32_t last_slot,
                                         const struct redis_address *master);

/* Reads the whole reply to CLUSTER SLOTS, in the `size` bytes at `bytes`, sent by the node at
 * `host`. False: it is none; the ranges before the fault were told. */
bool redis_cluster_parse_slots(const char *bytes, size_t size, const char *host,
                               redis_cluster_range_handler *handler, void *context);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_SESSIONS_REDIS_CLUSTER_H_ */
