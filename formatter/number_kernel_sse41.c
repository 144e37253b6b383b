/* One lane of 128 bits: four numbers at a time. */
#include <smmintrin.h>

#include "formatter/number_kernel.h"

typedef __m128i lanes;
#define splat16(value) _mm_set1_epi16((short)(value))
#define splat32(value) _mm_set1_epi32(value)
#define multiply_low16(a, b) _mm_mullo_epi16(a, b)
#define multiply_high16(a, b) _mm_mulhi_epu16(a, b)
#define multiply_even32(a, b) _mm_mul_epu32(a, b)
#define subtract16(a, b) _mm_sub_epi16(a, b)
#define either(a, b) _mm_or_si128(a, b)
#define shift_right64(a, bits) _mm_srli_epi64(a, bits)
#define shift_right32(a, bits) _mm_srli_epi32(a, bits)
#define shift_right16(a, bits) _mm_srli_epi16(a, bits)
#define shift_left32(a, bits) _mm_slli_epi32(a, bits)
#define shift_left16(a, bits) _mm_slli_epi16(a, bits)
#define odd_from32(a, b) _mm_blend_epi16(a, b, 0xcc)
#define odd_from16(a, b) _mm_blend_epi16(a, b, 0xaa)

enum { LANE_COUNT = 1 };
#define load(numbers) _mm_loadu_si128((const __m128i *)(numbers))
#define repeat(bytes) _mm_loadu_si128((const __m128i *)(bytes))
#define interleave_low16(a, b) _mm_unpacklo_epi16(a, b)
#define interleave_high16(a, b) _mm_unpackhi_epi16(a, b)
#define pick(values, indexes) _mm_shuffle_epi8(values, indexes)

static inline void store_lane(char *line, lanes values, size_t lane_index) {
    (void)lane_index; /* there is one lane */
    _mm_storeu_si128((__m128i *)line, values);
}

#include "formatter/number_kernel_lanes.h"

void number_kernel_sse41(const uint32_t *numbers, size_t count, char *lines) {
    format_vectors(numbers, count, lines);
}
