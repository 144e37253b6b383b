#include "server/runtime/http/rate_history.h"

#include <gtest/gtest.h>

namespace {

class RateHistory : public testing::Test {
  protected:
    RateHistory() {
        rate_history_init(&history_);
    }

    void Add(std::uint64_t first, std::uint64_t second, std::int64_t now_ms) {
        const std::uint64_t totals[STATUS_SERIES_COUNT] = {first, second};
        rate_history_add(&history_, totals, now_ms);
    }

    double Rate(size_t age, size_t series = 0) const {
        return rate_history_rate(&history_, age, series);
    }

    rate_history history_;
};

TEST_F(RateHistory, IsWhatCameInASecond) {
    Add(1000, 5, 50000);
    EXPECT_EQ(history_.count, 0u); /* what came before it began is nobody's rate */
    Add(1400, 5, 52000);
    Add(1400, 25, 54000);
    ASSERT_EQ(history_.count, 2u);
    EXPECT_EQ(Rate(1, 0), 200);
    EXPECT_EQ(Rate(1, 1), 0);
    EXPECT_EQ(Rate(0, 0), 0);
    EXPECT_EQ(Rate(0, 1), 10);
}

TEST_F(RateHistory, WaitsForAWholePeriod) {
    Add(0, 0, 0);
    Add(100, 0, RATE_HISTORY_PERIOD_MS - 1);
    EXPECT_EQ(history_.count, 0u);
    Add(400, 0, RATE_HISTORY_PERIOD_MS);
    EXPECT_EQ(Rate(0), 200);
}

TEST_F(RateHistory, SharesOutWhatCameInAPause) {
    Add(0, 0, 0);
    Add(800, 0, 4 * RATE_HISTORY_PERIOD_MS);
    ASSERT_EQ(history_.count, 4u);
    for (size_t age = 0; age < 4; age++) {
        EXPECT_EQ(Rate(age), 100);
    }
}

TEST_F(RateHistory, KeepsTenMinutes) {
    for (int point = 0; point <= RATE_HISTORY_CAPACITY + 5; point++) {
        Add(static_cast<std::uint64_t>(point) * static_cast<std::uint64_t>(point), 0,
            static_cast<std::int64_t>(point) * RATE_HISTORY_PERIOD_MS);
    }
    ASSERT_EQ(history_.count, static_cast<size_t>(RATE_HISTORY_CAPACITY));
    EXPECT_EQ(Rate(0), (2 * (RATE_HISTORY_CAPACITY + 5) - 1) / 2.0);
    EXPECT_EQ(Rate(RATE_HISTORY_CAPACITY - 1), (2 * 6 - 1) / 2.0);
    Add(1 << 20, 0, std::int64_t{1} << 40); /* a pause of years */
    EXPECT_EQ(history_.count, static_cast<size_t>(RATE_HISTORY_CAPACITY));
}

} // namespace
