#include "server/sequence/progress_bar.h"

#include <gtest/gtest.h>

#include <string>

namespace {

std::string Bar(uint32_t done, uint32_t total) {
    char text[PROGRESS_BAR_TEXT_SIZE];
    progress_bar_write(done, total, text);
    return text;
}

TEST(ProgressBar, ShowsTheShare) {
    EXPECT_EQ(Bar(0, 10), "\r[" + std::string(40, '.') + "]   0 % (0/10)");
    EXPECT_EQ(Bar(5, 10), "\r[" + std::string(20, '#') + std::string(20, '.') + "]  50 % (5/10)");
    EXPECT_EQ(Bar(65534, 65535), "\r[" + std::string(39, '#') + ".]  99 % (65534/65535)");
    EXPECT_EQ(Bar(10, 10), "\r[" + std::string(40, '#') + "] 100 % (10/10)");
    EXPECT_EQ(Bar(0, 0), "\r[" + std::string(40, '#') + "] 100 % (0/0)");
}

TEST(ProgressBar, FitsItsText) {
    EXPECT_EQ(Bar(UINT32_MAX, UINT32_MAX),
              "\r[" + std::string(40, '#') + "] 100 % (4294967295/4294967295)");
}

} // namespace
