#include "server/sessions/progress_bar.h"

#include <gtest/gtest.h>

#include <string>

namespace {

constexpr char kClear[] = PROGRESS_BAR_CLEAR;

// What stands on the line then.
std::string Bar(uint32_t done, uint32_t total, size_t column_count = 80) {
    char text[PROGRESS_BAR_TEXT_SIZE];
    progress_bar_write(done, total, column_count, text);
    const std::string line = text;
    EXPECT_EQ(line.find(kClear), 0u);
    return line.substr(sizeof kClear - 1);
}

TEST(ProgressBar, ShowsTheShare) {
    EXPECT_EQ(Bar(0, 10), "[" + std::string(40, '.') + "]   0 % (0/10)");
    EXPECT_EQ(Bar(5, 10), "[" + std::string(20, '#') + std::string(20, '.') + "]  50 % (5/10)");
    EXPECT_EQ(Bar(65534, 65535), "[" + std::string(39, '#') + ".]  99 % (65534/65535)");
    EXPECT_EQ(Bar(10, 10), "[" + std::string(40, '#') + "] 100 % (10/10)");
    EXPECT_EQ(Bar(0, 0), "[" + std::string(40, '#') + "] 100 % (0/0)");
}

TEST(ProgressBar, FitsItsText) {
    EXPECT_EQ(Bar(UINT32_MAX, UINT32_MAX),
              "[" + std::string(40, '#') + "] 100 % (4294967295/4294967295)");
}

TEST(ProgressBar, FitsItsLine) {
    EXPECT_EQ(Bar(5, 10, 40), "[" + std::string(12, '#') + std::string(12, '.') + "]  50 % (5/10)");
    EXPECT_EQ(Bar(5, 10, 21), "[##...]  50 % (5/10)");
    EXPECT_EQ(Bar(5, 10, 20), " 50 % (5/10)");
    EXPECT_EQ(Bar(5, 10, 13), " 50 % (5/10)");
    EXPECT_EQ(Bar(5, 10, 5), " 50 ");
    EXPECT_EQ(Bar(5, 10, 0), "");
    for (size_t column_count = 1; column_count < 100; column_count++) {
        EXPECT_LT(Bar(65534, 65535, column_count).size(), column_count);
    }
}

} // namespace
