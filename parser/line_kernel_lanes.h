/*
 * The algorithm of the kernels whose registers are made of lanes of sixteen bytes.
 *
 * Each lane takes one line. Four registers make a block: lane k of register i holds line 4 * k + i,
 * so that the numbers come out in order. The steps:
 *   1. Subtract "000000000\n": every byte of a good line is now at most 9, the newline exactly 0.
 *      One comparison of the four registers' maximum with these limits judges the whole block.
 *   2. Digits to pairs: d0 d1 d2 d3 d4 d5 d6 d7 d8 become p0 p1 p2 p3 d8, each below 100, a byte.
 *   3. Gather p0 p1 p2 p3 of every line in one register of 32-bit cells, d8 in another.
 *   4. Pairs to numbers: ((p0 * 100 + p1) * 10000 + (p2 * 100 + p3)) * 10 + d8.
 * Joining neighbours with multiply-and-add in logarithmically many steps is the well-known way to
 * convert digits with SIMD (W. Mula, "SIMD-ized parsing of decimal numbers"); what is ours is the
 * odd ninth digit and that the lines of a lane share the steps from 2 on.
 *
 * To be included by a kernel's .c file behind these verbs, written in its own instruction set:
 *   lanes                      the register type, LANE_COUNT lanes wide
 *   load_lines(line)           lane k: the 16 bytes at line + k * LANE_STRIDE
 *   repeat(pattern)            the 16 bytes of pattern in every lane
 *   subtract(a, b), larger(a, b), any_exceeds(values, limits)   byte by byte, unsigned
 *   pair_digits(a, b)          step 2. Per lane, 8 bytes for a's line and 8 for b's; of the eight,
 *                              the first five are p0 p1 p2 p3 d8 and the rest are 0
 *   gather_firsts(a, b)        step 3. Per lane, the first 4 of each 8 bytes of a, then of b
 *   gather_seconds(a, b)       the same with the second 4
 *   join_pairs(pairs, singles) step 4, for each 32-bit cell
 *   store(numbers, values)     4 * LANE_COUNT numbers
 */
#ifndef PARSER_LINE_KERNEL_LANES_H_
#define PARSER_LINE_KERNEL_LANES_H_

#include "parser/line_kernel.h"
#include "parser/line_lane.h"

enum {
    BLOCK_COUNT = REGISTERS_PER_BLOCK * LANE_COUNT,
    BLOCK_SIZE = BLOCK_COUNT * LINE_PARSER_LINE_SIZE,
    /* The last line is loaded as sixteen bytes like the others. */
    BLOCK_READ_SIZE = BLOCK_SIZE - LINE_PARSER_LINE_SIZE + LANE_SIZE
};

/* Whether the BLOCK_COUNT lines at block are all good; their numbers are written then. Reads
 * BLOCK_READ_SIZE bytes. */
static inline int parse_block(const char *block, uint32_t *numbers) {
    const lanes base = repeat(lane_base);
    const lanes line_0 = subtract(load_lines(block), base);
    const lanes line_1 = subtract(load_lines(block + 1 * LINE_PARSER_LINE_SIZE), base);
    const lanes line_2 = subtract(load_lines(block + 2 * LINE_PARSER_LINE_SIZE), base);
    const lanes line_3 = subtract(load_lines(block + 3 * LINE_PARSER_LINE_SIZE), base);
    if (any_exceeds(larger(larger(line_0, line_1), larger(line_2, line_3)), repeat(lane_limits))) {
        return 0;
    }
    const lanes pairs_01 = pair_digits(line_0, line_1);
    const lanes pairs_23 = pair_digits(line_2, line_3);
    store(numbers,
          join_pairs(gather_firsts(pairs_01, pairs_23), gather_seconds(pairs_01, pairs_23)));
    return 1;
}

/* A kernel in the sense of line_kernel.h. */
static inline size_t parse_blocks(const char *bytes, size_t size, uint32_t *numbers) {
    size_t count = 0;
    while (size >= BLOCK_READ_SIZE && parse_block(bytes, numbers + count)) {
        bytes += BLOCK_SIZE;
        size -= BLOCK_SIZE;
        count += BLOCK_COUNT;
    }
    return count + line_kernel_scalar(bytes, size, numbers + count);
}

#endif /* PARSER_LINE_KERNEL_LANES_H_ */
