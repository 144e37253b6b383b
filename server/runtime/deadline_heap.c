#include "server/runtime/deadline_heap.h"

#include <errno.h>
#include <stdlib.h>

int deadline_heap_init(struct deadline_heap *heap, size_t capacity) {
    *heap = (struct deadline_heap){.capacity = capacity};
    heap->entries = calloc(capacity, sizeof *heap->entries);
    heap->positions = calloc(capacity, sizeof *heap->positions);
    if (heap->entries == NULL || heap->positions == NULL) {
        deadline_heap_destroy(heap);
        return -ENOMEM;
    }
    return 0;
}

void deadline_heap_destroy(struct deadline_heap *heap) {
    free(heap->entries);
    free(heap->positions);
    *heap = (struct deadline_heap){0};
}

static void put(struct deadline_heap *heap, size_t index, struct deadline_entry entry) {
    heap->entries[index] = entry;
    heap->positions[entry.item] = (uint32_t)index + 1;
}

/* Puts `entry` at `index` or, while it is due before the parent there, higher up. */
static void sift_up(struct deadline_heap *heap, size_t index, struct deadline_entry entry) {
    while (index > 0) {
        size_t parent = (index - 1) / 2;
        if (heap->entries[parent].deadline_ms <= entry.deadline_ms) {
            break;
        }
        put(heap, index, heap->entries[parent]);
        index = parent;
    }
    put(heap, index, entry);
}

/* Puts `entry` at `index` or, while a child there is due before it, further down. */
static void sift_down(struct deadline_heap *heap, size_t index, struct deadline_entry entry) {
    for (;;) {
        size_t child = 2 * index + 1;
        if (child + 1 < heap->count &&
            heap->entries[child + 1].deadline_ms < heap->entries[child].deadline_ms) {
            child++;
        }
        if (child >= heap->count || heap->entries[child].deadline_ms >= entry.deadline_ms) {
            break;
        }
        put(heap, index, heap->entries[child]);
        index = child;
    }
    put(heap, index, entry);
}

/* Settles `entry` at or around `index`, whose entry is to be overwritten. */
static void settle(struct deadline_heap *heap, size_t index, struct deadline_entry entry) {
    if (index > 0 && heap->entries[(index - 1) / 2].deadline_ms > entry.deadline_ms) {
        sift_up(heap, index, entry);
    } else {
        sift_down(heap, index, entry);
    }
}

void deadline_heap_set(struct deadline_heap *heap, uint32_t item, int64_t deadline_ms) {
    struct deadline_entry entry = {.deadline_ms = deadline_ms, .item = item};
    if (heap->positions[item] == 0) {
        sift_up(heap, heap->count++, entry);
    } else {
        settle(heap, heap->positions[item] - 1, entry);
    }
}

void deadline_heap_clear(struct deadline_heap *heap, uint32_t item) {
    if (heap->positions[item] == 0) {
        return;
    }
    size_t index = heap->positions[item] - 1;
    heap->positions[item] = 0;
    heap->count--;
    if (index < heap->count) {
        settle(heap, index, heap->entries[heap->count]);
    }
}

bool deadline_heap_take_due(struct deadline_heap *heap, int64_t now_ms, uint32_t *item) {
    if (heap->count == 0 || heap->entries[0].deadline_ms > now_ms) {
        return false;
    }
    *item = heap->entries[0].item;
    deadline_heap_clear(heap, *item);
    return true;
}

int64_t deadline_heap_next_ms(const struct deadline_heap *heap) {
    return heap->count == 0 ? INT64_MAX : heap->entries[0].deadline_ms;
}
