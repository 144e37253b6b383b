/*
 * The whole exercise once: every one of the 10^9 numbers, in random order, over five connections;
 * then the proof that the log holds each of them exactly once.
 *
 * Threading: one thread; the server is a child process that ends within the call.
 */
#ifndef BENCH_NUMBERS_THROUGHPUT_UNIVERSE_H_
#define BENCH_NUMBERS_THROUGHPUT_UNIVERSE_H_

#include <stdbool.h>
#include <stdint.h>

#include "bench/numbers/throughput_round.h"

/*
 * Runs with the log in the given directory, which needs 10 GB, and prints the server's own reports,
 * the figures and the verdict on standard output. Returns whether the log is right. The log is
 * removed.
 */
bool throughput_universe_run(const struct throughput_settings *settings, const char *directory,
                             uint64_t seed);

#endif /* BENCH_NUMBERS_THROUGHPUT_UNIVERSE_H_ */
