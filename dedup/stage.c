#include "dedup/stage.h"

#include <assert.h>
#include <string.h>

enum {
    LINE_NUMBER_COUNT = DEDUP_CACHE_LINE_SIZE / sizeof(uint32_t),
    COUNTS_SIZE = DEDUP_BUCKET_COUNT * sizeof(uint32_t),
};

/*
 * Whole cache lines, an odd number of them: the buckets fill at about the same pace, and with an
 * even stride the lines being written would all fall into a few sets of the cache.
 */
static size_t stride_for_capacity(size_t bucket_capacity) {
    const size_t line_count = (bucket_capacity + LINE_NUMBER_COUNT - 1) / LINE_NUMBER_COUNT;
    return (line_count | 1) * LINE_NUMBER_COUNT;
}

static size_t counts_size(void) {
    return ((size_t)COUNTS_SIZE + DEDUP_CACHE_LINE_SIZE - 1) / DEDUP_CACHE_LINE_SIZE *
           DEDUP_CACHE_LINE_SIZE;
}

size_t dedup_stage_size(size_t bucket_capacity) {
    return counts_size() +
           DEDUP_BUCKET_COUNT * stride_for_capacity(bucket_capacity) * sizeof(uint32_t);
}

size_t dedup_stage_capacity_for_size(size_t size) {
    if (size < dedup_stage_size(1))
        return 0;
    const size_t line_count = (size - counts_size()) / DEDUP_BUCKET_COUNT / DEDUP_CACHE_LINE_SIZE;
    return ((line_count - 1) | 1) * LINE_NUMBER_COUNT;
}

void dedup_stage_init(struct dedup_stage *stage, void *memory, size_t bucket_capacity) {
    assert((uintptr_t)memory % DEDUP_MEMORY_ALIGNMENT == 0);
    assert(bucket_capacity > 0 && bucket_capacity <= UINT32_MAX);
    stage->counts = memory;
    stage->numbers = (uint32_t *)((char *)memory + counts_size());
    stage->bucket_capacity = bucket_capacity;
    stage->bucket_stride = stride_for_capacity(bucket_capacity);
    dedup_stage_clear(stage);
}

size_t dedup_stage_add(struct dedup_stage *stage, const uint32_t *numbers, size_t count) {
    size_t i = 0;
    for (; i < count; i++) {
        const uint32_t bucket_index = dedup_bucket_of(numbers[i]);
        const uint32_t bucket_count = stage->counts[bucket_index];
        if (bucket_count == stage->bucket_capacity)
            break;
        stage->numbers[bucket_index * stage->bucket_stride + bucket_count] = numbers[i];
        stage->counts[bucket_index] = bucket_count + 1;
    }
    stage->count += i;
    return i;
}

size_t dedup_stage_count(const struct dedup_stage *stage) {
    return stage->count;
}

size_t dedup_stage_bucket_count(const struct dedup_stage *stage, size_t bucket_index) {
    return stage->counts[bucket_index];
}

size_t dedup_map_insert_bucket(struct dedup_map *map, const struct dedup_stage *stage,
                               size_t bucket_index, uint32_t *new_numbers) {
    uint64_t *piece = map->words + bucket_index * DEDUP_PIECE_WORD_COUNT;
    const uint32_t *numbers = stage->numbers + bucket_index * stage->bucket_stride;
    const size_t count = stage->counts[bucket_index];
    size_t new_count = 0;
    for (size_t i = 0; i < count; i++) {
        const uint32_t number = numbers[i];
        const uint32_t shift = dedup_shift_of(number);
        uint64_t *word = piece + dedup_word_of(number);
        const uint64_t old = *word;
        *word = old | UINT64_C(1) << shift;
        new_numbers[new_count] = number;
        new_count += ~old >> shift & 1;
    }
    return new_count;
}

void dedup_stage_clear(struct dedup_stage *stage) {
    memset(stage->counts, 0, COUNTS_SIZE);
    stage->count = 0;
}
