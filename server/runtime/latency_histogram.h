/*
 * How long something took, counted in buckets whose bounds grow by powers of ten with two steps
 * between: from 100 µs to 50 s, and beyond.
 *
 * Threading: any thread may add and read. Who reads meanwhile may miss a little of one of the
 * fields, and has it the next time.
 */
#ifndef SERVER_RUNTIME_LATENCY_HISTOGRAM_H_
#define SERVER_RUNTIME_LATENCY_HISTOGRAM_H_

#include <stddef.h>
#include <stdint.h>

#include "server/runtime/atomics.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { LATENCY_BUCKET_COUNT = 18 }; /* the last one has no bound */

struct latency_histogram {
    ATOMIC_FIELD(uint64_t) counts[LATENCY_BUCKET_COUNT]; /* each for itself, not cumulative */
    ATOMIC_FIELD(uint64_t) sum_us;
};

/* The upper bound of a bucket but the last, itself included, in microseconds. */
int64_t latency_bucket_bound_us(size_t bucket_index);

/* Counts one that took so long. A negative duration counts as none. */
void latency_histogram_add(struct latency_histogram *histogram, int64_t duration_us);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RUNTIME_LATENCY_HISTOGRAM_H_ */
