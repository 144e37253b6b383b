#include "server/numbers/number_log.h"

#include "gtest/gtest.h"

namespace harness {
namespace {

using Numbers = std::vector<std::uint32_t>;

TEST(NumberLineTest, HasLeadingZeros) {
    EXPECT_EQ(NumberLine(0), "000000000\n");
    EXPECT_EQ(NumberLine(7007009), "007007009\n");
    EXPECT_EQ(NumberLine(999999999), "999999999\n");
    EXPECT_EQ(NumberLines(9, 2), "000000009\n000000010\n");
}

TEST(ParseNumberLogTest, SortsWholeLines) {
    const NumberLog log = ParseNumberLog("314159265\n000000000\n007007009\n");
    EXPECT_EQ(log.problem, "");
    EXPECT_EQ(log.numbers, (Numbers{0, 7007009, 314159265}));
    EXPECT_EQ(ParseNumberLog("").problem, "");
}

TEST(ParseNumberLogTest, NamesTheFault) {
    for (const char *content : {"000000001\n00000000", "000000001\n000000002", "000000001\n\n",
                                "000000001\n00000002\n000000003\n", "000000001\n0000000002\n",
                                "000000001\n00000000x\n", "000000001\n000000002\r\n"}) {
        EXPECT_NE(ParseNumberLog(content).problem.find("line 2 "), std::string::npos) << content;
    }
    EXPECT_EQ(ParseNumberLog("000000005\n000000001\n000000005\n").problem,
              "5 is there more than once");
}

} // namespace
} // namespace harness
