#include "dedup/dedup_map.h"

#include <assert.h>
#include <string.h>

static uint64_t *word_of(const struct dedup_map *map, uint32_t number) {
    return map->words + (size_t)dedup_bucket_of(number) * DEDUP_PIECE_WORD_COUNT +
           dedup_word_of(number);
}

size_t dedup_map_size(void) {
    return (size_t)DEDUP_BUCKET_COUNT * DEDUP_PIECE_SIZE;
}

void dedup_map_init(struct dedup_map *map, void *zeroed) {
    assert((uintptr_t)zeroed % DEDUP_MEMORY_ALIGNMENT == 0);
    map->words = zeroed;
}

void dedup_map_clear(struct dedup_map *map) {
    memset(map->words, 0, dedup_map_size());
}

size_t dedup_map_insert_batch(struct dedup_map *map, const uint32_t *numbers, size_t count,
                              uint32_t *new_numbers) {
    /* Far enough ahead to have as many cache misses under way as the machine can; measured. */
    enum { PREFETCH_DISTANCE = 32 };
    size_t new_count = 0;
    for (size_t i = 0; i < count; i++) {
        if (i + PREFETCH_DISTANCE < count) {
            __builtin_prefetch(word_of(map, numbers[i + PREFETCH_DISTANCE]), 1);
        }
        const uint32_t number = numbers[i];
        new_numbers[new_count] = number;
        new_count += dedup_insert_in_word(word_of(map, number), number);
    }
    return new_count;
}

bool dedup_map_contains(const struct dedup_map *map, uint32_t number) {
    return *word_of(map, number) >> dedup_shift_of(number) & 1;
}
