/*
 * Purpose: numbers -> lines, the inverse of the parser. A line is nine decimal digits with leading
 * zeros, and a newline.
 *
 * Several kernels do the same with different instruction sets; number_formatter_select chooses
 * once, at start-up. The scalar kernel is the specification of the others.
 *
 * Ownership: nothing is allocated and nothing kept; all memory is the caller's.
 * Threading: a selected formatter is only read, so that any number of threads may share one.
 */
#ifndef FORMATTER_NUMBER_FORMATTER_H_
#define FORMATTER_NUMBER_FORMATTER_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    NUMBER_FORMATTER_DIGIT_COUNT = 9,
    NUMBER_FORMATTER_LINE_SIZE = NUMBER_FORMATTER_DIGIT_COUNT + 1,
    /* Kernels store whole vectors: up to this many bytes after the last line may be overwritten. */
    NUMBER_FORMATTER_SLACK_SIZE = 64,
};

/* Writes count lines for numbers[0 .. count), each less than 10^9, to lines. All kernels are of
 * this type. */
typedef void (*number_formatter_kernel)(const uint32_t *numbers, size_t count, char *lines);

struct number_formatter {
    number_formatter_kernel kernel;
    const char *kernel_name; /* a constant: "scalar", "ssse3", "avx2" or "avx512" */
};

/*
 * Chooses the kernel named kernel_name, or the fastest that this processor runs if kernel_name is
 * NULL. Returns false, and leaves *formatter alone, if there is no such kernel in this build or the
 * processor cannot run it.
 */
bool number_formatter_select(struct number_formatter *formatter, const char *kernel_name);

/* The names of all kernels in this build, the fastest first, and NULL at the end. The processor may
 * not run all of them. */
const char *const *number_formatter_kernel_names(void);

/*
 * Writes numbers[0 .. count), each less than 10^9, to lines as count lines of
 * NUMBER_FORMATTER_LINE_SIZE bytes. lines has room for them and NUMBER_FORMATTER_SLACK_SIZE bytes
 * more, which may be overwritten with anything. Returns the bytes of the lines, which is
 * NUMBER_FORMATTER_LINE_SIZE * count.
 */
size_t number_formatter_format(const struct number_formatter *formatter, const uint32_t *numbers,
                               size_t count, char *lines);

#ifdef __cplusplus
}
#endif

#endif
