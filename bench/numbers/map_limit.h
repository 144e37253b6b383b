// What this machine can do in the one stage of the server's work that waits for memory: the upper
// limit of any server on it that looks numbers up in a map of bits with one thread.
//
// Threading: one thread.
#ifndef BENCH_NUMBERS_MAP_LIMIT_H_
#define BENCH_NUMBERS_MAP_LIMIT_H_

#include <cstdint>

namespace bench {

// Sets so many pseudo-random bits in a map of 10^9 bits, with prefetching and huge pages where the
// kernel gives them. Result: updates a second. Throws std::bad_alloc.
double MeasureMapUpdates(std::uint32_t number_count);

} // namespace bench

#endif // BENCH_NUMBERS_MAP_LIMIT_H_
