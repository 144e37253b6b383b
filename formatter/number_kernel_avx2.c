/* Two lanes of 128 bits: eight numbers at a time. */
#include <immintrin.h>

#include "formatter/number_kernel.h"

typedef __m256i lanes;
#define splat16(value) _mm256_set1_epi16((short)(value))
#define splat32(value) _mm256_set1_epi32(value)
#define multiply_low16(a, b) _mm256_mullo_epi16(a, b)
#define multiply_high16(a, b) _mm256_mulhi_epu16(a, b)
#define multiply_even32(a, b) _mm256_mul_epu32(a, b)
#define subtract16(a, b) _mm256_sub_epi16(a, b)
#define either(a, b) _mm256_or_si256(a, b)
#define shift_right64(a, bits) _mm256_srli_epi64(a, bits)
#define shift_right32(a, bits) _mm256_srli_epi32(a, bits)
#define shift_right16(a, bits) _mm256_srli_epi16(a, bits)
#define shift_left32(a, bits) _mm256_slli_epi32(a, bits)
#define shift_left16(a, bits) _mm256_slli_epi16(a, bits)
#define odd_from32(a, b) _mm256_blend_epi32(a, b, 0xaa)
#define odd_from16(a, b) _mm256_blend_epi16(a, b, 0xaa)

enum { LANE_COUNT = 2 };
#define load(numbers) _mm256_loadu_si256((const __m256i *)(numbers))
#define repeat(bytes) _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(bytes)))
#define interleave_low16(a, b) _mm256_unpacklo_epi16(a, b)
#define interleave_high16(a, b) _mm256_unpackhi_epi16(a, b)
#define pick(values, indexes) _mm256_shuffle_epi8(values, indexes)

static inline void store_lane(char *line, lanes values, size_t lane_index) {
    _mm_storeu_si128((__m128i *)line, lane_index == 0 ? _mm256_castsi256_si128(values)
                                                      : _mm256_extracti128_si256(values, 1));
}

#include "formatter/number_kernel_lanes.h"

void number_kernel_avx2(const uint32_t *numbers, size_t count, char *lines) {
    format_vectors(numbers, count, lines);
}
