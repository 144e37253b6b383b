// The contract of the parser, example by example, for every kernel that this CPU runs.
#include "parser/line_parser.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace {

struct Parsed {
    line_parser_result result;
    std::vector<uint32_t> numbers;
};

class LineParserTest : public testing::TestWithParam<std::string> {
  protected:
    void SetUp() override {
        ASSERT_EQ(line_parser_select(&parser_, GetParam().c_str()), LINE_PARSER_SELECTED);
    }

    Parsed Parse(const std::string &text) const {
        Parsed parsed;
        parsed.numbers.resize(text.size() / LINE_PARSER_LINE_SIZE + LINE_PARSER_SLACK_COUNT);
        parsed.result =
            line_parser_parse(&parser_, text.data(), text.size(), parsed.numbers.data());
        parsed.numbers.resize(parsed.result.number_count);
        return parsed;
    }

    void Expect(const std::string &text, line_parser_stop stop, size_t consumed_size,
                const std::vector<uint32_t> &numbers) const {
        const Parsed parsed = Parse(text);
        EXPECT_EQ(parsed.result.stop, stop) << text;
        EXPECT_EQ(parsed.result.consumed_size, consumed_size) << text;
        EXPECT_EQ(parsed.numbers, numbers) << text;
    }

    line_parser parser_ = {};
};

TEST_P(LineParserTest, KnowsItsName) {
    EXPECT_EQ(line_parser_kernel_name(&parser_), GetParam());
}

TEST_P(LineParserTest, AcceptsAnEmptyBuffer) {
    uint32_t numbers[LINE_PARSER_SLACK_COUNT];
    const line_parser_result result = line_parser_parse(&parser_, nullptr, 0, numbers);
    EXPECT_EQ(result.stop, LINE_PARSER_NEEDS_MORE);
    EXPECT_EQ(result.consumed_size, 0u);
    EXPECT_EQ(result.number_count, 0u);
}

TEST_P(LineParserTest, ReadsNumbersInOrder) {
    Expect("000000000\n", LINE_PARSER_NEEDS_MORE, 10, {0});
    Expect("999999999\n123456789\n000000001\n", LINE_PARSER_NEEDS_MORE, 30,
           {999999999, 123456789, 1});
}

TEST_P(LineParserTest, LeavesAPrefixOfALine) {
    const std::string digits = "123456789\n";
    const std::string terminate = "terminate\n";
    for (size_t size = 0; size < LINE_PARSER_LINE_SIZE; size++) {
        Expect(digits.substr(0, size), LINE_PARSER_NEEDS_MORE, 0, {});
        Expect(terminate.substr(0, size), LINE_PARSER_NEEDS_MORE, 0, {});
        Expect("000000007\n" + digits.substr(0, size), LINE_PARSER_NEEDS_MORE, 10, {7});
        Expect("000000007\n" + terminate.substr(0, size), LINE_PARSER_NEEDS_MORE, 10, {7});
    }
}

TEST_P(LineParserTest, StopsBehindTerminate) {
    Expect("terminate\n", LINE_PARSER_TERMINATE, 10, {});
    Expect("000000007\nterminate\n", LINE_PARSER_TERMINATE, 20, {7});
    Expect("000000007\nterminate\n000000008\n", LINE_PARSER_TERMINATE, 20, {7});
    Expect("terminate\nterminate\n", LINE_PARSER_TERMINATE, 10, {});
}

TEST_P(LineParserTest, RefusesWhatCanNeverBecomeALine) {
    const std::vector<std::string> lines = {
        "12a",
        "1234567890",
        "12345678\n",
        "123456789\r\n",
        "\r\n",
        "\n",
        "terminatex",
        "xterminate",
        "terminatE",
        "terminate\r\n",
        "terminate \n",
        " 12345678",
        "+12345678",
        "-12345678",
        "1234 5678",
        "12345678t",
        "t12345678",
        "term\n",
        "terminate1",
        "Terminate\n",
        "12345678/\n",
        "12345678:\n",
        "/",
        ":",
        "\xb1"
        "2345",
        "\xff",
        "\x80",
        "123456789 ",
        "termi1",
        "1t",
    };
    for (const std::string &line : lines) {
        Expect(line, LINE_PARSER_INVALID, 0, {});
        Expect("000000007\n" + line, LINE_PARSER_INVALID, 10, {7});
        Expect("000000007\n" + line + "000000008\n", LINE_PARSER_INVALID, 10, {7});
    }
    Expect(std::string(1, '\0'), LINE_PARSER_INVALID, 0, {});
}

std::vector<std::string> SupportedKernels() {
    std::vector<std::string> names;
    for (size_t i = 0; i < line_parser_supported_count(); i++) {
        names.push_back(line_parser_supported_name(i));
    }
    return names;
}

INSTANTIATE_TEST_SUITE_P(Kernels, LineParserTest, testing::ValuesIn(SupportedKernels()),
                         [](const auto &test) { return test.param; });

TEST(LineParserSelectTest, TakesTheBestWithoutAName) {
    line_parser parser = {};
    ASSERT_EQ(line_parser_select(&parser, nullptr), LINE_PARSER_SELECTED);
    EXPECT_STREQ(line_parser_kernel_name(&parser),
                 line_parser_supported_name(line_parser_supported_count() - 1));
}

TEST(LineParserSelectTest, RefusesAnUnknownNameAndKeepsTheParser) {
    line_parser parser = {};
    ASSERT_EQ(line_parser_select(&parser, "scalar"), LINE_PARSER_SELECTED);
    for (const char *name : {"", "SCALAR", "scalar2", "mmx"}) {
        EXPECT_EQ(line_parser_select(&parser, name), LINE_PARSER_KERNEL_UNKNOWN) << name;
    }
    EXPECT_STREQ(line_parser_kernel_name(&parser), "scalar");
}

TEST(LineParserSelectTest, NamesEndWhereTheyEnd) {
    EXPECT_STREQ(line_parser_supported_name(0), "scalar");
    EXPECT_EQ(line_parser_supported_name(line_parser_supported_count()), nullptr);
}

} // namespace
