#include "bench/records/latencies.h"

#include <gtest/gtest.h>

namespace {

class LatenciesTest : public testing::Test {
  protected:
    LatenciesTest() {
        EXPECT_TRUE(latencies_init(&latencies_, 100));
    }
    ~LatenciesTest() override {
        latencies_destroy(&latencies_);
    }
    uint32_t Percentile(double percent) {
        latencies_sort(&latencies_);
        return latencies_percentile_us(&latencies_, percent);
    }
    latencies latencies_;
};

TEST_F(LatenciesTest, None) {
    EXPECT_EQ(Percentile(50), 0u);
}

TEST_F(LatenciesTest, One) {
    latencies_add(&latencies_, 7);
    for (double percent : {0.0, 0.1, 50.0, 99.9, 100.0}) {
        EXPECT_EQ(Percentile(percent), 7u);
    }
}

TEST_F(LatenciesTest, AHundredInAnyOrder) {
    for (int i = 0; i < 100; i++) {
        latencies_add(&latencies_, 1 + (i * 37) % 100);
    }
    EXPECT_EQ(Percentile(0), 1u);
    EXPECT_EQ(Percentile(1), 1u);
    EXPECT_EQ(Percentile(1.5), 2u);
    EXPECT_EQ(Percentile(50), 50u);
    EXPECT_EQ(Percentile(99), 99u);
    EXPECT_EQ(Percentile(99.9), 100u);
    EXPECT_EQ(Percentile(100), 100u);
}

TEST_F(LatenciesTest, MoreThanFitAndLongerThanFits) {
    latencies_add(&latencies_, int64_t{1} << 40);
    for (int i = 0; i < 200; i++) {
        latencies_add(&latencies_, 1);
    }
    EXPECT_EQ(latencies_.count, 100u);
    EXPECT_EQ(Percentile(100), UINT32_MAX);
}

} // namespace
