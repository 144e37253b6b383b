// Two ways to do the same thing, timed by turns: absolute figures belong to a machine, and what
// counts is the ratio of their medians. Behind it stand the lowest and the highest of the rounds'
// own ratios.
//
// Threading: stateless.
#ifndef BENCH_RECORDS_COMPARISON_H_
#define BENCH_RECORDS_COMPARISON_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "server/runtime/options.h"

namespace bench {

// How much is compared: the arguments [ROWS [ROUNDS]] of both programs.
struct Size {
    int64_t row_count;
    int64_t round_count;
};

// Judges the arguments behind the options, of which there may be `word_count_max`; those behind
// ROWS and ROUNDS are the caller's.
options_outcome TakeSize(const options &line, const std::vector<const char *> &words,
                         size_t word_count_max, int64_t row_count_min, Size *size);

// Prints the rates at which `count` things were done in the rounds, one line.
void Report(const std::string &what, int64_t count, const std::vector<double> &seconds,
            const std::string &beside, const std::vector<double> &beside_seconds);

// Times both in each round, the latter first, and reports. They return seconds.
void CompareByTurns(const std::string &what, int64_t count, int64_t round_count,
                    const std::function<double()> &time, const std::string &beside,
                    const std::function<double()> &time_beside);

} // namespace bench

#endif // BENCH_RECORDS_COMPARISON_H_
