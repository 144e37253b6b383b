#include "server/numbers/number_log.h"

#include <algorithm>
#include <exception>
#include <numeric>

#include "testing/files.h"
#include "gtest/gtest.h"

namespace harness {
namespace {

constexpr size_t kDigitCount = kLineSize - 1;

void AppendLine(std::uint32_t number, std::string *text) {
    char digits[kLineSize];
    digits[kDigitCount] = '\n';
    for (size_t index = kDigitCount; index-- > 0;) {
        digits[index] = static_cast<char>('0' + number % 10);
        number /= 10;
    }
    text->append(digits, kLineSize);
}

// The number of a whole line, or false.
bool ParseLine(std::string_view line, std::uint32_t *number) {
    std::uint32_t value = 0;
    for (size_t index = 0; index < kDigitCount; ++index) {
        const char digit = line[index];
        if (digit < '0' || digit > '9') {
            return false;
        }
        value = value * 10 + static_cast<std::uint32_t>(digit - '0');
    }
    *number = value;
    return line[kDigitCount] == '\n';
}

} // namespace

std::string NumberLine(std::uint32_t number) {
    return NumberLines(number, 1);
}

std::string NumberLines(std::uint32_t first, size_t count) {
    std::string text;
    text.reserve(count * kLineSize);
    for (size_t index = 0; index < count; ++index) {
        AppendLine(first + static_cast<std::uint32_t>(index), &text);
    }
    return text;
}

NumberLog ParseNumberLog(std::string_view content) {
    NumberLog log;
    log.numbers.reserve(content.size() / kLineSize);
    for (size_t offset = 0; offset < content.size(); offset += kLineSize) {
        const std::string_view line = content.substr(offset, kLineSize);
        std::uint32_t number = 0;
        if (line.size() < kLineSize || !ParseLine(line, &number)) {
            log.problem = "line " + std::to_string(offset / kLineSize + 1) +
                          " is not nine digits and a newline: \"" + std::string(line) + "\"";
            break;
        }
        log.numbers.push_back(number);
    }
    std::sort(log.numbers.begin(), log.numbers.end());
    const auto twice = std::adjacent_find(log.numbers.begin(), log.numbers.end());
    if (log.problem.empty() && twice != log.numbers.end()) {
        log.problem = std::to_string(*twice) + " is there more than once";
    }
    return log;
}

std::vector<std::uint32_t> ReadNumberLog(const std::string &path) {
    try {
        NumberLog log = ParseNumberLog(ReadFile(path));
        EXPECT_EQ(log.problem, "") << path;
        return std::move(log.numbers);
    } catch (const std::exception &error) {
        ADD_FAILURE() << error.what();
        return {};
    }
}

std::vector<std::uint32_t> NumberRange(std::uint32_t first, size_t count) {
    std::vector<std::uint32_t> numbers(count);
    std::iota(numbers.begin(), numbers.end(), first);
    return numbers;
}

} // namespace harness
