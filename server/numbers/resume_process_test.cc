// --resume: going on with the log of an earlier run.

#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include "server/numbers/numbers_process.h"
#include "gtest/gtest.h"

namespace harness {
namespace {

class ResumeTest : public testing::Test {
  protected:
    // A server that goes on with the log of this test.
    std::unique_ptr<NumbersServer> Resume() const {
        return std::make_unique<NumbersServer>(
            std::vector<std::string>{"--log=" + path_, "--resume"});
    }

    const TemporaryDirectory directory_;
    const std::string path_ = directory_.File("kept.log");
};

TEST_F(ResumeTest, NumbersOfTheLogCountAsSeen) {
    WriteFile(path_, NumberLines(100, 1000));
    const std::unique_ptr<NumbersServer> server = Resume();
    EXPECT_EQ(server->Deliver(NumberLines(1000, 200)), Ending::kFin);
    EXPECT_EQ(server->Stop(), Exited(0));
    EXPECT_EQ(ReadNumberLog(path_), NumberRange(100, 1100));
    const Report sum = SumReports(server->Reports());
    EXPECT_EQ(sum.unique_count, 100u);
    EXPECT_EQ(sum.duplicate_count, 100u);
}

TEST_F(ResumeTest, KeepsTheLogWhenNothingComes) {
    const std::string content = NumberLines(5, 100000);
    WriteFile(path_, content);
    EXPECT_EQ(Resume()->Stop(), Exited(0));
    EXPECT_EQ(ReadFile(path_), content);
}

TEST_F(ResumeTest, GoesOnAfterKill) {
    std::uint32_t number = 0;
    for (int round = 0; round < 3; ++round) {
        const std::unique_ptr<NumbersServer> server = Resume();
        // The last hundred of the round before are duplicates.
        EXPECT_EQ(server->Deliver(NumberLines(number, 1100)), Ending::kFin);
        number += 1000;
        server->process().Signal(SIGKILL);
        EXPECT_EQ(server->process().WaitForExit(), Killed(SIGKILL));
    }
    EXPECT_EQ(ReadNumberLog(path_), NumberRange(0, number + 100));
}

TEST_F(ResumeTest, MissingOrEmptyLogIsAFreshStart) {
    EXPECT_EQ(Resume()->Stop(), Exited(0));
    EXPECT_EQ(ReadFile(path_), "");
    const std::unique_ptr<NumbersServer> server = Resume();
    EXPECT_EQ(server->Deliver(NumberLine(0)), Ending::kFin);
    EXPECT_EQ(server->Stop(), Exited(0));
    EXPECT_EQ(ReadNumberLog(path_), NumberRange(0, 1));
}

TEST_F(ResumeTest, TornLastLineIsCutOff) {
    for (size_t torn_size = 1; torn_size < kLineSize; ++torn_size) {
        SCOPED_TRACE(torn_size);
        // The line that was torn did not count: its number is new.
        WriteFile(path_, NumberLines(0, 3) + NumberLine(3).substr(0, torn_size));
        const std::unique_ptr<NumbersServer> server = Resume();
        EXPECT_EQ(server->Deliver(NumberLines(2, 2)), Ending::kFin);
        EXPECT_EQ(server->Stop(), Exited(0));
        EXPECT_EQ(ReadNumberLog(path_), NumberRange(0, 4));
    }
}

// As a power loss leaves a file: made longer, and the bytes not there yet.
TEST_F(ResumeTest, TailOfNulsIsCutOffAndWarnedOf) {
    WriteFile(path_, NumberLines(0, 3) + "0000" + std::string(4092, '\0'));
    const std::unique_ptr<NumbersServer> server = Resume();
    EXPECT_EQ(CountLinesWith(server->process().errors(),
                             " is cut off: a torn line of 4 bytes and 4092 NUL bytes"),
              1u)
        << server->process().errors();
    EXPECT_EQ(server->Deliver(NumberLines(2, 2)), Ending::kFin);
    EXPECT_EQ(server->Stop(), Exited(0));
    EXPECT_EQ(ReadNumberLog(path_), NumberRange(0, 4));
}

TEST_F(ResumeTest, RefusalNamesLineAndOffsetAndTheWayOut) {
    WriteFile(path_, NumberLines(0, 3) + std::string(10, '\0') + NumberLine(7));
    const ProcessResult result =
        RunToEnd(NumbersServerCommand({"--port=0", "--log=" + path_, "--resume"}));
    EXPECT_EQ(result.status, Exited(1));
    EXPECT_EQ(CountLinesWith(result.errors, "line 4, at byte 30, is not nine digits"), 1u)
        << result.errors;
    std::filesystem::resize_file(path_, 30); // what the message says
    EXPECT_EQ(Resume()->Stop(), Exited(0));
}

TEST_F(ResumeTest, LogOfOneTornLineBecomesEmpty) {
    WriteFile(path_, "12345");
    EXPECT_EQ(Resume()->Stop(), Exited(0));
    EXPECT_EQ(ReadFile(path_), "");
}

TEST_F(ResumeTest, FileThatIsNoLogIsRefusedAndLeftAlone) {
    using namespace std::string_literals;
    for (const std::string &wrong_line :
         {"12345678a\n"s, "12345678\n"s, "1234567890\n"s, "\n"s, "123456789\r\n"s, "12345 789\n"s,
          "1234\0"
          "6789\n"s}) {
        for (const size_t lines_before : {0u, 41u, 99999u}) {
            const std::string content =
                NumberLines(0, lines_before) + wrong_line + NumberLines(999000000, 5);
            SCOPED_TRACE(testing::PrintToString(wrong_line));
            WriteFile(path_, content);
            const ProcessResult result =
                RunToEnd(NumbersServerCommand({"--port=0", "--log=" + path_, "--resume"}));
            EXPECT_EQ(result.status, Exited(1));
            EXPECT_EQ(result.output, "");
            EXPECT_NE(result.errors.find("line " + std::to_string(lines_before + 1)),
                      std::string::npos)
                << result.errors;
            EXPECT_NE(result.errors.find(path_), std::string::npos) << result.errors;
            EXPECT_EQ(ReadFile(path_), content);
        }
    }
}

TEST_F(ResumeTest, LastLineThatIsWrongAndTornIsRefused) {
    const std::string content = NumberLines(0, 3) + "12a";
    WriteFile(path_, content);
    const ProcessResult result =
        RunToEnd(NumbersServerCommand({"--port=0", "--log=" + path_, "--resume"}));
    EXPECT_EQ(result.status, Exited(1));
    EXPECT_NE(result.errors.find("line 4"), std::string::npos) << result.errors;
    EXPECT_EQ(ReadFile(path_), content);
}

} // namespace
} // namespace harness
