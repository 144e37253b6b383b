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
        const uint32_t number = numbers[i];
        const uint32_t bucket_index = dedup_bucket_of(number);
        const uint32_t bucket_count = stage->counts[bucket_index];
        if (bucket_count == stage->bucket_capacity) {
            break;
        }
        uint32_t *place = stage->numbers + bucket_index * stage->bucket_stride + bucket_count;
        *place = number;
        /* The bucket's next cache line: the hardware does not follow this many streams. */
        __builtin_prefetch(place + LINE_NUMBER_COUNT, 1);
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

/* Inserts numbers[0 .. count) of one bucket into its piece; see dedup_map_insert_bucket. */
static inline size_t insert_in_piece(uint64_t *piece, const uint32_t *numbers, size_t count,
                                     uint32_t *new_numbers) {
    size_t new_count = 0;
    for (size_t i = 0; i < count; i++) {
        const uint32_t number = numbers[i];
        new_numbers[new_count] = number;
        new_count += dedup_insert_in_word(piece + dedup_word_of(number), number);
    }
    return new_count;
}

/* For few numbers: prefetches the words of the numbers to come. */
static size_t insert_sparse(uint64_t *piece, const uint32_t *numbers, size_t count,
                            uint32_t *new_numbers) {
    enum { PREFETCH_DISTANCE = 32 };
    size_t new_count = 0;
    size_t i = 0;
    for (; i + PREFETCH_DISTANCE < count; i++) {
        __builtin_prefetch(piece + dedup_word_of(numbers[i + PREFETCH_DISTANCE]), 1);
        new_count += insert_in_piece(piece, numbers + i, 1, new_numbers + new_count);
    }
    return new_count + insert_in_piece(piece, numbers + i, count - i, new_numbers + new_count);
}

/* For so many numbers that they touch most lines of the piece: prefetches the whole next piece,
 * evenly over the numbers, so that it is in the cache when its own numbers come. */
static size_t insert_dense(uint64_t *piece, const uint64_t *next_piece, const uint32_t *numbers,
                           size_t count, uint32_t *new_numbers) {
    enum { BLOCK_NUMBER_COUNT = 8, LINE_WORD_COUNT = DEDUP_CACHE_LINE_SIZE / sizeof(uint64_t) };
    const size_t lines_per_block = DEDUP_PIECE_LINE_COUNT * BLOCK_NUMBER_COUNT / count + 1;
    size_t prefetched_line_count = 0;
    size_t new_count = 0;
    size_t i = 0;
    for (; i + BLOCK_NUMBER_COUNT <= count; i += BLOCK_NUMBER_COUNT) {
        for (size_t line_index = 0; line_index < lines_per_block; line_index++) {
            if (prefetched_line_count < DEDUP_PIECE_LINE_COUNT) {
                __builtin_prefetch(next_piece + prefetched_line_count * LINE_WORD_COUNT, 1);
                prefetched_line_count++;
            }
        }
        new_count +=
            insert_in_piece(piece, numbers + i, BLOCK_NUMBER_COUNT, new_numbers + new_count);
    }
    return new_count + insert_in_piece(piece, numbers + i, count - i, new_numbers + new_count);
}

size_t dedup_map_insert_bucket(struct dedup_map *map, const struct dedup_stage *stage,
                               size_t bucket_index, uint32_t *new_numbers) {
    assert(bucket_index < DEDUP_BUCKET_COUNT);
    uint64_t *piece = map->words + bucket_index * DEDUP_PIECE_WORD_COUNT;
    const uint32_t *numbers = stage->numbers + bucket_index * stage->bucket_stride;
    const size_t count = stage->counts[bucket_index];
    if (count < DEDUP_PIECE_LINE_COUNT) {
        return insert_sparse(piece, numbers, count, new_numbers);
    }
    const bool is_last = bucket_index == DEDUP_BUCKET_COUNT - 1;
    return insert_dense(piece, is_last ? piece : piece + DEDUP_PIECE_WORD_COUNT, numbers, count,
                        new_numbers);
}

void dedup_stage_clear(struct dedup_stage *stage) {
    memset(stage->counts, 0, COUNTS_SIZE);
    stage->count = 0;
}
