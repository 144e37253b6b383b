/* A block in one register with AVX-512 F and BW. The algorithm is in record_kernel_blocks.h. */
#include <immintrin.h>
#include <stdbool.h>

#include "server/records/record_kernel_masks.h"
#include "server/records/record_pattern.h"

static inline struct block_masks read_block(const char *bytes) {
    const __m512i block = _mm512_loadu_si512(bytes);
    const __mmask64 quotes = _mm512_cmpeq_epi8_mask(block, _mm512_set1_epi8('"'));
    const __mmask64 backslashes = _mm512_cmpeq_epi8_mask(block, _mm512_set1_epi8('\\'));
    const __mmask64 controls = _mm512_cmplt_epu8_mask(block, _mm512_set1_epi8(0x20));
    return (struct block_masks){.stops = quotes | backslashes | controls,
                                .high = _mm512_movepi8_mask(block)};
}

static inline unsigned select_bit(uint64_t mask, unsigned number) {
    return (unsigned)_tzcnt_u64(_pdep_u64(UINT64_C(1) << number, mask));
}

static inline bool equals_piece(const char *bytes, const struct record_pattern_piece *piece) {
    const __m256i equal = _mm256_cmpeq_epi8(_mm256_loadu_si256((const __m256i *)bytes),
                                            _mm256_loadu_si256((const __m256i *)piece->bytes));
    return ((uint32_t)_mm256_movemask_epi8(equal) | piece->ignored) == UINT32_MAX;
}

#include "server/records/record_kernel_blocks.h"

size_t record_kernel_avx512bw(const struct record_pattern *pattern,
                              const struct record_kernel_limits *limits, const char *data,
                              size_t size, struct record_lines *lines) {
    return run_kernel(pattern, limits, data, size, lines);
}
