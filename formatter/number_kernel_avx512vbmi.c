/* Sixteen numbers at a time; their characters are dealt out to the lines by byte permutations over
 * whole registers. */
#include <immintrin.h>
#include <string.h>

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
    LAYOUT_COUNT = 3, /* registers that VECTOR_LINES_SIZE bytes take; the last one half */
};

/* Where the bytes of a register of lines come from. */
struct layout {
    lanes digit_bytes; /* indexes into outer, and from VECTOR_SIZE on into inner */
    lanes end_bytes;   /* indexes into ends */
    __mmask64 is_end;  /* which bytes of the lines come from ends */
};

/* The layout of the register that begins at the given byte of sixteen lines. */
static struct layout layout_at(size_t first_byte_index) {
    enum { OUTER = 0, INNER = VECTOR_SIZE, NONE = 0 };
    static const size_t sources[NUMBER_FORMATTER_LINE_SIZE] = {
        NONE, OUTER, OUTER + 1, INNER, INNER + 1, OUTER + 2, OUTER + 3, INNER + 2, INNER + 3, NONE};
    unsigned char digit_bytes[VECTOR_SIZE];
    unsigned char end_bytes[VECTOR_SIZE];
    __mmask64 is_end = 0;
    for (size_t i = 0; i < VECTOR_SIZE; i++) {
        const size_t number_index =
            (first_byte_index + i) / NUMBER_FORMATTER_LINE_SIZE % VECTOR_NUMBER_COUNT;
        const size_t column = (first_byte_index + i) % NUMBER_FORMATTER_LINE_SIZE;
        const int is_newline = column == NUMBER_FORMATTER_DIGIT_COUNT;
        digit_bytes[i] = (unsigned char)(number_index * sizeof(uint32_t) + sources[column]);
        end_bytes[i] = (unsigned char)(number_index * sizeof(uint32_t) + (is_newline ? 1 : 0));
        is_end |= (__mmask64)(column == 0 || is_newline) << i;
    }
    return (struct layout){_mm512_loadu_si512(digit_bytes), _mm512_loadu_si512(end_bytes), is_end};
}

static inline lanes deal(struct characters characters, const struct layout *layout) {
    const lanes lines =
        _mm512_permutex2var_epi8(characters.outer, layout->digit_bytes, characters.inner);
    return _mm512_mask_permutexvar_epi8(lines, layout->is_end, layout->end_bytes, characters.ends);
}

/* Writes exactly VECTOR_LINES_SIZE bytes. */
static inline void format_vector(lanes numbers, const struct layout layouts[LAYOUT_COUNT],
                                 char *lines) {
    const struct characters characters = split_numbers(numbers);
    _mm512_storeu_si512(lines, deal(characters, &layouts[0]));
    _mm512_storeu_si512(lines + VECTOR_SIZE, deal(characters, &layouts[1]));
    _mm256_storeu_si256((__m256i *)(lines + 2 * VECTOR_SIZE),
                        _mm512_castsi512_si256(deal(characters, &layouts[2])));
}

void number_kernel_avx512vbmi(const uint32_t *numbers, size_t count, char *lines) {
    const struct layout layouts[LAYOUT_COUNT] = {layout_at(0), layout_at(VECTOR_SIZE),
                                                 layout_at(2 * (size_t)VECTOR_SIZE)};
    for (; count >= VECTOR_NUMBER_COUNT; count -= VECTOR_NUMBER_COUNT) {
        format_vector(_mm512_loadu_si512(numbers), layouts, lines);
        numbers += VECTOR_NUMBER_COUNT;
        lines += VECTOR_LINES_SIZE;
    }
    char last_lines[VECTOR_LINES_SIZE];
    const __mmask16 is_left = (__mmask16)((1U << count) - 1);
    format_vector(_mm512_maskz_loadu_epi32(is_left, numbers), layouts, last_lines);
    memcpy(lines, last_lines, count * NUMBER_FORMATTER_LINE_SIZE);
}
