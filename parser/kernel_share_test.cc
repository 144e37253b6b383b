// The fast kernels do the work themselves. They leave to the scalar kernel what they do not take,
// so one that took nothing would pass every other test: this one puts a fake in scalar's place.
#include <string>

#include "gtest/gtest.h"

#include "parser/line_kernel.h"
#include "parser/line_parser.h"

namespace {
size_t size_left_to_scalar = 0;
} // namespace

extern "C" size_t line_kernel_scalar(const char *, size_t size, uint32_t *) {
    size_left_to_scalar = size;
    return 0;
}

namespace {

constexpr size_t kLineCount = 1000;
// A block of the widest kernel, and the bytes behind it that a kernel may want to read at once.
constexpr size_t kLargestRest = 16 * LINE_PARSER_LINE_SIZE + 64;

TEST(KernelShareTest, OnlyARestIsLeftToScalar) {
    std::string text;
    uint32_t numbers[kLineCount + LINE_PARSER_SLACK_COUNT];
    for (size_t i = 0; i < kLineCount; i++) {
        text += std::to_string(i % 10) + "90817263\n";
    }
    for (size_t i = 1; i < line_parser_supported_count(); i++) {
        line_parser parser = {};
        const char *name = line_parser_supported_name(i);
        ASSERT_EQ(line_parser_select(&parser, name), LINE_PARSER_SELECTED);
        size_left_to_scalar = text.size();
        line_parser_parse(&parser, text.data(), text.size(), numbers);
        EXPECT_LT(size_left_to_scalar, kLargestRest) << name;
    }
}

} // namespace
