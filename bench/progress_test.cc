#include "bench/progress.h"

#include <string>

#include <gtest/gtest.h>

namespace {

std::string Line(uint64_t done, uint64_t total, double seconds, const char *label = "sent") {
    char line[PROGRESS_LINE_CAPACITY];
    progress_format_line(line, label, done, total, seconds);
    return line;
}

TEST(Progress, ShowsShareRateAndTimeLeft) {
    EXPECT_EQ(Line(0, 100, 0), "sent [..............................]   0 %  0.0 /s  0 s left");
    EXPECT_EQ(Line(50, 100, 5), "sent [###############...............]  50 %  10.0 /s  5 s left");
    EXPECT_EQ(Line(1000000, 1000000, 0.5),
              "sent [##############################] 100 %  2.0 M/s  0 s left");
}

TEST(Progress, WithoutATotalShowsTheCount) {
    EXPECT_EQ(Line(1500, 0, 1), "sent 1500  1.5 k/s");
}

TEST(Progress, NeverOverrunsItsBufferOrItsBar) {
    EXPECT_EQ(Line(200, 100, 1).find("100 %"), Line(100, 100, 1).find("100 %"));
    std::string longest = Line(UINT64_MAX, UINT64_MAX, 1e-9, std::string(500, 'x').c_str());
    EXPECT_LT(longest.size(), size_t{PROGRESS_LINE_CAPACITY} - 1);
}

TEST(Progress, StaysSilentWhenNotWanted) {
    progress bar;
    progress_start(&bar, "sent", 10, false);
    testing::internal::CaptureStderr();
    progress_update(&bar, 5);
    progress_finish(&bar);
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

} // namespace
