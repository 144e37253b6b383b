/* Four lines at a time with NEON (every aarch64 CPU). The algorithm is in line_kernel_lanes.h. */
#include <arm_neon.h>

#include "parser/line_lane.h"

enum { LANE_COUNT = 1 };
typedef uint8x16_t lanes;

static inline lanes load_lines(const char *line) {
    return vld1q_u8((const uint8_t *)line);
}

static inline lanes repeat(const uint8_t *pattern) {
    return vld1q_u8(pattern);
}

static inline lanes subtract(lanes a, lanes b) {
    return vsubq_u8(a, b);
}

static inline lanes larger(lanes a, lanes b) {
    return vmaxq_u8(a, b);
}

static inline int any_exceeds(lanes values, lanes limits) {
    return vmaxvq_u8(vcgtq_u8(values, limits)) != 0;
}

/* The newline stands where the single digit's partner would be: it is 0 in a good line. */
static inline lanes pair_digits(lanes a, lanes b) {
    static const uint8_t tens_weights[LANE_SIZE] = {10, 10, 10, 10, 1, 0, 0, 0,
                                                    10, 10, 10, 10, 1, 0, 0, 0};
    static const uint8_t is_kept[LANE_SIZE] = {255, 255, 255, 255, 255, 0, 0, 0,
                                               255, 255, 255, 255, 255, 0, 0, 0};
    const lanes pairs = vmlaq_u8(vuzp2q_u8(a, b), vuzp1q_u8(a, b), repeat(tens_weights));
    return vandq_u8(pairs, repeat(is_kept));
}

static inline lanes gather_firsts(lanes a, lanes b) {
    return vreinterpretq_u8_u32(vuzp1q_u32(vreinterpretq_u32_u8(a), vreinterpretq_u32_u8(b)));
}

static inline lanes gather_seconds(lanes a, lanes b) {
    return vreinterpretq_u8_u32(vuzp2q_u32(vreinterpretq_u32_u8(a), vreinterpretq_u32_u8(b)));
}

/* In memory order the more significant of two neighbours comes first: it is the low half. */
static inline lanes join_pairs(lanes pairs, lanes singles) {
    const uint16x8_t twos = vreinterpretq_u16_u8(pairs);
    const uint16x8_t fours =
        vmlaq_n_u16(vshrq_n_u16(twos, 8), vandq_u16(twos, vdupq_n_u16(0xff)), 100);
    const uint32x4_t cells = vreinterpretq_u32_u16(fours);
    const uint32x4_t eights =
        vmlaq_n_u32(vshrq_n_u32(cells, 16), vandq_u32(cells, vdupq_n_u32(0xffff)), 10000);
    return vreinterpretq_u8_u32(vmlaq_n_u32(vreinterpretq_u32_u8(singles), eights, 10));
}

static inline void store(uint32_t *numbers, lanes values) {
    vst1q_u32(numbers, vreinterpretq_u32_u8(values));
}

#include "parser/line_kernel_lanes.h"

size_t line_kernel_neon(const char *bytes, size_t size, uint32_t *numbers) {
    return parse_blocks(bytes, size, numbers);
}
