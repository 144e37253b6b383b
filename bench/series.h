/*
 * The figures of several rounds of one measurement: median, least and greatest.
 *
 * Ownership: a plain value. Threading: pure functions.
 */
#ifndef BENCH_SERIES_H_
#define BENCH_SERIES_H_

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SERIES_CAPACITY 101u

struct series {
    double values[SERIES_CAPACITY]; /* in ascending order */
    size_t count;
};

/* Adds a value in its place. A full series ignores it: rounds are limited to SERIES_CAPACITY. */
void series_add(struct series *series, double value);

/* The middle value, or the mean of the two middle ones; 0 for an empty series. */
double series_median(const struct series *series);
double series_min(const struct series *series);
double series_max(const struct series *series);

#ifdef __cplusplus
}
#endif

#endif /* BENCH_SERIES_H_ */
