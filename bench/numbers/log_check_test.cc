#include "bench/numbers/log_check.h"

#include <string>

#include <gtest/gtest.h>

namespace {

class LogCheck : public testing::Test {
  protected:
    LogCheck() {
        EXPECT_TRUE(log_check_open(&check_));
    }
    ~LogCheck() override {
        log_check_close(&check_);
    }
    void Take(const std::string &lines) {
        log_check_lines(&check_, lines.data(), lines.size() / 10);
    }
    log_check check_;
};

TEST_F(LogCheck, CountsGoodLines) {
    std::string lines;
    for (int number = 0; number < 1000; number++) {
        char line[16];
        snprintf(line, sizeof line, "%09d\n", number * 999999);
        lines += line;
    }
    Take(lines);
    Take("999999999\n");
    EXPECT_EQ(check_.line_count, 1001u);
    EXPECT_EQ(check_.duplicate_count, 0u);
    EXPECT_EQ(check_.malformed_count, 0u);
}

TEST_F(LogCheck, FindsDuplicatesWithinAndBetweenPieces) {
    Take("000000000\n000000001\n000000000\n");
    Take("000000001\n000000002\n");
    EXPECT_EQ(check_.line_count, 5u);
    EXPECT_EQ(check_.duplicate_count, 2u);
}

TEST_F(LogCheck, FindsAnyOtherByte) {
    for (size_t position = 0; position < 10; position++) {
        for (char byte : {'\0', '\n', ' ', '/', ':', 'a', '\x80', '\xff'}) {
            std::string line = "123456789\n";
            if (line[position] == byte) {
                continue;
            }
            line[position] = byte;
            uint64_t before = check_.malformed_count;
            Take(line);
            EXPECT_EQ(check_.malformed_count, before + 1) << position << " " << int(byte);
        }
    }
    EXPECT_EQ(check_.line_count, 0u);
}

} // namespace
