/*
 * The arithmetic that the vector kernels share: numbers to characters, still in number order.
 *
 * Division by a constant is multiplication by its reciprocal, rounded up, and a shift (T. Granlund,
 * P. Montgomery, "Division by Invariant Integers using Multiplication", 1994). A number is split
 * into one and two groups of four digits, then pairs, then digits; each step halves the width.
 *
 * To be included by a kernel's .c file behind these verbs, written in its own instruction set:
 *   lanes                               the register type
 *   splat16(value), splat32(value)      the value in every cell of 16 or 32 bits
 *   multiply_low16(a, b), multiply_high16(a, b)   halves of the unsigned products
 *   multiply_even32(a, b)               the 64-bit products of the 32-bit cells 0, 2, 4, ...
 *   subtract16(a, b), either(a, b)      difference; bitwise or
 *   shift_right64(a, bits), shift_right32, shift_right16, shift_left32, shift_left16
 *   odd_from32(a, b), odd_from16(a, b)  the even cells of a and the odd cells of b
 */
#ifndef FORMATTER_NUMBER_KERNEL_SPLIT_H_
#define FORMATTER_NUMBER_KERNEL_SPLIT_H_

/* The letter by which inline assembly calls a vector register. */
#if defined(__aarch64__)
#define VECTOR_REGISTER "w"
#else
#define VECTOR_REGISTER "x"
#endif

/* A cell of 32 bits for each number, with characters of its line, whose digits are 1 to 9. */
struct characters {
    lanes outer; /* digits 2, 3, 6 and 7 */
    lanes inner; /* digits 4, 5, 8 and 9 */
    lanes ends;  /* digit 1 and the newline, then zeros */
};

/* 32-bit cells, any values: values / 10^4. The factor is 2^45 / 10^4. */
static inline lanes divide_by_10000(lanes values) {
    const lanes reciprocal = splat32((int)3518437209U);
    const lanes even = shift_right64(multiply_even32(values, reciprocal), 45);
    const lanes odd = multiply_even32(shift_right64(values, 32), reciprocal);
    return odd_from32(even, shift_right64(odd, 13));
}

/* 16-bit cells: values * factor. GCC would turn the multiplication by a constant into shifts and
 * additions, which take more time here; so it must not see that the factor is one. */
static inline lanes multiply_by(lanes values, int factor) {
    lanes factors = splat16(factor);
    __asm__("" : "+" VECTOR_REGISTER(factors));
    return multiply_low16(values, factors);
}

/* 16-bit cells, the low halves of values and quotients: values - quotients * divisor. */
static inline lanes remainder_of(lanes values, lanes quotients, int divisor) {
    return subtract16(values, multiply_by(quotients, divisor));
}

/* 16-bit cells, values below 100: the two characters of each, tens first. */
static inline lanes characters_of_pairs(lanes pairs) {
    const lanes tens = multiply_high16(pairs, splat16(6554)); /* 2^16 / 10 */
    /* tens + 256 * (pairs - 10 * tens), with one multiplication. */
    const lanes digits = subtract16(shift_left16(pairs, 8), multiply_by(tens, 256 * 10 - 1));
    return either(digits, splat16('0' << 8 | '0'));
}

/* 32-bit cells, values below 10^9. */
static inline struct characters split_numbers(lanes numbers) {
    const lanes high = divide_by_10000(numbers); /* digits 1 to 5 */
    const lanes low = remainder_of(numbers, high, 10000);
    /* high / 10^4, as high / 16 fits 16 bits and 10^4 / 16 is 625. The factor is 2^22 / 625. */
    const lanes first =
        shift_right32(multiply_high16(shift_right32(high, 4), splat16(6711)), 22 - 16);
    const lanes middle = remainder_of(high, first, 10000);
    const lanes fours = odd_from16(middle, shift_left32(low, 16)); /* digits 2 to 5, 6 to 9 */
    /* fours / 100. The factor is 2^19 / 100. */
    const lanes hundreds = shift_right16(multiply_high16(fours, splat16(5243)), 19 - 16);
    return (struct characters){
        .outer = characters_of_pairs(hundreds),
        .inner = characters_of_pairs(remainder_of(fours, hundreds, 100)),
        .ends = either(first, splat32('\n' << 8 | '0')),
    };
}

#endif /* FORMATTER_NUMBER_KERNEL_SPLIT_H_ */
