/*
 * The percentiles of a handful or of millions of figures. Exact: nothing is rounded into buckets.
 *
 * Ownership: borrows the figures. Threading: pure functions.
 */
#ifndef BENCH_PERCENTILE_H_
#define BENCH_PERCENTILE_H_

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Sorts the figures, ascending: percentile_of asks for it. */
void percentile_sort(double *values, size_t count);

/* The smallest of the sorted figures that `percent` (0 to 100) of all do not exceed (nearest rank):
 * 0 is the least one, 50 the median, 100 the greatest. 0 if there are none. */
double percentile_of(const double *values, size_t count, double percent);

#ifdef __cplusplus
}
#endif

#endif /* BENCH_PERCENTILE_H_ */
