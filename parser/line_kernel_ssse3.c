/* Four lines at a time with SSSE3. The algorithm is in line_kernel_lanes.h. */
#include <immintrin.h>

#include "parser/line_lane.h"

enum { LANE_COUNT = 1 };
typedef __m128i lanes;

static inline lanes load_lines(const char *line) {
    return _mm_loadu_si128((const __m128i *)line);
}

static inline lanes repeat(const uint8_t *pattern) {
    return _mm_loadu_si128((const __m128i *)pattern);
}

static inline lanes subtract(lanes a, lanes b) {
    return _mm_sub_epi8(a, b);
}

static inline lanes larger(lanes a, lanes b) {
    return _mm_max_epu8(a, b);
}

static inline int any_exceeds(lanes values, lanes limits) {
    const lanes is_within = _mm_cmpeq_epi8(_mm_max_epu8(values, limits), limits);
    return _mm_movemask_epi8(is_within) != 0xffff;
}

static inline lanes pair_digits(lanes a, lanes b) {
    const lanes weights = _mm_setr_epi8(10, 1, 10, 1, 10, 1, 10, 1, 1, 0, 0, 0, 0, 0, 0, 0);
    return _mm_packus_epi16(_mm_maddubs_epi16(a, weights), _mm_maddubs_epi16(b, weights));
}

static inline lanes gather_firsts(lanes a, lanes b) {
    return _mm_castps_si128(
        _mm_shuffle_ps(_mm_castsi128_ps(a), _mm_castsi128_ps(b), _MM_SHUFFLE(2, 0, 2, 0)));
}

static inline lanes gather_seconds(lanes a, lanes b) {
    return _mm_castps_si128(
        _mm_shuffle_ps(_mm_castsi128_ps(a), _mm_castsi128_ps(b), _MM_SHUFFLE(3, 1, 3, 1)));
}

/* Ten times the pairs is 2 * pairs + 4 * (2 * pairs); the first doubling is in the weights. */
static inline lanes join_pairs(lanes pairs, lanes singles) {
    const lanes fours = _mm_maddubs_epi16(pairs, _mm_set1_epi16(1 << 8 | 100));
    const lanes doubled = _mm_madd_epi16(fours, _mm_set1_epi32(2 << 16 | 20000));
    return _mm_add_epi32(_mm_add_epi32(doubled, singles), _mm_slli_epi32(doubled, 2));
}

static inline void store(uint32_t *numbers, lanes values) {
    _mm_storeu_si128((__m128i *)numbers, values);
}

#include "parser/line_kernel_lanes.h"

size_t line_kernel_ssse3(const char *bytes, size_t size, uint32_t *numbers) {
    return parse_blocks(bytes, size, numbers);
}
