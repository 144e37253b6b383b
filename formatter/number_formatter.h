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

/* Opaque: one implementation for one instruction set. */
struct number_kernel;

struct number_formatter {
    const struct number_kernel
        *kernel; /* set by number_formatter_select, never NULL after success */
};

enum number_formatter_select_status {
    NUMBER_FORMATTER_SELECTED,
    NUMBER_FORMATTER_KERNEL_UNKNOWN,    /* no kernel of that name was built for this architecture */
    NUMBER_FORMATTER_KERNEL_UNSUPPORTED /* the kernel exists, this CPU cannot run it */
};

/* Chooses the kernel. kernel_name: one of the names below, or NULL for the best that this CPU runs
 * (which always succeeds). On failure the formatter is left as it was. */
enum number_formatter_select_status number_formatter_select(struct number_formatter *formatter,
                                                            const char *kernel_name);

/* The name of the chosen kernel: "scalar", "sse41", "avx2", "avx512vbmi" or "neon". */
const char *number_formatter_kernel_name(const struct number_formatter *formatter);

/* How many kernels this CPU runs: at least one. */
size_t number_formatter_supported_count(void);

/* The name of a kernel that this CPU runs, from "scalar" (index 0) to the best
 * (number_formatter_supported_count() - 1); NULL when the index is out of range. */
const char *number_formatter_supported_name(size_t index);

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

#endif /* FORMATTER_NUMBER_FORMATTER_H_ */
