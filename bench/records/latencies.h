/*
 * How long things took: all durations, and the percentiles of them. Exact, because nothing is
 * rounded into buckets.
 *
 * Ownership: the structure owns its memory. Threading: one thread.
 */
#ifndef BENCH_RECORDS_LATENCIES_H_
#define BENCH_RECORDS_LATENCIES_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct latencies {
    uint32_t *durations_us;
    size_t count;
    size_t capacity;
};

/* Room for `capacity` durations. False: no memory. */
bool latencies_init(struct latencies *latencies, size_t capacity);
void latencies_destroy(struct latencies *latencies);

/* Adds a duration; more than fit are left out. One of more than 71 minutes counts as that. */
void latencies_add(struct latencies *latencies, int64_t duration_us);

/* Sorts what was added; before latencies_percentile_us, and again after another add. */
void latencies_sort(struct latencies *latencies);

/* The smallest duration that `percent` (0 to 100) of all do not exceed; 0 if there are none. 0 is
 * the shortest one, 100 the longest. (Nearest rank.) */
uint32_t latencies_percentile_us(const struct latencies *latencies, double percent);

#ifdef __cplusplus
}
#endif

#endif /* BENCH_RECORDS_LATENCIES_H_ */
