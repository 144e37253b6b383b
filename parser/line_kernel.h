/* The kernels of the line parser: the same function for each instruction set.
 *
 * A kernel counts the well-formed lines (nine ASCII digits and '\n') at the start of
 * bytes[0, size), stops at the first line that is not, and writes the numbers of those before it.
 * It reads nothing outside bytes[0, size) and writes at most
 * size / LINE_PARSER_LINE_SIZE + LINE_PARSER_SLACK_COUNT numbers, those behind the count being
 * scrap. What the bytes behind the last line mean is the dispatcher's business (line_parser.c).
 *
 * Internal to //parser. Pure and reentrant; the caller makes sure that the CPU runs the kernel.
 */
#ifndef PARSER_LINE_KERNEL_H_
#define PARSER_LINE_KERNEL_H_

#include <stddef.h>
#include <stdint.h>

typedef size_t line_kernel_function(const char *bytes, size_t size, uint32_t *numbers);

/* The specification: what every other kernel is compared with. */
line_kernel_function line_kernel_scalar;

#endif
