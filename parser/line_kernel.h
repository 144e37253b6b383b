/*
 * The kernels of the line parser: the same function for each instruction set.
 *
 * A kernel counts the well-formed lines (nine ASCII digits and '\n') at the start of
 * bytes[0, size), stops at the first line that is not, and writes the numbers of those before it.
 * It reads nothing outside bytes[0, size) and writes at most
 * size / LINE_PARSER_LINE_SIZE + LINE_PARSER_SLACK_COUNT numbers, those behind the count being
 * scrap. What the bytes behind the last line mean is the dispatcher's business (line_parser.c).
 *
 * The fast kernels take whole blocks of lines. A block with a bad line in it, and what is too short
 * for a block, they leave to the scalar kernel, which finds the exact place.
 *
 * Internal to //parser. Pure and reentrant; the caller makes sure that the CPU runs the kernel.
 */
#ifndef PARSER_LINE_KERNEL_H_
#define PARSER_LINE_KERNEL_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef size_t line_kernel_function(const char *bytes, size_t size, uint32_t *numbers);

/* The specification: what every other kernel is compared with. */
line_kernel_function line_kernel_scalar;

/* x86-64, named after what they need: "avx512bw" AVX-512 F and BW, "avx512vbmi" also VBMI and VNNI
 * (Ice Lake, Zen 4 and later). */
line_kernel_function line_kernel_ssse3;
line_kernel_function line_kernel_avx2;
line_kernel_function line_kernel_avx512bw;
line_kernel_function line_kernel_avx512vbmi;

/* aarch64. */
line_kernel_function line_kernel_neon;

#ifdef __cplusplus
}
#endif

#endif /* PARSER_LINE_KERNEL_H_ */
