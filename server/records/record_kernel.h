/*
 * Many records of one pattern at a time: bytes of a sender in, lines for the store out.
 *
 * What is accepted, record_object.h accepts with the same result; at whatever they are not sure of
 * the kernels stop. The tests and the fuzzer compare.
 *
 * Threading: pure. The caller makes sure that the CPU runs the kernel.
 */
#ifndef SERVER_RECORDS_RECORD_KERNEL_H_
#define SERVER_RECORDS_RECORD_KERNEL_H_

#include <stddef.h>

#include "server/records/record_lines.h"
#include "server/records/record_pattern.h"

#ifdef __cplusplus
extern "C" {
#endif

struct record_kernel_limits {
    size_t record_size_max; /* bytes from '{' to '}' and the space behind it */
    size_t text_size_max;   /* bytes in one text */
};

/* Reads records of the pattern, which must have been learned, from the front of `data[0..size)` and
 * appends them to `lines` until there is no room, or no such record that is whole, or it is too
 * near to the end of the data. Returns how many bytes they take. Bytes behind the lines, as far as
 * there is room, may be overwritten. */
typedef size_t record_kernel_function(const struct record_pattern *pattern,
                                      const struct record_kernel_limits *limits, const char *data,
                                      size_t size, struct record_lines *lines);

record_kernel_function record_kernel_portable;

/* x86-64: AVX2 with BMI 1 and 2 and POPCNT, and AVX-512 F and BW with the same. */
record_kernel_function record_kernel_avx2;
record_kernel_function record_kernel_avx512bw;

struct record_kernel {
    const char *name;
    record_kernel_function *run;
};

/* How many kernels this CPU runs: at least one. */
size_t record_kernel_count(void);

/* A kernel that this CPU runs, from "portable" (index 0) to the best (count - 1). */
const struct record_kernel *record_kernel_get(size_t index);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RECORDS_RECORD_KERNEL_H_ */
