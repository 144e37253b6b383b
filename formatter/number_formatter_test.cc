#include "formatter/number_formatter.h"

#include <cstdio>
#include <string>
#include <vector>

#include "gtest/gtest.h"

// The distance of the numbers of the strided test; all_numbers_test sets it to 1.
#ifndef STRIDE
#define STRIDE 97
#endif

namespace {

const uint32_t kNumberEnd = 1000000000;
const char kUntouched = '\x5a';

std::vector<std::string> SupportedKernels() {
    std::vector<std::string> names;
    for (size_t i = 0; i < number_formatter_supported_count(); i++) {
        names.push_back(number_formatter_supported_name(i));
    }
    return names;
}

class KernelTest : public testing::TestWithParam<std::string> {
  protected:
    void SetUp() override {
        ASSERT_EQ(number_formatter_select(&formatter_, GetParam().c_str()),
                  NUMBER_FORMATTER_SELECTED);
    }

    std::string Format(const std::vector<uint32_t> &numbers) const {
        std::string lines(numbers.size() * NUMBER_FORMATTER_LINE_SIZE + NUMBER_FORMATTER_SLACK_SIZE,
                          kUntouched);
        const size_t size =
            number_formatter_format(&formatter_, numbers.data(), numbers.size(), &lines[0]);
        EXPECT_EQ(size, numbers.size() * NUMBER_FORMATTER_LINE_SIZE);
        lines.resize(size);
        return lines;
    }

    number_formatter formatter_;
};

std::string Expected(const std::vector<uint32_t> &numbers) {
    std::string lines;
    for (uint32_t number : numbers) {
        char line[16];
        snprintf(line, sizeof line, "%09u\n", number);
        lines += line;
    }
    return lines;
}

TEST_P(KernelTest, FormatsNothing) {
    EXPECT_EQ(Format({}), "");
}

TEST_P(KernelTest, FormatsTheBoundaries) {
    EXPECT_EQ(Format({0, 999999999}), "000000000\n999999999\n");
    EXPECT_EQ(Format({123456789}), "123456789\n");
}

// Every digit's carry: 10^k - 1, 10^k, 10^k + 1 and the multiples of 10^k.
TEST_P(KernelTest, FormatsPowersOfTen) {
    std::vector<uint32_t> numbers;
    for (uint32_t power = 1; power < kNumberEnd; power *= 10) {
        for (uint32_t factor = 1; factor <= 9; factor++) {
            for (uint32_t number = power * factor - 1; number <= power * factor + 1; number++)
                numbers.push_back(number);
        }
    }
    EXPECT_EQ(Format(numbers), Expected(numbers));
}

// Every count around the kernels' vector lengths, so that each way through a tail is taken.
TEST_P(KernelTest, FormatsEveryCount) {
    for (size_t count = 0; count <= 200; count++) {
        std::vector<uint32_t> numbers;
        for (size_t i = 0; i < count; i++)
            numbers.push_back(uint32_t((i * 2654435761u + count) % kNumberEnd));
        EXPECT_EQ(Format(numbers), Expected(numbers)) << count;
    }
}

TEST_P(KernelTest, WritesAtMostTheSlack) {
    for (size_t count = 0; count <= 100; count++) {
        const std::vector<uint32_t> numbers(count, 987654321);
        const size_t size = count * NUMBER_FORMATTER_LINE_SIZE + NUMBER_FORMATTER_SLACK_SIZE;
        std::string lines(size + 64, kUntouched);
        number_formatter_format(&formatter_, numbers.data(), count, &lines[0]);
        EXPECT_EQ(lines.substr(size), std::string(64, kUntouched)) << count;
    }
}

TEST_P(KernelTest, FormatsAStrideThroughAllNumbers) {
    number_formatter scalar;
    ASSERT_EQ(number_formatter_select(&scalar, "scalar"), NUMBER_FORMATTER_SELECTED);
    const size_t block = 4096;
    std::vector<uint32_t> numbers;
    std::string expected(block * NUMBER_FORMATTER_LINE_SIZE + NUMBER_FORMATTER_SLACK_SIZE, '\0');
    for (uint32_t number = 0; number < kNumberEnd; number += STRIDE) {
        numbers.push_back(number);
        if (numbers.size() < block && number + STRIDE < kNumberEnd)
            continue;
        const size_t size =
            number_formatter_format(&scalar, numbers.data(), numbers.size(), &expected[0]);
        const std::string lines = Format(numbers);
        ASSERT_EQ(lines.compare(0, std::string::npos, expected, 0, size), 0)
            << "in the block that ends at " << number;
        numbers.clear();
    }
}

INSTANTIATE_TEST_SUITE_P(All, KernelTest, testing::ValuesIn(SupportedKernels()),
                         [](const testing::TestParamInfo<std::string> &kernel) {
                             return kernel.param;
                         });

TEST(SelectTest, TakesTheBestSupportedKernelByDefault) {
    number_formatter formatter;
    ASSERT_EQ(number_formatter_select(&formatter, nullptr), NUMBER_FORMATTER_SELECTED);
    EXPECT_EQ(SupportedKernels().back(), number_formatter_kernel_name(&formatter));
}

TEST(SelectTest, RefusesAnUnknownNameAndKeepsTheFormatter) {
    number_formatter formatter;
    ASSERT_EQ(number_formatter_select(&formatter, "scalar"), NUMBER_FORMATTER_SELECTED);
    EXPECT_EQ(number_formatter_select(&formatter, "abacus"), NUMBER_FORMATTER_KERNEL_UNKNOWN);
    EXPECT_STREQ(number_formatter_kernel_name(&formatter), "scalar");
}

TEST(SelectTest, NamesTheScalarKernelFirstAndEndsWithNull) {
    EXPECT_STREQ(number_formatter_supported_name(0), "scalar");
    EXPECT_EQ(number_formatter_supported_name(number_formatter_supported_count()), nullptr);
}

} // namespace
