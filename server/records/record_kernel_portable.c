/* Eight bytes at a time in an ordinary register. The algorithm is in record_kernel_blocks.h. */
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "server/records/plain_text.h"
#include "server/records/record_kernel_masks.h"
#include "server/records/record_pattern.h"

#define EACH_HIGH_BIT (0x80 * PLAIN_TEXT_EACH_BYTE)

/* Sets the high bit of each byte that is zero, and no other: no borrow crosses bytes. */
static inline uint64_t mark_zeros(uint64_t word) {
    uint64_t low_bits = (word & ~EACH_HIGH_BIT) + ~EACH_HIGH_BIT;
    return ~(low_bits | word) & EACH_HIGH_BIT;
}

/* Gathers the high bits of the eight bytes: bit N is that of byte N. */
static inline uint64_t gather_marks(uint64_t marks) {
    return (marks >> 7) * UINT64_C(0x0102040810204080) >> 56;
}

/* The first byte is the lowest one, whatever the machine thinks. */
static inline uint64_t load_word(const char *bytes) {
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

static inline struct block_masks read_block(const char *bytes) {
    struct block_masks masks = {0};
    for (int shift = 0; shift < BLOCK_SIZE; shift += 8) {
        uint64_t word = load_word(bytes + shift);
        /* A control character has none of the three highest bits. */
        uint64_t stops = mark_zeros(word & (0xE0 * PLAIN_TEXT_EACH_BYTE)) |
                         mark_zeros(word ^ ('"' * PLAIN_TEXT_EACH_BYTE)) |
                         mark_zeros(word ^ ('\\' * PLAIN_TEXT_EACH_BYTE));
        masks.stops |= gather_marks(stops) << shift;
        masks.high |= gather_marks(word & EACH_HIGH_BIT) << shift;
    }
    return masks;
}

static inline unsigned select_bit(uint64_t mask, unsigned number) {
    for (; number > 0; number--) {
        mask &= mask - 1;
    }
    return (unsigned)__builtin_ctzll(mask);
}

static inline bool equals_piece(const char *bytes, const struct record_pattern_piece *piece) {
    return memcmp(bytes, piece->bytes, piece->size) == 0;
}

#include "server/records/record_kernel_blocks.h"

size_t record_kernel_portable(const struct record_pattern *pattern,
                              const struct record_kernel_limits *limits, const char *data,
                              size_t size, struct record_lines *lines) {
    return run_kernel(pattern, limits, data, size, lines);
}
