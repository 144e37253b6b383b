/* Sixteen numbers at a time; their characters are dealt out to the lines by byte permutations over
 * whole registers. */
#include <immintrin.h>

#include "formatter/number_formatter.h"
#include "formatter/number_kernel.h"

typedef __m512i lanes;
#define splat16(value) _mm512_set1_epi16((short)(value))
#define splat32(value) _mm512_set1_epi32(value)
#define multiply_low16(a, b) _mm512_mullo_epi16(a, b)
#define multiply_high16(a, b) _mm512_mulhi_epu16(a, b)
#define multiply_even32(a, b) _mm512_mul_epu32(a, b)
#define subtract16(a, b) _mm512_sub_epi16(a, b)
#define either(a, b) _mm512_or_si512(a, b)
#define shift_right64(a, bits) _mm512_srli_epi64(a, bits)
#define shift_right32(a, bits) _mm512_srli_epi32(a, bits)
#define shift_right16(a, bits) _mm512_srli_epi16(a, bits)
#define shift_left32(a, bits) _mm512_slli_epi32(a, bits)
#define shift_left16(a, bits) _mm512_slli_epi16(a, bits)
#define odd_from32(a, b) _mm512_mask_blend_epi32(0xaaaa, a, b)
#define odd_from16(a, b) _mm512_mask_blend_epi16(0xaaaaaaaa, a, b)
#include "formatter/number_kernel_split.h"

enum {
    VECTOR_SIZE = sizeof(lanes),
    VECTOR_NUMBER_COUNT = 16,
    VECTOR_LINES_SIZE = VECTOR_NUMBER_COUNT * NUMBER_FORMATTER_LINE_SIZE,
    TABLE_SIZE = 3 * VECTOR_SIZE, /* whole registers; the last one's second half is not stored */
};

#define SIXTEEN_LINES(line)                                                                        \
    line(0), line(1), line(2), line(3), line(4), line(5), line(6), line(7), line(8), line(9),      \
        line(10), line(11), line(12), line(13), line(14), line(15)

/* For each byte of sixteen lines, where it comes from, if it is one of digits 2 to 9: an index into
 * outer, or from VECTOR_SIZE on into inner. */
#define DIGIT_BYTES(i)                                                                             \
    0, 4 * i, 4 * i + 1, VECTOR_SIZE + 4 * i, VECTOR_SIZE + 4 * i + 1, 4 * i + 2, 4 * i + 3,       \
        VECTOR_SIZE + 4 * i + 2, VECTOR_SIZE + 4 * i + 3, 0
static const unsigned char digit_bytes[TABLE_SIZE] = {SIXTEEN_LINES(DIGIT_BYTES)};

/* The same for digit 1 and the newline: an index into ends, marked with the highest bit. */
enum { IS_END = 0x80 };
#define END_BYTES(i) IS_END | (4 * i), 0, 0, 0, 0, 0, 0, 0, 0, IS_END | (4 * i + 1)
static const unsigned char end_bytes[TABLE_SIZE] = {SIXTEEN_LINES(END_BYTES)};

/* The VECTOR_SIZE bytes of the lines that begin at the given byte. */
static inline lanes deal(lanes outer, lanes inner, lanes ends, size_t first_byte_index) {
    const lanes from_ends = _mm512_loadu_si512(end_bytes + first_byte_index);
    const lanes lines =
        _mm512_permutex2var_epi8(outer, _mm512_loadu_si512(digit_bytes + first_byte_index), inner);
    return _mm512_mask_permutexvar_epi8(lines, _mm512_movepi8_mask(from_ends), from_ends, ends);
}

/* The mask for size bytes of a register. */
static inline __mmask64 first_bytes(size_t size) {
    return size >= VECTOR_SIZE ? ~(__mmask64)0 : ((__mmask64)1 << size) - 1;
}

/* Writes the lines of the first one to fifteen numbers, and no byte more. There is no buffer here
 * that a whole vector is copied through: GCC's AddressSanitizer misaligns those of 64 bytes. */
static void format_rest(const uint32_t *numbers, size_t count, char *lines) {
    const __mmask16 is_left = (__mmask16)((1U << count) - 1);
    const struct characters parts = split_numbers(_mm512_maskz_loadu_epi32(is_left, numbers));
    const size_t lines_size = count * NUMBER_FORMATTER_LINE_SIZE;
    for (size_t done_size = 0; done_size < lines_size; done_size += VECTOR_SIZE) {
        _mm512_mask_storeu_epi8(lines + done_size, first_bytes(lines_size - done_size),
                                deal(parts.outer, parts.inner, parts.ends, done_size));
    }
}

/* Writes VECTOR_LINES_SIZE bytes. */
static inline void format_vector(const uint32_t *numbers, char *lines) {
    const struct characters parts = split_numbers(_mm512_loadu_si512(numbers));
    _mm512_storeu_si512(lines, deal(parts.outer, parts.inner, parts.ends, 0));
    _mm512_storeu_si512(lines + VECTOR_SIZE,
                        deal(parts.outer, parts.inner, parts.ends, VECTOR_SIZE));
    const lanes last = deal(parts.outer, parts.inner, parts.ends, 2 * (size_t)VECTOR_SIZE);
    _mm256_storeu_si256((__m256i *)(lines + 2 * VECTOR_SIZE), _mm512_castsi512_si256(last));
}

void number_kernel_avx512vbmi(const uint32_t *numbers, size_t count, char *lines) {
    for (; count >= VECTOR_NUMBER_COUNT; count -= VECTOR_NUMBER_COUNT) {
        format_vector(numbers, lines);
        numbers += VECTOR_NUMBER_COUNT;
        lines += VECTOR_LINES_SIZE;
    }
    if (count > 0) {
        format_rest(numbers, count, lines);
    }
}
