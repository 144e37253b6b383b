#include "bench/percentile.h"

#include <gtest/gtest.h>

#include <vector>

namespace {

double Percentile(std::vector<double> values, double percent) {
    percentile_sort(values.data(), values.size());
    return percentile_of(values.data(), values.size(), percent);
}

TEST(Percentile, OfNoneAndOfOne) {
    EXPECT_EQ(Percentile({}, 50), 0);
    for (double percent : {0.0, 0.1, 50.0, 99.9, 100.0}) {
        EXPECT_EQ(Percentile({7}, percent), 7);
    }
}

TEST(Percentile, OfAHundredInAnyOrder) {
    std::vector<double> values;
    for (int i = 0; i < 100; i++) {
        values.push_back(1 + (i * 37) % 100);
    }
    EXPECT_EQ(Percentile(values, 0), 1);
    EXPECT_EQ(Percentile(values, 1), 1);
    EXPECT_EQ(Percentile(values, 1.5), 2);
    EXPECT_EQ(Percentile(values, 50), 50);
    EXPECT_EQ(Percentile(values, 99), 99);
    EXPECT_EQ(Percentile(values, 99.9), 100);
    EXPECT_EQ(Percentile(values, 100), 100);
}

TEST(Percentile, MedianOfOddAndEvenCounts) {
    EXPECT_EQ(Percentile({3, 1, 2}, 50), 2);
    EXPECT_EQ(Percentile({4, 1, 3, 2}, 50), 2);
}

} // namespace
