// The whole exercise once: every one of the 10^9 numbers, in random order, over five connections;
// then the proof that the log holds each of them exactly once.
//
// Threading: one thread; the server is a child process that ends within the call.
#ifndef BENCH_NUMBERS_THROUGHPUT_UNIVERSE_H_
#define BENCH_NUMBERS_THROUGHPUT_UNIVERSE_H_

#include <string>

#include "bench/numbers/throughput_round.h"

namespace bench {

// Runs with the log on the disk or in memory, which needs 10 GB there, and prints the server's own
// reports, the figures and the verdict, and how fast the log is resumed. On the disk the server
// runs with --fsync=always, and beside the baseline past the page cache. Result: whether the log is
// right. The log is removed. Throws std::runtime_error when there is no verdict.
bool RunUniverse(const ThroughputSettings &settings, bool is_on_disk);

} // namespace bench

#endif // BENCH_NUMBERS_THROUGHPUT_UNIVERSE_H_
