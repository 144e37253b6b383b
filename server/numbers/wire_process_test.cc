// What the numbers server accepts on the wire, and what it rejects, tried on the running program.
// Every test runs with the kernel of the server's choice and with the scalar one.

#include <string>
#include <vector>

#include "server/numbers/numbers_process.h"
#include "gtest/gtest.h"

namespace harness {
namespace {

class WireTest : public testing::TestWithParam<const char *> {
  protected:
    static ProcessOptions Command() {
        ProcessOptions options = NumbersServerCommand({});
        if (*GetParam() != '\0') {
            options.environment["NUMBERS_PARSER_KERNEL"] = GetParam();
        }
        return options;
    }

    // Sends `bytes` on a connection of their own and leaves it open: the server alone ends it.
    Ending Provoke(const std::string &bytes) {
        TcpClient client = server_.Connect();
        client.Send(bytes);
        const Ending ending = client.WaitForEnding();
        EXPECT_EQ(client.received(), "");
        return ending;
    }

    NumbersServer server_{{}, Command()};
};

INSTANTIATE_TEST_SUITE_P(Kernels, WireTest, testing::Values("", "scalar"),
                         [](const testing::TestParamInfo<const char *> &information) {
                             return *information.param == '\0' ? "chosen" : information.param;
                         });

TEST_P(WireTest, ValidLinesAreLoggedWithLeadingZeros) {
    EXPECT_EQ(server_.Deliver("314159265\n007007009\n000000000\n999999999\n"), Ending::kFin);
    EXPECT_EQ(server_.Stop(), Exited(0));
    EXPECT_EQ(server_.Log(), (std::vector<std::uint32_t>{0, 7007009, 314159265, 999999999}));
}

TEST_P(WireTest, ConnectionWithoutABytesIsOrderly) {
    EXPECT_EQ(server_.Deliver(""), Ending::kFin);
    EXPECT_EQ(server_.Stop(), Exited(0));
    EXPECT_EQ(server_.Log(), NumberRange(0, 0));
}

TEST_P(WireTest, DuplicatesAreLoggedOnce) {
    EXPECT_EQ(server_.Deliver("000000001\n000000002\n000000001\n"), Ending::kFin);
    EXPECT_EQ(server_.Deliver("000000002\n000000003\n000000003\n"), Ending::kFin);
    EXPECT_EQ(server_.Stop(), Exited(0));
    EXPECT_EQ(server_.Log(), NumberRange(1, 3));
    EXPECT_EQ(SumReports(server_.Reports()), (Report{3, 3, 3}));
}

TEST_P(WireTest, WrongLineEndsTheConnectionAndKeepsWhatWasBefore) {
    using namespace std::string_literals;
    const std::vector<std::string> wrong_lines = {
        "900000000\r\n"s, // The newline of another platform.
        "\r\n"s,
        "\n"s,
        "90000000\n"s,
        "9000000000\n"s,
        "90000000000000000000\n"s,
        "90000000a\n"s,
        "a00000000\n"s,
        "9000 0000\n"s,
        " 900000000\n"s,
        "900000000 \n"s,
        "+90000000\n"s,
        "-90000000\n"s,
        "0x9000000\n"s,
        "9000.0000\n"s,
        "9000\0"
        "0000\n"s,
        "\0"s,
        "\xEF\xBB\xBF"
        "900000000\n"s,                            // A byte order mark.
        "\xEF\xBC\x99\xEF\xBC\x99\xEF\xBC\x99\n"s, // Three full-width digits: nine bytes.
        "9000000\xC3\xA9\n"s,
        "terminatex\n"s,
        "xterminate\n"s,
        " terminate\n"s,
        "terminate \n"s,
        "terminate\r\n"s,
        "terminateterminate\n"s,
        "terminat\n"s,
        "TERMINATE\n"s,
        "Terminate\n"s,
        "900000000terminate\n"s,
        "9terminate\n"s,
    };
    std::uint32_t number = 0;
    std::vector<std::uint32_t> expected;
    for (const std::string &wrong_line : wrong_lines) {
        SCOPED_TRACE(testing::PrintToString(wrong_line));
        expected.push_back(number);
        EXPECT_EQ(Provoke(NumberLine(number) + wrong_line + NumberLine(number + 1)),
                  Ending::kReset);
        number += 2;
    }
    EXPECT_EQ(server_.Stop(), Exited(0));
    EXPECT_EQ(server_.Log(), expected);
    EXPECT_EQ(SumReports(server_.Reports()), (Report{expected.size(), 0, expected.size()}));
}

// The connection ends at the first byte that makes the line wrong: no newline follows here, and
// the client keeps its side open.
TEST_P(WireTest, WrongByteIsDetectedAtEveryPosition) {
    for (const std::string line : {"123456789\n", "terminate\n"}) {
        for (size_t position = 0; position < line.size(); ++position) {
            for (unsigned value = 0; value < 256; ++value) {
                const char byte = static_cast<char>(value);
                const bool is_digit = byte >= '0' && byte <= '9';
                const bool is_right = byte == line[position] ||
                                      (is_digit && line[0] == '1' && position < 9) ||
                                      (position == 0 && (is_digit || byte == 't'));
                if (!is_right) {
                    ASSERT_EQ(Provoke(line.substr(0, position) + byte), Ending::kReset)
                        << "byte " << value << " at " << position << " of " << line;
                }
            }
        }
    }
    EXPECT_EQ(server_.Stop(), Exited(0));
    EXPECT_EQ(server_.Log(), NumberRange(0, 0));
}

TEST_P(WireTest, NothingAfterAWrongLineCountsInALargeBatch) {
    constexpr size_t kHalfCount = 100000;
    EXPECT_EQ(
        Provoke(NumberLines(0, kHalfCount) + "12345x\n" + NumberLines(kHalfCount, kHalfCount)),
        Ending::kReset);
    EXPECT_EQ(server_.Stop(), Exited(0));
    EXPECT_EQ(server_.Log(), NumberRange(0, kHalfCount));
}

// TCP's urgent byte is a byte of the stream like the others, wherever the server's reads cut it.
TEST_P(WireTest, UrgentByteIsPartOfTheStream) {
    for (const bool is_read_between : {false, true}) {
        for (const char urgent : {'X', '5'}) {
            const std::string first = NumberLine(is_read_between ? 1 : 0) + "1234";
            TcpClient client = server_.Connect();
            EXPECT_TRUE(client.Send(first));
            EXPECT_TRUE(!is_read_between || client.WaitUntilRead());
            EXPECT_TRUE(client.SendUrgent(urgent));
            EXPECT_TRUE(!is_read_between || client.WaitUntilRead());
            client.Send(urgent == 'X' ? "56789\n" : "6789\n");
            if (urgent == '5') {
                client.HalfClose();
            }
            EXPECT_EQ(client.WaitForEnding(), urgent == 'X' ? Ending::kReset : Ending::kFin);
        }
    }
    EXPECT_EQ(server_.Stop(), Exited(0));
    EXPECT_EQ(server_.Log(), (std::vector<std::uint32_t>{0, 1, 123456789}));
    EXPECT_EQ(SumReports(server_.Reports()), (Report{3, 3, 3}));
}

TEST_P(WireTest, PartialLineAtTheEndIsDiscarded) {
    std::uint32_t number = 0;
    for (const std::string line : {"987654321", "terminate"}) {
        for (size_t size = 1; size <= line.size(); ++size) {
            const std::string partial = line.substr(0, size);
            EXPECT_EQ(server_.Deliver(NumberLine(number++) + partial), Ending::kFin) << partial;
        }
    }
    // The partial "terminate" is no terminate: the server has gone on.
    EXPECT_EQ(server_.Deliver(NumberLine(number++)), Ending::kFin);
    EXPECT_EQ(server_.Stop(), Exited(0));
    EXPECT_EQ(server_.Log(), NumberRange(0, number));
}

// A piece is sent when the server has read the one before it, so that each arrives by itself.
class Splitter {
  public:
    explicit Splitter(const NumbersServer &server) : client_(server.Connect()) {}

    // Sends three fresh lines in pieces that end at the given offsets and at the end.
    void SendThreeLines(const std::vector<size_t> &cuts) {
        const std::string lines = NumberLines(next_number_, 3);
        next_number_ += 3;
        size_t begin = 0;
        for (const size_t cut : cuts) {
            SendPiece(lines.substr(begin, cut - begin));
            begin = cut;
        }
        SendPiece(lines.substr(begin));
    }

    Ending Finish() {
        client_.HalfClose();
        return client_.WaitForEnding();
    }

    std::uint32_t next_number() const {
        return next_number_;
    }

  private:
    void SendPiece(const std::string &piece) {
        ASSERT_TRUE(client_.Send(piece));
        ASSERT_TRUE(client_.WaitUntilRead());
    }

    TcpClient client_;
    std::uint32_t next_number_ = 0;
};

TEST_P(WireTest, LinesMayBeCutAnywhere) {
    constexpr size_t kTextSize = 3 * kLineSize;
    Splitter splitter(server_);
    size_t way_count = 0;
    for (size_t first = 1; first < kTextSize; ++first) {
        splitter.SendThreeLines({first});
        ++way_count;
        for (size_t second = first + 1; second < kTextSize; ++second) {
            splitter.SendThreeLines({first, second});
            ++way_count;
        }
        ASSERT_FALSE(HasFailure());
    }
    EXPECT_EQ(way_count, 29u + 406u);
    EXPECT_EQ(splitter.Finish(), Ending::kFin);
    EXPECT_EQ(server_.Stop(), Exited(0));
    EXPECT_EQ(server_.Log(), NumberRange(0, splitter.next_number()));
}

TEST_P(WireTest, LinesMayArriveByteByByte) {
    std::vector<size_t> every_offset;
    for (size_t offset = 1; offset < 3 * kLineSize; ++offset) {
        every_offset.push_back(offset);
    }
    Splitter splitter(server_);
    for (size_t round = 0; round < 10; ++round) {
        splitter.SendThreeLines(every_offset);
    }
    EXPECT_EQ(splitter.Finish(), Ending::kFin);
    EXPECT_EQ(server_.Stop(), Exited(0));
    EXPECT_EQ(server_.Log(), NumberRange(0, splitter.next_number()));
}

TEST_P(WireTest, WrongLineCutInPiecesIsRejected) {
    std::uint32_t number = 0;
    for (size_t cut = 1; cut < kLineSize; ++cut) {
        const std::string wrong_line = "98765432x\n";
        TcpClient client = server_.Connect();
        ASSERT_TRUE(client.Send(NumberLine(number++) + wrong_line.substr(0, cut)));
        ASSERT_TRUE(client.WaitUntilRead());
        client.Send(wrong_line.substr(cut));
        EXPECT_EQ(client.WaitForEnding(), Ending::kReset) << cut;
    }
    EXPECT_EQ(server_.Stop(), Exited(0));
    EXPECT_EQ(server_.Log(), NumberRange(0, number));
}

TEST_P(WireTest, MillionLinesInOneSend) {
    constexpr size_t kCount = 1000000;
    EXPECT_EQ(server_.Deliver(NumberLines(123456789, kCount)), Ending::kFin);
    EXPECT_EQ(server_.Stop(), Exited(0));
    EXPECT_EQ(server_.Log(), NumberRange(123456789, kCount));
    EXPECT_EQ(SumReports(server_.Reports()), (Report{kCount, 0, kCount}));
}

} // namespace
} // namespace harness
