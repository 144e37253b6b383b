/*
 * Purpose: a waiting room where numbers are sorted into buckets on their way into the map.
 *
 * A random number costs the map a cache miss. The numbers of one bucket touch one piece of the map
 * only, which fits the cache: the more numbers a bucket holds when it is inserted, the cheaper each
 * becomes. The alternative, dedup_map_insert_batch, needs no stage and is right for small amounts.
 *
 * Use: dedup_stage_add until it takes fewer than offered (a bucket is full) or until the input
 * pauses; then dedup_map_insert_bucket for each bucket; then dedup_stage_clear. With two stages,
 * one fills while the other is inserted.
 *
 * Ownership: the caller owns the memory; nothing is allocated, and there is nothing to free.
 * Threading: a stage belongs to one thread at a time, and the caller hands it over.
 * dedup_map_insert_bucket alone may be called by several threads at once, for the same stage and
 * map, as long as no two take the same bucket: distinct buckets touch distinct memory of the map,
 * and the stage is only read. Nobody adds, clears or uses dedup_map_insert_batch meanwhile. Each
 * thread should take ascending buckets: a call prefetches the piece of the bucket that follows.
 */
#ifndef DEDUP_STAGE_H_
#define DEDUP_STAGE_H_

#include <stddef.h>
#include <stdint.h>

#include "dedup/dedup_map.h"
#include "dedup/layout.h"

#ifdef __cplusplus
extern "C" {
#endif

struct dedup_stage {
    uint32_t *counts;       /* DEDUP_BUCKET_COUNT counts of staged numbers */
    uint32_t *numbers;      /* DEDUP_BUCKET_COUNT buckets, each of bucket_stride numbers */
    size_t bucket_capacity; /* the numbers that a bucket takes */
    size_t bucket_stride;   /* the numbers from one bucket's start to the next one's */
    size_t count;           /* staged numbers in all buckets */
};

/*
 * The bytes that dedup_stage_init needs for buckets of bucket_capacity numbers. Random numbers fill
 * the fullest bucket about four standard deviations ahead of the mean: with buckets of 11 000, a
 * stage is full at about 10 600 x DEDUP_BUCKET_COUNT numbers.
 */
size_t dedup_stage_size(size_t bucket_capacity);

/* The greatest bucket_capacity for which dedup_stage_size is at most size bytes; 0 if size is too
 * small for any. */
size_t dedup_stage_capacity_for_size(size_t size);

/*
 * Makes an empty stage of dedup_stage_size(bucket_capacity) bytes, aligned to
 * DEDUP_MEMORY_ALIGNMENT, that outlive the stage. They need not be zero. bucket_capacity is 1 or
 * more. Huge pages matter even more here than for the map.
 */
void dedup_stage_init(struct dedup_stage *stage, void *memory, size_t bucket_capacity);

/*
 * Stages numbers[0 .. count), each less than DEDUP_NUMBER_COUNT, in order. Returns how many were
 * taken; fewer than count means that the next one's bucket is full: insert and clear the stage,
 * then go on with the rest.
 */
size_t dedup_stage_add(struct dedup_stage *stage, const uint32_t *numbers, size_t count);

/* How many numbers are staged. */
size_t dedup_stage_count(const struct dedup_stage *stage);

/* How many numbers are staged in the bucket, 0 .. DEDUP_BUCKET_COUNT - 1. */
size_t dedup_stage_bucket_count(const struct dedup_stage *stage, size_t bucket_index);

/*
 * Inserts the numbers of one bucket into the map, and writes those that were not in it to
 * new_numbers, in their order, each once. new_numbers has room for dedup_stage_bucket_count(stage,
 * bucket_index) numbers. The stage stays as it is. Returns how many are new. See the head of this
 * file for calling it from several threads at once.
 */
size_t dedup_map_insert_bucket(struct dedup_map *map, const struct dedup_stage *stage,
                               size_t bucket_index, uint32_t *new_numbers);

/* Empties the stage, at a cost that does not depend on what was in it. */
void dedup_stage_clear(struct dedup_stage *stage);

#ifdef __cplusplus
}
#endif

#endif /* DEDUP_STAGE_H_ */
