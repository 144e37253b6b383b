#include "bench/records/comparison.h"

#include <cstdio>

#include "bench/measure.h"

namespace bench {

void Report(const std::string &what, int64_t count, const std::vector<double> &seconds,
            const std::string &beside, const std::vector<double> &beside_seconds) {
    std::vector<double> ratios;
    for (size_t round = 0; round < seconds.size(); round++) {
        ratios.push_back(beside_seconds[round] / seconds[round]);
    }
    const Spread spread = Summarize(ratios);
    const double rate = static_cast<double>(count) / Median(seconds);
    const double beside_rate = static_cast<double>(count) / Median(beside_seconds);
    std::printf("%-42s %8.0f a second (%9.0f a minute), %s %8.0f, ratio %.2f (%.2f to %.2f)\n",
                what.c_str(), rate, 60 * rate, beside.c_str(), beside_rate, rate / beside_rate,
                spread.least, spread.greatest);
    std::fflush(stdout);
}

void CompareByTurns(const std::string &what, int64_t count, int64_t round_count,
                    const std::function<double()> &time, const std::string &beside,
                    const std::function<double()> &time_beside) {
    std::vector<double> seconds, beside_seconds;
    for (int64_t round = 0; round < round_count; round++) {
        beside_seconds.push_back(time_beside());
        seconds.push_back(time());
    }
    Report(what, count, seconds, beside, beside_seconds);
}

} // namespace bench
