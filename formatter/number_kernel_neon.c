/* One lane of 128 bits: four numbers at a time, with NEON (every aarch64 CPU). */
#include <arm_neon.h>

#include "formatter/number_kernel.h"

typedef uint32x4_t lanes;

/* The register seen as cells of another width, and back. */
#define as8(a) vreinterpretq_u8_u32(a)
#define as16(a) vreinterpretq_u16_u32(a)
#define as64(a) vreinterpretq_u64_u32(a)
#define from8(a) vreinterpretq_u32_u8(a)
#define from16(a) vreinterpretq_u32_u16(a)
#define from64(a) vreinterpretq_u32_u64(a)

#define splat16(value) from16(vdupq_n_u16((uint16_t)(value)))
#define splat32(value) vdupq_n_u32((uint32_t)(value))
#define multiply_low16(a, b) from16(vmulq_u16(as16(a), as16(b)))
#define multiply_even32(a, b) from64(vmull_u32(vmovn_u64(as64(a)), vmovn_u64(as64(b))))
#define subtract16(a, b) from16(vsubq_u16(as16(a), as16(b)))
#define either(a, b) vorrq_u32(a, b)
#define shift_right64(a, bits) from64(vshrq_n_u64(as64(a), bits))
#define shift_right32(a, bits) vshrq_n_u32(a, bits)
#define shift_right16(a, bits) from16(vshrq_n_u16(as16(a), bits))
#define shift_left32(a, bits) vshlq_n_u32(a, bits)
#define shift_left16(a, bits) from16(vshlq_n_u16(as16(a), bits))
#define odd_from32(a, b) vbslq_u32(from64(vdupq_n_u64(UINT32_MAX)), a, b)
#define odd_from16(a, b) vbslq_u32(vdupq_n_u32(UINT16_MAX), a, b)

static inline lanes multiply_high16(lanes a, lanes b) {
    const uint32x4_t low = vmull_u16(vget_low_u16(as16(a)), vget_low_u16(as16(b)));
    const uint32x4_t high = vmull_high_u16(as16(a), as16(b));
    return from16(vuzp2q_u16(as16(low), as16(high)));
}

enum { LANE_COUNT = 1 };
#define load(numbers) vld1q_u32(numbers)
#define repeat(bytes) from8(vld1q_u8(bytes))
#define interleave_low16(a, b) from16(vzip1q_u16(as16(a), as16(b)))
#define interleave_high16(a, b) from16(vzip2q_u16(as16(a), as16(b)))
#define pick(values, indexes) from8(vqtbl1q_u8(as8(values), as8(indexes)))

static inline void store_lane(char *line, lanes values, size_t lane_index) {
    (void)lane_index; /* there is one lane */
    vst1q_u8((uint8_t *)line, as8(values));
}

#include "formatter/number_kernel_lanes.h"

void number_kernel_neon(const uint32_t *numbers, size_t count, char *lines) {
    format_vectors(numbers, count, lines);
}
