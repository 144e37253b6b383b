/* What a kernel of the number formatter is, and which ones there are. For the kernels and their
 * dispatcher.
 *
 * A kernel has the contract of number_formatter_format. It may read numbers[0, count) only. */
#ifndef FORMATTER_NUMBER_KERNEL_H_
#define FORMATTER_NUMBER_KERNEL_H_

#include <stddef.h>
#include <stdint.h>

typedef void number_kernel_function(const uint32_t *numbers, size_t count, char *lines);

/* The specification of the others, for any processor. */
number_kernel_function number_kernel_scalar;

#if defined(__x86_64__)
number_kernel_function number_kernel_sse41;
number_kernel_function number_kernel_avx2;
number_kernel_function number_kernel_avx512vbmi;
#endif

#if defined(__aarch64__)
number_kernel_function number_kernel_neon;
#endif

#endif /* FORMATTER_NUMBER_KERNEL_H_ */
