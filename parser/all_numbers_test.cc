// All 10^9 numbers through every kernel; under AddressSanitizer and ThreadSanitizer, which look for
// something else and slow this down tenfold and more, every 101st group of 10^5.
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "gtest/gtest.h"

#include "parser/line_parser.h"

namespace {

constexpr uint32_t kLowCount = 100000; // the last five digits
constexpr uint32_t kHighCount = 10000; // the first four
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SLOWED_DOWN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define IS_SLOWED_DOWN 1
#endif
#endif
#ifdef IS_SLOWED_DOWN
constexpr uint32_t kHighStep = 101;
#else
constexpr uint32_t kHighStep = 1;
#endif

// Lines whose last five digits count from 0 up; the first four are to be filled in.
std::string LowDigits() {
    std::string text;
    for (uint32_t low = 0; low < kLowCount; low++) {
        text += "0000" + std::to_string(kLowCount + low).substr(1) + "\n";
    }
    return text;
}

void FillHighDigits(std::string *text, uint32_t high) {
    const std::string digits = std::to_string(kHighCount + high).substr(1);
    for (size_t i = 0; i < text->size(); i += LINE_PARSER_LINE_SIZE) {
        std::memcpy(&(*text)[i], digits.data(), 4);
    }
}

uint32_t CountWrong(const std::vector<uint32_t> &numbers, uint32_t first) {
    uint32_t wrong_count = 0;
    for (uint32_t low = 0; low < kLowCount; low++) {
        wrong_count += numbers[low] != first + low ? 1 : 0;
    }
    return wrong_count;
}

TEST(AllNumbersTest, EveryKernelReadsEveryNumber) {
    std::string text = LowDigits();
    std::vector<uint32_t> numbers(kLowCount + LINE_PARSER_SLACK_COUNT);
    for (uint32_t high = 0; high < kHighCount; high += kHighStep) {
        FillHighDigits(&text, high);
        for (size_t i = 0; i < line_parser_supported_count(); i++) {
            line_parser parser = {};
            const char *name = line_parser_supported_name(i);
            ASSERT_EQ(line_parser_select(&parser, name), LINE_PARSER_SELECTED);
            std::memset(numbers.data(), 0xff, numbers.size() * sizeof numbers[0]);
            const line_parser_result result =
                line_parser_parse(&parser, text.data(), text.size(), numbers.data());
            ASSERT_EQ(result.number_count, kLowCount) << name << " " << high;
            ASSERT_EQ(CountWrong(numbers, high * kLowCount), 0u) << name << " " << high;
        }
    }
}

} // namespace
