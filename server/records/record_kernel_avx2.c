/* A block in two registers with AVX2. The algorithm is in record_kernel_blocks.h. */
#include <immintrin.h>
#include <stdbool.h>

#include "server/records/record_kernel_masks.h"
#include "server/records/record_pattern.h"

static inline __m256i load_half(const char *bytes) {
    return _mm256_loadu_si256((const __m256i *)bytes);
}

static inline uint64_t mask_of(__m256i first, __m256i second) {
    uint64_t low = (uint32_t)_mm256_movemask_epi8(first);
    uint64_t high = (uint32_t)_mm256_movemask_epi8(second);
    return high << 32 | low;
}

static inline __m256i mark_stops(__m256i bytes) {
    const __m256i quotes = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('"'));
    const __m256i backslashes = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('\\'));
    const __m256i highest_control = _mm256_set1_epi8(0x1F);
    const __m256i controls =
        _mm256_cmpeq_epi8(_mm256_max_epu8(bytes, highest_control), highest_control);
    return _mm256_or_si256(_mm256_or_si256(quotes, backslashes), controls);
}

static inline struct block_masks read_block(const char *bytes) {
    const __m256i first = load_half(bytes);
    const __m256i second = load_half(bytes + 32);
    return (struct block_masks){.stops = mask_of(mark_stops(first), mark_stops(second)),
                                .high = mask_of(first, second)};
}

static inline unsigned select_bit(uint64_t mask, unsigned number) {
    return (unsigned)_tzcnt_u64(_pdep_u64(UINT64_C(1) << number, mask));
}

static inline bool equals_piece(const char *bytes, const struct record_pattern_piece *piece) {
    const __m256i equal = _mm256_cmpeq_epi8(load_half(bytes), load_half(piece->bytes));
    return ((uint32_t)_mm256_movemask_epi8(equal) | piece->ignored) == UINT32_MAX;
}

#include "server/records/record_kernel_blocks.h"

size_t record_kernel_avx2(const struct record_pattern *pattern,
                          const struct record_kernel_limits *limits, const char *data, size_t size,
                          struct record_lines *lines) {
    return run_kernel(pattern, limits, data, size, lines);
}
