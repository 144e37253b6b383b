/*
 * What this machine can do in single stages, without the other stages: the upper limits of any
 * server on it. Numbers a second, so that they compare with a server's throughput.
 *
 * Threading: one thread each.
 */
#ifndef BENCH_NUMBERS_MACHINE_LIMITS_H_
#define BENCH_NUMBERS_MACHINE_LIMITS_H_

#include <stdint.h>

/*
 * Writes number_count lines from memory to a new file at path, in large pieces. The
 * file stays. Returns lines a second, or 0 after a message on standard error.
 */
double machine_limit_write(const char *path, uint32_t number_count);

/*
 * Sets number_count pseudo-random bits in a map of 10^9 bits, with prefetching and huge pages where
 * the kernel gives them. Returns updates a second, or 0 after a message on standard error.
 */
double machine_limit_map_updates(uint32_t number_count);

#endif /* BENCH_NUMBERS_MACHINE_LIMITS_H_ */
