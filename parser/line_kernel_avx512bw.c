/* Sixteen lines at a time with AVX-512 F and BW. The algorithm is in line_kernel_lanes.h. */
#include <immintrin.h>

#include "parser/line_lane.h"

enum { LANE_COUNT = 4 };
typedef __m512i lanes;

static inline __m128i load_lane(const void *bytes) {
    return _mm_loadu_si128((const __m128i *)bytes);
}

/* Masked broadcasts put a lane in its place without a shuffle: the loads do it. */
static inline lanes load_lines(const char *line) {
    lanes loaded = _mm512_castsi128_si512(load_lane(line));
    loaded = _mm512_mask_broadcast_i32x4(loaded, 0x00f0, load_lane(line + LANE_STRIDE));
    loaded = _mm512_mask_broadcast_i32x4(loaded, 0x0f00, load_lane(line + 2 * LANE_STRIDE));
    return _mm512_mask_broadcast_i32x4(loaded, 0xf000, load_lane(line + 3 * LANE_STRIDE));
}

static inline lanes repeat(const uint8_t *pattern) {
    return _mm512_broadcast_i32x4(load_lane(pattern));
}

static inline lanes subtract(lanes a, lanes b) {
    return _mm512_sub_epi8(a, b);
}

static inline lanes larger(lanes a, lanes b) {
    return _mm512_max_epu8(a, b);
}

static inline int any_exceeds(lanes values, lanes limits) {
    return _mm512_cmpgt_epu8_mask(values, limits) != 0;
}

static inline lanes pair_digits(lanes a, lanes b) {
    const lanes weights =
        _mm512_broadcast_i32x4(_mm_setr_epi8(10, 1, 10, 1, 10, 1, 10, 1, 1, 0, 0, 0, 0, 0, 0, 0));
    return _mm512_packus_epi16(_mm512_maddubs_epi16(a, weights), _mm512_maddubs_epi16(b, weights));
}

static inline lanes gather_firsts(lanes a, lanes b) {
    return _mm512_castps_si512(
        _mm512_shuffle_ps(_mm512_castsi512_ps(a), _mm512_castsi512_ps(b), _MM_SHUFFLE(2, 0, 2, 0)));
}

static inline lanes gather_seconds(lanes a, lanes b) {
    return _mm512_castps_si512(
        _mm512_shuffle_ps(_mm512_castsi512_ps(a), _mm512_castsi512_ps(b), _MM_SHUFFLE(3, 1, 3, 1)));
}

/* Ten times the pairs is 2 * pairs + 4 * (2 * pairs); the first doubling is in the weights. */
static inline lanes join_pairs(lanes pairs, lanes singles) {
    const lanes fours = _mm512_maddubs_epi16(pairs, _mm512_set1_epi16(1 << 8 | 100));
    const lanes doubled = _mm512_madd_epi16(fours, _mm512_set1_epi32(2 << 16 | 20000));
    return _mm512_add_epi32(_mm512_add_epi32(doubled, singles), _mm512_slli_epi32(doubled, 2));
}

static inline void store(uint32_t *numbers, lanes values) {
    _mm512_storeu_si512((__m512i *)numbers, values);
}

#include "parser/line_kernel_lanes.h"

size_t line_kernel_avx512bw(const char *bytes, size_t size, uint32_t *numbers) {
    return parse_blocks(bytes, size, numbers);
}
