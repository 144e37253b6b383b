/*
 * Purpose: which of these numbers are new? One bit for each of 0 .. 999999999.
 *
 * This is the direct way in: one cache miss or so for each number, overlapped by prefetching. It
 * serves small batches, and the loading of an old log. For a stream of hundreds of millions, put
 * the numbers in a stage first (dedup/stage.h): it sorts them into buckets that each touch a piece
 * of the map that fits the cache.
 *
 * Ownership: the caller owns all memory; nothing is allocated, and there is nothing to free.
 * Threading: none inside. One thread at a time may insert; dedup_map_insert_bucket in dedup/stage.h
 * states the one exception.
 */
#ifndef DEDUP_DEDUP_MAP_H_
#define DEDUP_DEDUP_MAP_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dedup/layout.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    /* The alignment of the map's and of a stage's memory, in bytes. 2 MiB is better: it allows huge
       pages. */
    DEDUP_MEMORY_ALIGNMENT = DEDUP_CACHE_LINE_SIZE,
};

struct dedup_map {
    uint64_t *words; /* DEDUP_BUCKET_COUNT pieces of DEDUP_PIECE_WORD_COUNT words each; see
                        dedup/layout.h */
};

/* The bytes that dedup_map_init needs: 10^9 bits, and a little for whole cache lines. */
size_t dedup_map_size(void);

/*
 * Makes an empty map of dedup_map_size() bytes that are zero, aligned to DEDUP_MEMORY_ALIGNMENT,
 * and outlive the map. Huge pages (madvise(MADV_HUGEPAGE) before the first touch) make every
 * operation considerably faster.
 */
void dedup_map_init(struct dedup_map *map, void *zeroed);

/* Makes it empty again. It writes all of the map, so from then on every page of it is in memory. */
void dedup_map_clear(struct dedup_map *map);

/*
 * Inserts numbers[0 .. count), each less than DEDUP_NUMBER_COUNT, and writes those that were not in
 * the map before to new_numbers, in their order, each once. new_numbers has room for count numbers
 * and may be the same array as numbers. Returns how many are new.
 */
size_t dedup_map_insert_batch(struct dedup_map *map, const uint32_t *numbers, size_t count,
                              uint32_t *new_numbers);

/* Whether number, less than DEDUP_NUMBER_COUNT, was inserted. */
bool dedup_map_contains(const struct dedup_map *map, uint32_t number);

#ifdef __cplusplus
}
#endif

#endif /* DEDUP_DEDUP_MAP_H_ */
