#include "server/numbers/session.h"

#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"

namespace {

using Numbers = std::vector<uint32_t>;

// What became of a connection's bytes.
struct Outcome {
    Numbers numbers;
    line_parser_stop stop;
};
bool operator==(const Outcome &left, const Outcome &right) {
    return left.numbers == right.numbers && left.stop == right.stop;
}

class SessionTest : public testing::TestWithParam<size_t> {
  protected:
    SessionTest() {
        EXPECT_EQ(line_parser_select(&parser_, line_parser_supported_name(GetParam())),
                  LINE_PARSER_SELECTED);
    }

    // Receives the pieces one after the other, as far as the connection goes on.
    Outcome Receive(const std::vector<std::string_view> &pieces) const {
        session session;
        session_init(&session);
        Outcome outcome{{}, LINE_PARSER_NEEDS_MORE};
        for (const std::string_view piece : pieces) {
            if (outcome.stop != LINE_PARSER_NEEDS_MORE) {
                break;
            }
            std::vector<char> buffer(SESSION_HEADROOM_SIZE + piece.size(), '#');
            char *bytes = buffer.data() + SESSION_HEADROOM_SIZE;
            memcpy(bytes, piece.data(), piece.size());
            Numbers numbers((SESSION_HEADROOM_SIZE + piece.size()) / LINE_PARSER_LINE_SIZE +
                            LINE_PARSER_SLACK_COUNT);
            numbers.resize(session_receive(&session, &parser_, bytes, piece.size(), numbers.data(),
                                           &outcome.stop));
            outcome.numbers.insert(outcome.numbers.end(), numbers.begin(), numbers.end());
        }
        return outcome;
    }

    // Every way to cut the text in two and in three gives what it gives in one piece.
    void ExpectSameInPieces(std::string_view text, const Outcome &expected) const {
        EXPECT_TRUE(Receive({text}) == expected) << text;
        for (size_t first = 0; first <= text.size(); ++first) {
            ASSERT_TRUE(Receive({text.substr(0, first), text.substr(first)}) == expected)
                << text << " cut at " << first;
            for (size_t second = first; second <= text.size(); ++second) {
                ASSERT_TRUE(Receive({text.substr(0, first), text.substr(first, second - first),
                                     text.substr(second)}) == expected)
                    << text << " cut at " << first << " and " << second;
            }
        }
        std::vector<std::string_view> single_bytes;
        for (size_t index = 0; index < text.size(); ++index) {
            single_bytes.push_back(text.substr(index, 1));
        }
        EXPECT_TRUE(Receive(single_bytes) == expected) << text << " byte by byte";
    }

    line_parser parser_{};
};

INSTANTIATE_TEST_SUITE_P(Kernels, SessionTest,
                         testing::Range(size_t{0}, line_parser_supported_count()),
                         [](const testing::TestParamInfo<size_t> &information) {
                             return std::string(line_parser_supported_name(information.param));
                         });

TEST_P(SessionTest, ThreeLinesMeanTheSameHoweverTheyAreCut) {
    ExpectSameInPieces("000000000\n314159265\n999999999\n",
                       {{0, 314159265, 999999999}, LINE_PARSER_NEEDS_MORE});
}

TEST_P(SessionTest, TerminateMeansTheSameHoweverItIsCut) {
    ExpectSameInPieces("000000001\n000000002\nterminate\n", {{1, 2}, LINE_PARSER_TERMINATE});
    ExpectSameInPieces("000000001\nterminate\n000000002\n", {{1}, LINE_PARSER_TERMINATE});
}

TEST_P(SessionTest, ABadLineMeansTheSameHoweverItIsCut) {
    for (const char *bad : {"00000000x\n", "0000000000\n", "00000000\n", "\n", "\r\n", "terminated",
                            "termin8te\n", "00000 000\n", "-00000001\n"}) {
        ExpectSameInPieces(std::string("000000007\n") + bad + "000000008\n",
                           {{7}, LINE_PARSER_INVALID});
    }
}

TEST_P(SessionTest, AnUnfinishedLineIsNoNumber) {
    ExpectSameInPieces("000000001\n00000000", {{1}, LINE_PARSER_NEEDS_MORE});
    ExpectSameInPieces("terminate", {{}, LINE_PARSER_NEEDS_MORE});
    ExpectSameInPieces("", {{}, LINE_PARSER_NEEDS_MORE});
}

TEST_P(SessionTest, ManyLinesCutAnywhereLoseNothing) {
    std::string text;
    Numbers numbers;
    for (uint32_t number = 0; number < 500; ++number) {
        numbers.push_back(number * 1999999);
        char line[16];
        snprintf(line, sizeof line, "%09u\n", numbers.back());
        text += line;
    }
    for (size_t size = 1; size < 300; ++size) {
        std::vector<std::string_view> pieces;
        for (size_t at = 0; at < text.size(); at += size) {
            pieces.push_back(std::string_view(text).substr(at, size));
        }
        ASSERT_TRUE(Receive(pieces) == (Outcome{numbers, LINE_PARSER_NEEDS_MORE}))
            << "pieces of " << size;
    }
}

} // namespace
