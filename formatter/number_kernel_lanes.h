/*
 * The kernels whose registers are made of lanes of sixteen bytes, four numbers each.
 *
 * A line is stored as sixteen bytes, of which the next line overwrites the last six: that is what
 * NUMBER_FORMATTER_SLACK_SIZE is for.
 *
 * To be included by a kernel's .c file behind the verbs of number_kernel_split.h and these:
 *   LANE_COUNT               lanes in a register
 *   load(numbers), repeat(bytes)      a register; the same 16 bytes in every lane
 *   interleave_low16(a, b), interleave_high16(a, b)   per lane
 *   pick(values, indexes)    per lane, bytes by index; an index of NONE gives 0
 *   store_lane(line, values, lane_index)   16 bytes
 */
#ifndef FORMATTER_NUMBER_KERNEL_LANES_H_
#define FORMATTER_NUMBER_KERNEL_LANES_H_

#include <string.h>

#include "formatter/number_formatter.h"
#include "formatter/number_kernel_split.h"

enum {
    LANE_SIZE = 16,
    LANE_NUMBER_COUNT = 4,
    VECTOR_NUMBER_COUNT = LANE_COUNT * LANE_NUMBER_COUNT,
    NONE = 0x80,
};

_Static_assert(LANE_SIZE - NUMBER_FORMATTER_LINE_SIZE <= NUMBER_FORMATTER_SLACK_SIZE,
               "the last line's store stays within the slack");

/* For number 0 to 3 of a lane: from where in its half of the interleaved digits, and from where in
 * the ends, the bytes of its line come. */
static const unsigned char digit_indexes[2][LANE_SIZE] = {
    {NONE, 0, 1, 2, 3, 4, 5, 6, 7, NONE, NONE, NONE, NONE, NONE, NONE, NONE},
    {NONE, 8, 9, 10, 11, 12, 13, 14, 15, NONE, NONE, NONE, NONE, NONE, NONE, NONE},
};
static const unsigned char end_indexes[LANE_NUMBER_COUNT][LANE_SIZE] = {
    {0, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, 1, NONE, NONE, NONE, NONE, NONE, NONE},
    {4, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, 5, NONE, NONE, NONE, NONE, NONE, NONE},
    {8, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, 9, NONE, NONE, NONE, NONE, NONE, NONE},
    {12, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, 13, NONE, NONE, NONE, NONE, NONE, NONE},
};

/* Called in two places, and yet to be inlined in both: out of line, it would load all its constants
 * for every few numbers. */
__attribute__((always_inline)) static inline void format_vector(const uint32_t *numbers,
                                                                char *lines) {
    const struct characters characters = split_numbers(load(numbers));
    const lanes digits[2] = {interleave_low16(characters.outer, characters.inner),
                             interleave_high16(characters.outer, characters.inner)};
    lanes line[LANE_NUMBER_COUNT];
    for (size_t i = 0; i < LANE_NUMBER_COUNT; i++) {
        line[i] = either(pick(digits[i / 2], repeat(digit_indexes[i % 2])),
                         pick(characters.ends, repeat(end_indexes[i])));
    }
    for (size_t lane_index = 0; lane_index < LANE_COUNT; lane_index++) {
        for (size_t i = 0; i < LANE_NUMBER_COUNT; i++) {
            store_lane(lines, line[i], lane_index);
            lines += NUMBER_FORMATTER_LINE_SIZE;
        }
    }
}

/* A kernel in the sense of number_kernel.h. */
static inline void format_vectors(const uint32_t *numbers, size_t count, char *lines) {
    for (; count >= VECTOR_NUMBER_COUNT; count -= VECTOR_NUMBER_COUNT) {
        format_vector(numbers, lines);
        numbers += VECTOR_NUMBER_COUNT;
        lines += VECTOR_NUMBER_COUNT * NUMBER_FORMATTER_LINE_SIZE;
    }
    uint32_t last_numbers[VECTOR_NUMBER_COUNT] = {0};
    char last_lines[VECTOR_NUMBER_COUNT * NUMBER_FORMATTER_LINE_SIZE + NUMBER_FORMATTER_SLACK_SIZE];
    if (count > 0) {
        memcpy(last_numbers, numbers, count * sizeof(uint32_t));
        format_vector(last_numbers, last_lines);
        memcpy(lines, last_lines, count * NUMBER_FORMATTER_LINE_SIZE);
    }
}

#endif /* FORMATTER_NUMBER_KERNEL_LANES_H_ */
