/*
 * A table of client-ids: a hash table that gives each one a small index, under which its owner
 * keeps what belongs to it in arrays of its own; and a queue of those that are due to go one day.
 *
 * Everything is allocated once for the largest number; the pages of what is never used stay
 * untouched. The hash is keyed with the system's randomness, so that clients, who choose the
 * client-ids, cannot aim at one bucket. All wait equally long, so the order in which they are
 * queued is the order in which they are due: a list, no timers.
 *
 * Ownership: the table copies the client-ids. Threading: one thread per table.
 */
#ifndef SERVER_SESSIONS_ID_TABLE_H_
#define SERVER_SESSIONS_ID_TABLE_H_

#include <stddef.h>
#include <stdint.h>

#include "server/sessions/client_id.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    /* The index that is none. */
    ID_TABLE_NONE = 0,
    ID_TABLE_CAPACITY_MAX = 20000000,
    ID_TABLE_HASH_WORD_COUNT = (CLIENT_ID_LENGTH + 7) / 8,
};

struct id_table {
    struct id_table_entry *entries; /* 1 to capacity are used */
    uint32_t *buckets;
    uint64_t hash_keys[ID_TABLE_HASH_WORD_COUNT];
    unsigned hash_bit_count;
    uint32_t capacity;
    uint32_t first_free;   /* of those given back */
    uint32_t first_unused; /* entries from here on were never used */
    uint32_t first_queued; /* the one that is due first */
    uint32_t last_queued;
};

/* Makes room for `capacity` client-ids, 1 to ID_TABLE_CAPACITY_MAX; their indexes are 1 to
 * capacity. Returns 0, or a negative errno value with nothing to destroy. */
int id_table_init(struct id_table *table, size_t capacity);

/* Does nothing to a table that is zeroed. */
void id_table_destroy(struct id_table *table);

/* The index of `client_id`, or ID_TABLE_NONE. */
uint32_t id_table_find(const struct id_table *table, const char *client_id);

/* Adds `client_id`, which must not be there, and returns its index; ID_TABLE_NONE: the table is
 * full. */
uint32_t id_table_insert(struct id_table *table, const char *client_id);

/* Takes an index that is not queued out of the table. */
void id_table_remove(struct id_table *table, uint32_t index);

/* The client-id of an index, also right after its removal. */
const char *id_table_client_id(const struct id_table *table, uint32_t index);

/* Puts an index that is not queued at the end of the queue; `due_ms` is not before that of the one
 * queued last. And takes one that is queued out of it. */
void id_table_enqueue(struct id_table *table, uint32_t index, int64_t due_ms);
void id_table_dequeue(struct id_table *table, uint32_t index);

/* The index that is due first, or ID_TABLE_NONE; and when one that is queued is due. */
uint32_t id_table_first_due(const struct id_table *table);
int64_t id_table_due_ms(const struct id_table *table, uint32_t index);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_SESSIONS_ID_TABLE_H_ */
