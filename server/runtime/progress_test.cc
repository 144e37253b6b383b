#include "server/runtime/progress.h"

#include <cstdint>
#include <string>
#include <vector>

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

// Whether progress that began at 0 is shown at each of these seconds.
std::vector<bool> Shown(bool is_terminal, const std::vector<double> &seconds) {
    progress shown = {};
    shown.is_terminal = is_terminal;
    std::vector<bool> result;
    for (const double second : seconds) {
        result.push_back(progress_is_due(&shown, static_cast<std::int64_t>(second * 1e9)));
    }
    return result;
}

TEST(Progress, IsABarOnATerminalAndALineEveryTenSecondsElsewhere) {
    EXPECT_EQ(Shown(true, {0.05, 0.1, 0.15, 0.2}), (std::vector<bool>{false, true, false, true}));
    EXPECT_EQ(Shown(false, {0.1, 9.9, 10, 19.9, 20}),
              (std::vector<bool>{false, false, true, false, true}));
}

TEST(Progress, IsALineWithoutControlsWhereStandardErrorIsNoTerminal) {
    testing::internal::CaptureStderr();
    progress shown;
    progress_start(&shown, "sent", 10, true);
    progress_update(&shown, 5);
    shown.last_draw_ns -= std::int64_t{10} * 1000 * 1000 * 1000;
    progress_update(&shown, 5);
    progress_finish(&shown);
    const std::string text = testing::internal::GetCapturedStderr();
    EXPECT_EQ(text.compare(0, 7, "sent [#"), 0) << text;
    EXPECT_EQ(text.find('\n'), text.size() - 1);
    EXPECT_EQ(text.find('\r'), std::string::npos);
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
