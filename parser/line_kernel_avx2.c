/* Eight lines at a time with AVX2. The algorithm is in line_kernel_lanes.h. */
#include <immintrin.h>

#include "parser/line_lane.h"

enum { LANE_COUNT = 2 };
typedef __m256i lanes;

static inline __m128i load_lane(const void *bytes) {
    return _mm_loadu_si128((const __m128i *)bytes);
}

static inline lanes load_lines(const char *line) {
    return _mm256_inserti128_si256(_mm256_castsi128_si256(load_lane(line)),
                                   load_lane(line + LANE_STRIDE), 1);
}

static inline lanes repeat(const uint8_t *pattern) {
    return _mm256_broadcastsi128_si256(load_lane(pattern));
}

static inline lanes subtract(lanes a, lanes b) {
    return _mm256_sub_epi8(a, b);
}

static inline lanes larger(lanes a, lanes b) {
    return _mm256_max_epu8(a, b);
}

static inline int any_exceeds(lanes values, lanes limits) {
    const lanes is_within = _mm256_cmpeq_epi8(_mm256_max_epu8(values, limits), limits);
    return _mm256_movemask_epi8(is_within) != -1;
}

static inline lanes pair_digits(lanes a, lanes b) {
    const lanes weights = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(10, 1, 10, 1, 10, 1, 10, 1, 1, 0, 0, 0, 0, 0, 0, 0));
    return _mm256_packus_epi16(_mm256_maddubs_epi16(a, weights), _mm256_maddubs_epi16(b, weights));
}

static inline lanes gather_firsts(lanes a, lanes b) {
    return _mm256_castps_si256(
        _mm256_shuffle_ps(_mm256_castsi256_ps(a), _mm256_castsi256_ps(b), _MM_SHUFFLE(2, 0, 2, 0)));
}

static inline lanes gather_seconds(lanes a, lanes b) {
    return _mm256_castps_si256(
        _mm256_shuffle_ps(_mm256_castsi256_ps(a), _mm256_castsi256_ps(b), _MM_SHUFFLE(3, 1, 3, 1)));
}

/* Ten times the pairs is 2 * pairs + 4 * (2 * pairs); the first doubling is in the weights. */
static inline lanes join_pairs(lanes pairs, lanes singles) {
    const lanes fours = _mm256_maddubs_epi16(pairs, _mm256_set1_epi16(1 << 8 | 100));
    const lanes doubled = _mm256_madd_epi16(fours, _mm256_set1_epi32(2 << 16 | 20000));
    return _mm256_add_epi32(_mm256_add_epi32(doubled, singles), _mm256_slli_epi32(doubled, 2));
}

static inline void store(uint32_t *numbers, lanes values) {
    _mm256_storeu_si256((__m256i *)numbers, values);
}

#include "parser/line_kernel_lanes.h"

size_t line_kernel_avx2(const char *bytes, size_t size, uint32_t *numbers) {
    return parse_blocks(bytes, size, numbers);
}
