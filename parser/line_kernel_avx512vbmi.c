/*
 * Twelve lines at a time with AVX-512 VBMI and VNNI.
 *
 * The algorithm of line_kernel_lanes.h with registers filled from end to end: 64 bytes hold six
 * lines, and a permutation of single bytes across the register (VBMI) can gather the pairs of
 * digits from wherever they are. Two registers make a block:
 *   1. Subtract "000000000\n" and compare with the limits.
 *   2. Digits to pairs: 2 * 6 lines * 5 pairs (the last one a single digit), packed to a byte each.
 *   3. Gather p0 p1 p2 p3 of each line in a 32-bit cell, and p2 p2 p3 d8 in a second one.
 *   4. With a = p0 * 100 + p1 and b = p2 * 100 + p3 the number is a * 100000 + b * 10 + d8. It is
 *      computed as (a * 25000 + b * 2) * 4 + (p2 * 100 + p2 * 100 + p3 * 2 + d8), because neither
 *      100000 fits into the 16-bit weights of the first term nor 1000 into the 8-bit weights of the
 *      second one (VNNI).
 */
#include <immintrin.h>

#include "parser/line_kernel.h"
#include "parser/line_parser.h"

typedef __m512i bytes64;

enum {
    LINES_PER_REGISTER = 6,
    REGISTER_STRIDE = LINES_PER_REGISTER * LINE_PARSER_LINE_SIZE,
    BLOCK_COUNT = 2 * LINES_PER_REGISTER,
    BLOCK_SIZE = BLOCK_COUNT * LINE_PARSER_LINE_SIZE,
    BLOCK_READ_SIZE = REGISTER_STRIDE + (int)sizeof(bytes64)
};

/* clang-format off */
#define SIX(...) __VA_ARGS__, __VA_ARGS__, __VA_ARGS__, __VA_ARGS__, __VA_ARGS__, __VA_ARGS__

static const uint8_t line_base[64] = {SIX('0', '0', '0', '0', '0', '0', '0', '0', '0', '\n')};
/* The last four bytes belong to the next register's first line. */
static const uint8_t line_limits[64] = {SIX(9, 9, 9, 9, 9, 9, 9, 9, 9, 0), 255, 255, 255, 255};
static const int8_t pair_weights[64] = {SIX(10, 1, 10, 1, 10, 1, 10, 1, 1, 0)};

/* Packing interleaves the two registers in groups of eight pairs. */
#define PAIR_OF_REGISTER(index) ((index) / 8 * 16 + (index) % 8)
#define PAIR(line, pair) \
    ((line) / LINES_PER_REGISTER * 8 + PAIR_OF_REGISTER((line) % LINES_PER_REGISTER * 5 + (pair)))
#define ALL_PAIRS(line) PAIR(line, 0), PAIR(line, 1), PAIR(line, 2), PAIR(line, 3)
#define LOW_PAIRS(line) PAIR(line, 2), PAIR(line, 2), PAIR(line, 3), PAIR(line, 4)
#define EACH_LINE(cell) \
    cell(0), cell(1), cell(2), cell(3), cell(4), cell(5), \
    cell(6), cell(7), cell(8), cell(9), cell(10), cell(11)

static const uint8_t all_pairs_indexes[64] = {EACH_LINE(ALL_PAIRS)};
static const uint8_t low_pairs_indexes[64] = {EACH_LINE(LOW_PAIRS)};
/* clang-format on */

static inline bytes64 load(const void *bytes) {
    return _mm512_loadu_si512(bytes);
}

static inline bytes64 load_lines(const char *lines) {
    return _mm512_sub_epi8(load(lines), load(line_base));
}

static inline int any_exceeds(bytes64 values, bytes64 limits) {
    return _mm512_cmpgt_epu8_mask(values, limits) != 0;
}

static inline bytes64 pair_digits(bytes64 a, bytes64 b) {
    const bytes64 weights = load(pair_weights);
    return _mm512_packus_epi16(_mm512_maddubs_epi16(a, weights), _mm512_maddubs_epi16(b, weights));
}

static inline bytes64 gather(bytes64 pairs, const uint8_t *indexes) {
    return _mm512_permutexvar_epi8(load(indexes), pairs);
}

/* Step 4: all holds p0 p1 p2 p3, low holds p2 p2 p3 d8 in each 32-bit cell. */
static inline bytes64 join_pairs(bytes64 all, bytes64 low) {
    const bytes64 fours = _mm512_maddubs_epi16(all, _mm512_set1_epi16(1 << 8 | 100));
    const bytes64 quarters = _mm512_madd_epi16(fours, _mm512_set1_epi32(2 << 16 | 25000));
    const bytes64 low_weights = _mm512_set1_epi32(1 << 24 | 2 << 16 | 100 << 8 | 100);
    return _mm512_dpbusd_epi32(_mm512_slli_epi32(quarters, 2), low, low_weights);
}

/* Whether the BLOCK_COUNT lines at block are all good; their numbers are written then, and scrap
 * up to a full register behind them. Reads BLOCK_READ_SIZE bytes. */
static inline int parse_block(const char *block, uint32_t *numbers) {
    const bytes64 lines_a = load_lines(block);
    const bytes64 lines_b = load_lines(block + REGISTER_STRIDE);
    if (any_exceeds(_mm512_max_epu8(lines_a, lines_b), load(line_limits))) {
        return 0;
    }
    const bytes64 pairs = pair_digits(lines_a, lines_b);
    _mm512_storeu_si512(
        numbers, join_pairs(gather(pairs, all_pairs_indexes), gather(pairs, low_pairs_indexes)));
    return 1;
}

size_t line_kernel_avx512vbmi(const char *bytes, size_t size, uint32_t *numbers) {
    size_t count = 0;
    while (size >= BLOCK_READ_SIZE && parse_block(bytes, numbers + count)) {
        bytes += BLOCK_SIZE;
        size -= BLOCK_SIZE;
        count += BLOCK_COUNT;
    }
    return count + line_kernel_scalar(bytes, size, numbers + count);
}
