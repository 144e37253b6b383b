// The tables and the plot of the end-to-end comparison.
//
// Threading: one thread.
#ifndef BENCH_NUMBERS_THROUGHPUT_REPORT_H_
#define BENCH_NUMBERS_THROUGHPUT_REPORT_H_

#include <string>
#include <vector>

#include "bench/numbers/throughput_round.h"

namespace bench {

// All rounds of one scenario.
struct Result {
    const Scenario *scenario;
    std::vector<std::array<Figures, kContenderCount>> rounds;
};

// What the machine can do in single stages, in numbers a second.
struct MachineLimits {
    double receive;
    double write_memory;
    double write_disk;
    double map_updates;
};

void PrintRound(const Result &result);
void PrintRatios(const std::vector<Result> &results);

// Where the server's CPU time goes, stage by stage, and its peak memory.
void PrintStages(const std::vector<Result> &results);

// Compares the limits with the median rate of one scenario.
void PrintLimits(const MachineLimits &limits, const Result &result);

// Throws std::system_error when the plot cannot be written there; asked before the rounds, which
// take minutes. A plot that is there stays as it is.
void CheckPlot(const std::string &path);

// `run` says how the rounds were made.
void DrawRatios(const std::string &path, const std::string &run,
                const std::vector<Result> &results);

} // namespace bench

#endif // BENCH_NUMBERS_THROUGHPUT_REPORT_H_
