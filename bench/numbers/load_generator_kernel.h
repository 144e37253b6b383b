/*
 * The computation behind load_generator_fill, written as plain loops that the compiler turns into
 * vector code. It is included by one file per instruction set, each compiled with its own options,
 * so the source stays one and the kernels cannot differ in what they compute.
 *
 * Threading: pure functions.
 */
#ifndef BENCH_NUMBERS_LOAD_GENERATOR_KERNEL_H_
#define BENCH_NUMBERS_LOAD_GENERATOR_KERNEL_H_

#include "bench/numbers/load_generator.h"

/* The range as a product of two factors of about the same size, as a Feistel network needs. */
#define LOAD_FEISTEL_LEFT 32000u
#define LOAD_FEISTEL_RIGHT 31250u
_Static_assert(LOAD_FEISTEL_LEFT *LOAD_FEISTEL_RIGHT == LOAD_GENERATOR_RANGE,
               "the two halves must span the range exactly");

/*
 * Adds a pseudo-random function of source to target, modulo modulus: one Feistel round. Everything
 * is 16 bits wide, so that a vector holds as many halves as it can: the sum of two values below
 * 32000 fits, and the smaller one of the sum and the sum less the modulus is the remainder.
 */
static inline uint16_t load_feistel_round(uint16_t target, uint16_t source, uint16_t key,
                                          uint16_t modulus) {
    uint16_t hash = (uint16_t)((uint16_t)(source + key) * 0x9E3Bu);
    hash ^= (uint16_t)(hash >> 7);
    hash = (uint16_t)(hash * 0x85EBu);
    uint16_t addend = (uint16_t)((uint32_t)hash * modulus >> 16);
    uint16_t sum = (uint16_t)(target + addend);
    uint16_t reduced = (uint16_t)(sum - modulus);
    return reduced < sum ? reduced : sum;
}

/*
 * A bijection of 0 .. 10^9 - 1: four rounds of a Feistel network over unequal halves that are added
 * modulo their sizes (Black and Rogaway, "Ciphers with Arbitrary Finite Domains", 2002, method 3).
 * The round function is two multiplications: enough for counts in equal pieces of the range to have
 * the spread of random draws, which is what a cache or a bucket sort sees; it is no cipher.
 */
static inline uint32_t load_permute(const uint16_t keys[4], uint16_t left, uint16_t right) {
    left = load_feistel_round(left, right, keys[0], LOAD_FEISTEL_LEFT);
    right = load_feistel_round(right, left, keys[1], LOAD_FEISTEL_RIGHT);
    left = load_feistel_round(left, right, keys[2], LOAD_FEISTEL_LEFT);
    right = load_feistel_round(right, left, keys[3], LOAD_FEISTEL_RIGHT);
    return (uint32_t)left * LOAD_FEISTEL_RIGHT + right;
}

/*
 * Permutes the indexes from the given one on. They are taken a row at a time, within which the left
 * half stays the same, so that no number costs a division.
 */
static inline void load_permute_consecutive(const uint16_t keys[4], uint32_t index,
                                            uint32_t *numbers, size_t count) {
    while (count > 0) {
        uint32_t left = index % LOAD_GENERATOR_RANGE / LOAD_FEISTEL_RIGHT;
        uint32_t right = index % LOAD_FEISTEL_RIGHT;
        size_t row_count = LOAD_FEISTEL_RIGHT - right;
        if (row_count > count) {
            row_count = count;
        }
        for (size_t i = 0; i < row_count; i++) {
            numbers[i] = load_permute(keys, (uint16_t)left, (uint16_t)(right + i));
        }
        numbers += row_count;
        index += (uint32_t)row_count;
        count -= row_count;
    }
}

/* SplitMix64 (Steele, Lea, Flood 2014) as a function of its counter. */
static inline uint64_t load_mix64(uint64_t value) {
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9u;
    value = (value ^ (value >> 27)) * 0x94D049BB133111EBu;
    return value ^ (value >> 31);
}

/* MurmurHash3's finalizer: a well mixed 32-bit function of a counter. */
static inline uint32_t load_mix32(uint32_t value) {
    value = (value ^ (value >> 16)) * 0x85EBCA6Bu;
    value = (value ^ (value >> 13)) * 0xC2B2AE35u;
    return value ^ (value >> 16);
}

/* How many of the first count positions are repetitions: spread evenly, exactly so many a
 * hundred. */
static inline uint32_t load_repeated_count(uint32_t count, uint32_t percent) {
    uint32_t hundreds = count / 100;
    uint32_t rest = count - hundreds * 100;
    return hundreds * percent + rest * percent / 100;
}

/*
 * Positions to indexes in the order. A fresh position takes the next unused index; a repeating one
 * takes any of the indexes used before it, each with the same probability.
 */
static inline void load_fill_indexes(const struct load_generator_keys *keys, uint32_t position,
                                     uint32_t *indexes, size_t count) {
    uint32_t percent = keys->duplicates_percent;
    uint32_t first_index = keys->first_index;
    uint32_t duplicate_key = keys->duplicate_key;

    if (percent == 0) {
        for (size_t i = 0; i < count; i++) {
            indexes[i] = first_index + position + (uint32_t)i;
        }
        return;
    }
    for (size_t i = 0; i < count; i++) {
        uint32_t here = position + (uint32_t)i;
        uint32_t repeated = load_repeated_count(here, percent);
        uint32_t fresh = here - repeated;
        uint32_t pool = fresh == 0 ? 1 : fresh;
        uint32_t earlier = (uint32_t)(((uint64_t)load_mix32(here ^ duplicate_key) * pool) >> 32);
        bool repeats = load_repeated_count(here + 1, percent) != repeated;
        indexes[i] = first_index + (repeats ? earlier : fresh);
    }
}

static inline void load_fill(const struct load_generator_keys *keys, uint32_t position,
                             uint32_t *numbers, size_t count) {
    uint16_t round_keys[4] = {keys->round_keys[0], keys->round_keys[1], keys->round_keys[2],
                              keys->round_keys[3]};
    uint64_t random_key = keys->random_key;

    if (keys->order == LOAD_ORDER_PERMUTATION && keys->duplicates_percent == 0) {
        load_permute_consecutive(round_keys, keys->first_index + position, numbers, count);
        return;
    }
    load_fill_indexes(keys, position, numbers, count);
    switch (keys->order) {
    case LOAD_ORDER_SEQUENTIAL:
        for (size_t i = 0; i < count; i++) {
            numbers[i] %= LOAD_GENERATOR_RANGE;
        }
        break;
    case LOAD_ORDER_PERMUTATION:
        for (size_t i = 0; i < count; i++) {
            uint32_t index = numbers[i] % LOAD_GENERATOR_RANGE;
            uint32_t left = index / LOAD_FEISTEL_RIGHT;
            numbers[i] = load_permute(round_keys, (uint16_t)left,
                                      (uint16_t)(index - left * LOAD_FEISTEL_RIGHT));
        }
        break;
    case LOAD_ORDER_RANDOM:
        for (size_t i = 0; i < count; i++) {
            uint64_t bits = load_mix64(random_key + numbers[i] * 0x9E3779B97F4A7C15u);
            numbers[i] = (uint32_t)(((bits >> 32) * LOAD_GENERATOR_RANGE) >> 32);
        }
        break;
    }
}

load_generator_kernel load_generator_fill_portable;
load_generator_kernel load_generator_fill_avx2;
load_generator_kernel load_generator_fill_avx512;

#endif /* BENCH_NUMBERS_LOAD_GENERATOR_KERNEL_H_ */
