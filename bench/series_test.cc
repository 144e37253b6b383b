#include "bench/series.h"

#include <gtest/gtest.h>

namespace {

series Make(std::initializer_list<double> values) {
    series result = {};
    for (double value : values) {
        series_add(&result, value);
    }
    return result;
}

TEST(Series, MedianOfOddAndEvenCounts) {
    series odd = Make({3, 1, 2}), even = Make({4, 1, 3, 2}), one = Make({7});
    EXPECT_EQ(series_median(&odd), 2);
    EXPECT_EQ(series_median(&even), 2.5);
    EXPECT_EQ(series_median(&one), 7);
}

TEST(Series, LeastAndGreatestInAnyOrder) {
    for (series values : {Make({1, 5, 9}), Make({9, 5, 1}), Make({5, 9, 1})}) {
        EXPECT_EQ(series_min(&values), 1);
        EXPECT_EQ(series_max(&values), 9);
    }
}

TEST(Series, EmptyIsZeroAndFullStaysAsItIs) {
    series values = {};
    EXPECT_EQ(series_median(&values), 0);
    EXPECT_EQ(series_min(&values), 0);
    EXPECT_EQ(series_max(&values), 0);
    for (unsigned i = 0; i < SERIES_CAPACITY + 5; i++) {
        series_add(&values, i);
    }
    EXPECT_EQ(values.count, size_t{SERIES_CAPACITY});
    EXPECT_EQ(series_max(&values), SERIES_CAPACITY - 1);
}

} // namespace
