/*
 * Purpose: where a number lives in the map, and which bucket it is staged in. The one place that
 * knows.
 *
 * The map is cut into DEDUP_BUCKET_COUNT pieces, one for each bucket, so that inserting the numbers
 * of one bucket touches one piece only, which fits the second-level cache. A number's high bits
 * (number >> DEDUP_BUCKET_BITS) are its bit in the piece. Its bucket is its low bits mixed
 * with the high ones by exclusive or, so that bucket and bit still name exactly one number, while
 * sequential numbers, small ranges and power-of-two strides alike spread over all buckets.
 *
 * The number of buckets weighs staging, which writes to that many places at once, against
 * inserting, which wants small pieces. With 512, the places' cache lines fit the first-level cache,
 * and a piece of 240 KiB the second-level cache. bench/numbers/dedup_benchmark.cc measures both.
 *
 * Both limits are build defines, so that tests can reach every boundary; see //dedup:dedup_tiny.
 */
#ifndef DEDUP_LAYOUT_H_
#define DEDUP_LAYOUT_H_

#include <stddef.h>
#include <stdint.h>

/* The numbers are 0 .. DEDUP_NUMBER_COUNT - 1. */
#ifndef DEDUP_NUMBER_COUNT
#define DEDUP_NUMBER_COUNT 1000000000
#endif

/* The logarithm of the number of buckets. */
#ifndef DEDUP_BUCKET_BITS
#define DEDUP_BUCKET_BITS 9
#endif

enum {
    DEDUP_BUCKET_COUNT = 1 << DEDUP_BUCKET_BITS,
    DEDUP_CACHE_LINE_SIZE = 64,
    /* Bits of a piece, as many as the numbers that share the low bits of the first, rounded up to
       whole cache lines. */
    DEDUP_PIECE_BIT_COUNT = (DEDUP_NUMBER_COUNT + DEDUP_BUCKET_COUNT - 1) / DEDUP_BUCKET_COUNT,
    DEDUP_PIECE_LINE_COUNT =
        (DEDUP_PIECE_BIT_COUNT + DEDUP_CACHE_LINE_SIZE * 8 - 1) / (DEDUP_CACHE_LINE_SIZE * 8),
    DEDUP_PIECE_SIZE = DEDUP_PIECE_LINE_COUNT * DEDUP_CACHE_LINE_SIZE,
    DEDUP_PIECE_WORD_COUNT = DEDUP_PIECE_SIZE / 8,
};

/* The bucket, and so the piece, of a number: 0 .. DEDUP_BUCKET_COUNT - 1. */
static inline uint32_t dedup_bucket_of(uint32_t number) {
    return (number ^ (number >> DEDUP_BUCKET_BITS) ^ (number >> 2 * DEDUP_BUCKET_BITS)) &
           (DEDUP_BUCKET_COUNT - 1);
}

/* The 64-bit word of the piece that holds the number's bit. */
static inline uint32_t dedup_word_of(uint32_t number) {
    return number >> (DEDUP_BUCKET_BITS + 6);
}

/* The number's bit in that word, as a shift count: 0 .. 63. */
static inline uint32_t dedup_shift_of(uint32_t number) {
    return (number >> DEDUP_BUCKET_BITS) & 63;
}

/* Sets the number's bit in its word. Returns 1 if the number is new, 0 if the bit was set already.
 * There is no branch, as nothing could predict it. */
static inline size_t dedup_insert_in_word(uint64_t *word, uint32_t number) {
    const uint64_t old = *word;
    const uint32_t shift = dedup_shift_of(number);
    *word = old | UINT64_C(1) << shift;
    return ~old >> shift & 1;
}

#endif /* DEDUP_LAYOUT_H_ */
