/*
 * Deadlines of many things at once: which one is due next, and which ones are due now.
 *
 * A binary heap over items numbered 0 to capacity - 1 (the slots of a connection table, say), each
 * with at most one deadline. Setting, moving and clearing one costs O(log n); the next one O(1).
 *
 * Ownership: the heap owns its tables, allocated once. Threading: one thread per heap. There is no
 * clock in here: times are whatever the caller counts in, as long as it does not run backwards.
 */
#ifndef SERVER_RUNTIME_DEADLINE_HEAP_H_
#define SERVER_RUNTIME_DEADLINE_HEAP_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct deadline_entry {
    int64_t deadline_ms;
    uint32_t item;
};

struct deadline_heap {
    struct deadline_entry *entries; /* a heap: no entry is due before its parent */
    uint32_t *positions; /* by item: its index in entries plus one; 0: it has no deadline */
    size_t capacity;
    size_t count;
};

/* 0, or -ENOMEM. */
int deadline_heap_init(struct deadline_heap *heap, size_t capacity);
void deadline_heap_destroy(struct deadline_heap *heap);

/* Gives `item` (less than capacity) the deadline, in place of the one that it may have. */
void deadline_heap_set(struct deadline_heap *heap, uint32_t item, int64_t deadline_ms);

/* Takes the deadline of `item` away, if it has one. */
void deadline_heap_clear(struct deadline_heap *heap, uint32_t item);

/* Whether there is an item with a deadline of now_ms or earlier; if so, the item with the earliest
 * one is written to *item and has no deadline any more. */
bool deadline_heap_take_due(struct deadline_heap *heap, int64_t now_ms, uint32_t *item);

/* The earliest deadline; INT64_MAX if there is none. */
int64_t deadline_heap_next_ms(const struct deadline_heap *heap);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RUNTIME_DEADLINE_HEAP_H_ */
