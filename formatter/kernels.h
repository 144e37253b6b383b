/*
 * Purpose: the kernels of the number formatter, one per instruction set, each in a file compiled
 * for it. For the dispatcher alone. All have the contract of number_formatter_format.
 */
#ifndef FORMATTER_KERNELS_H_
#define FORMATTER_KERNELS_H_

#include <stddef.h>
#include <stdint.h>

/* Any processor; the specification of the others. */
void number_formatter_format_scalar(const uint32_t *numbers, size_t count, char *lines);

#endif
