#include "bench/records/comparison.h"

#include <cinttypes>
#include <cstdio>

#include "bench/measure.h"

namespace bench {
namespace {

constexpr int64_t kRowCountMax = 100 * 1000 * 1000;
constexpr int64_t kRoundCountMax = 1000;

bool TakeNumber(const options &line, const char *name, const char *text, int64_t lowest,
                int64_t highest, int64_t *number) {
    const bool is_good = options_read_number(text, lowest, highest, number);
    if (!is_good) {
        options_complain(&line, "%s is a number from %" PRId64 " to %" PRId64 ", not '%s'", name,
                         lowest, highest, text);
    }
    return is_good;
}

} // namespace

options_outcome TakeSize(const options &line, const std::vector<const char *> &words,
                         size_t word_count_max, int64_t row_count_min, Size *size) {
    if (words.size() > word_count_max) {
        options_complain(&line, "unexpected argument '%s'", words[word_count_max]);
        return OPTIONS_INVALID;
    }
    const bool are_good = (words.size() < 1 || TakeNumber(line, "ROWS", words[0], row_count_min,
                                                          kRowCountMax, &size->row_count)) &&
                          (words.size() < 2 || TakeNumber(line, "ROUNDS", words[1], 1,
                                                          kRoundCountMax, &size->round_count));
    return are_good ? OPTIONS_RUN : OPTIONS_INVALID;
}

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
