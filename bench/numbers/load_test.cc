// Runs the load generator against the baseline server, both as the programs that people start.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "bench/measure.h"
#include "testing/files.h"
#include "testing/process.h"

namespace {

// Tests start in the runfiles folder of the workspace.
const char kLoad[] = "bench/numbers/load";
const char kServer[] = "bench/baseline_server";

const harness::TemporaryDirectory &Directory() {
    static const harness::TemporaryDirectory directory;
    return directory;
}

struct Outcome {
    int exit_code;
    std::string output; // with what is on standard error behind it
};

Outcome RunProgram(const std::vector<std::string> &words, const std::string &input = "",
                   const std::string &working_directory = "") {
    harness::ProcessOptions options;
    options.arguments = words;
    options.standard_input = Directory().File("input");
    harness::WriteFile(options.standard_input, input);
    options.environment["BUILD_WORKING_DIRECTORY"] =
        working_directory.empty() ? std::nullopt : std::optional(working_directory);
    const harness::ProcessResult result = harness::RunToEnd(options);
    return {result.status.value_or(harness::Exited(-1)).code, result.output + result.errors};
}

Outcome RunLoad(std::vector<std::string> words, const std::string &working_directory = "") {
    words.insert(words.begin(), kLoad);
    return RunProgram(words, "", working_directory);
}

class LoadTest : public testing::Test {
  protected:
    static std::string LogPath() {
        return Directory().File("numbers.log");
    }
    static std::string LogContent() {
        return harness::ReadFile(LogPath());
    }
    // The server does not look for line ends: lines of several connections may be interleaved.
    static std::vector<std::string> SortedLog() {
        std::vector<std::string> lines = harness::SplitLines(LogContent());
        std::sort(lines.begin(), lines.end());
        return lines;
    }
    Outcome Send(std::vector<std::string> words, const std::string &input = "") {
        words.insert(words.begin(), kLoad);
        words.insert(words.end(), {"--port", std::to_string(server_.port()), "--timeout", "30"});
        return RunProgram(words, input);
    }
    static std::vector<std::string> FirstNumbers(int count) {
        std::vector<std::string> lines;
        for (int number = 0; number < count; number++) {
            char line[16];
            snprintf(line, sizeof line, "%09d", number);
            lines.push_back(line);
        }
        return lines;
    }

    bench::Server server_{{kServer, "--port=0", "--log", LogPath()}};
};

TEST_F(LoadTest, EveryNumberArrivesWhateverTheNumberOfConnections) {
    Outcome outcome = Send({"--order", "sequential", "--count", "100000", "--connections", "5"});
    EXPECT_EQ(outcome.exit_code, 0);
    EXPECT_NE(outcome.output.find("Sent 100000 numbers (1000000 bytes) in "), std::string::npos);
    EXPECT_NE(outcome.output.find("5 confirmed, 0 refused, 0 reset; 100000 numbers confirmed\n"),
              std::string::npos)
        << outcome.output;
    EXPECT_EQ(LogContent().size(), 1000000u);
    EXPECT_EQ(SortedLog().size(), 100000u);
}

TEST_F(LoadTest, OneConnectionSendsExactlyTheNumbersOfTheOrder) {
    ASSERT_EQ(Send({"--order", "sequential", "--count", "100000"}).exit_code, 0);
    EXPECT_EQ(SortedLog(), FirstNumbers(100000));
}

TEST_F(LoadTest, SmallSendsAndARateLimitLoseNothing) {
    for (const char *send_size : {"1", "10", "13"}) {
        ASSERT_EQ(Send({"--order", "sequential", "--count", "1000", "--send-size", send_size,
                        "--rate", "20000", "--quiet"})
                      .exit_code,
                  0);
    }
    EXPECT_EQ(SortedLog().size(), 3000u);
}

TEST_F(LoadTest, PreparedLinesAreSentAgainAndAgain) {
    ASSERT_EQ(Send({"--order", "sequential", "--count", "1000", "--prepared", "100"}).exit_code, 0);
    std::vector<std::string> log = SortedLog(), distinct = log;
    distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
    EXPECT_EQ(log.size(), 1000u);
    EXPECT_EQ(distinct, FirstNumbers(100));
}

TEST_F(LoadTest, StandardInputIsPassedOnAsItIs) {
    std::string input = "123456789\nanything else\n\n";
    Outcome outcome = Send({"--from", "-", "--quiet"}, input);
    EXPECT_EQ(outcome.exit_code, 0);
    EXPECT_EQ(outcome.output, "");
    EXPECT_EQ(LogContent(), input);
}

// printf 123456789 | load --from=- means that number, too.
TEST_F(LoadTest, ALastLineWithoutANewlineGetsOne) {
    std::string expected;
    for (const std::string connections : {"1", "4"}) {
        for (const std::string size : {"1", "7", "10", "13", "1000"}) {
            SCOPED_TRACE(connections + " connections, " + size + " bytes a send");
            const std::vector<std::string> arguments = {
                "--from", "-", "--quiet", "--connections", connections, "--send-size", size};
            EXPECT_EQ(Send(arguments, "000000001\n123456789").exit_code, 0);
            EXPECT_EQ(Send(arguments, "000000002").exit_code, 0);
            EXPECT_EQ(Send(arguments, "").exit_code, 0);
            expected += "000000001\n000000002\n123456789\n";
        }
    }
    EXPECT_EQ(LogContent().size(), expected.size());
    EXPECT_EQ(SortedLog().size(), 30u);
}

TEST_F(LoadTest, SeveralConnectionsShareAFileLineByLine) {
    std::string input;
    for (const std::string &line : FirstNumbers(50000)) {
        input += line + "\n";
    }
    EXPECT_EQ(Send({"--from", "-", "--connections", "4", "--send-size", "1009"}, input).exit_code,
              0);
    EXPECT_EQ(LogContent().size(), input.size());
    EXPECT_EQ(SortedLog().size(), 50000u);
}

TEST_F(LoadTest, TerminateComesAfterEverythingElse) {
    ASSERT_EQ(Send({"--count", "30000", "--connections", "5", "--terminate"}).exit_code, 0);
    std::string log = LogContent();
    ASSERT_EQ(log.size(), 300010u);
    EXPECT_EQ(log.substr(300000), "terminate\n");
}

TEST_F(LoadTest, ConnectionsBeyondTheLimitAreReported) {
    Outcome outcome = Send({"--count", "60000", "--connections", "6"});
    EXPECT_EQ(outcome.exit_code, 1);
    EXPECT_NE(outcome.output.find("Connections: 5 confirmed"), std::string::npos) << outcome.output;
}

TEST(LoadWithoutServer, RefusedConnectionIsReported) {
    Outcome outcome = RunLoad({"--port", "1", "--count", "10"});
    EXPECT_EQ(outcome.exit_code, 1);
    EXPECT_NE(outcome.output.find("0 confirmed, 1 refused, 0 reset"), std::string::npos);
    EXPECT_NE(outcome.output.find("Connection refused"), std::string::npos) << outcome.output;
}

TEST(LoadWithoutServer, TerminateThatCannotBeSentIsReported) {
    Outcome outcome = RunLoad({"--port", "1", "--count", "0", "--terminate"});
    EXPECT_EQ(outcome.exit_code, 1);
    EXPECT_NE(outcome.output.find("terminate was not sent: Connection refused"), std::string::npos)
        << outcome.output;
}

TEST(LoadWithoutServer, BadCommandLinesGiveOneLineAndExitCodeTwo) {
    const std::vector<std::vector<std::string>> lines = {{"--port", "0"},
                                                         {"--port", "70000"},
                                                         {"--count", "-1"},
                                                         {"--count", "ten"},
                                                         {"--count", ""},
                                                         {"--count", "10x"},
                                                         {"--order", "shuffle"},
                                                         {"--duplicates", "101"},
                                                         {"--send-size", "0"},
                                                         {"--connections", "0"},
                                                         {"--unknown"},
                                                         {"--host"},
                                                         {"--host", ""},
                                                         {"surplus"},
                                                         {"--from", "-", "--count", "5"},
                                                         {"--count", "99999999999999999999999"}};
    for (const std::vector<std::string> &words : lines) {
        Outcome outcome = RunLoad(words);
        EXPECT_EQ(outcome.exit_code, 2) << words[0];
        EXPECT_EQ(std::count(outcome.output.begin(), outcome.output.end(), '\n'), 1)
            << outcome.output;
    }
}

TEST(LoadWithoutServer, FilesAreLookedForWhereTheUserIs) {
    harness::WriteFile(Directory().File("lines"), "000000001\n");
    const std::vector<std::string> words = {"--from", "lines", "--port", "1"};
    EXPECT_NE(RunLoad(words).output.find("lines: No such file"), std::string::npos);
    EXPECT_NE(RunLoad(words, Directory().path()).output.find("1 refused"), std::string::npos);
    const Outcome outcome = RunLoad(words, "/nonexistent/directory");
    EXPECT_EQ(outcome.exit_code, 1);
    EXPECT_NE(outcome.output.find("BUILD_WORKING_DIRECTORY"), std::string::npos) << outcome.output;
}

TEST(LoadWithoutServer, HelpAndVersion) {
    EXPECT_EQ(RunLoad({"--help"}).exit_code, 0);
    EXPECT_NE(RunLoad({"--help"}).output.find("Examples:"), std::string::npos);
    EXPECT_EQ(RunLoad({"--version"}).exit_code, 0);
}

TEST(LoadWithoutServer, MissingFileAndUnknownHostAreNamed) {
    EXPECT_NE(RunLoad({"--from", "/nonexistent/file"}).output.find("/nonexistent/file"),
              std::string::npos);
    // A label longer than names allow is refused without a look at any name server.
    std::string host(64, 'x');
    Outcome outcome = RunLoad({"--host", host});
    EXPECT_EQ(outcome.exit_code, 1);
    EXPECT_NE(outcome.output.find("there is no host '" + host + "'"), std::string::npos);
}

TEST(BaselineServer, BadCommandLinesGiveOneLineAndExitCodeTwo) {
    const std::vector<std::vector<std::string>> lines = {
        {"--port", "65536"}, {"--max-clients", "0"}, {"--buffer-size", "0"},
        {"--log", ""},       {"--unknown"},          {"surplus"}};
    for (std::vector<std::string> words : lines) {
        words.insert(words.begin(), kServer);
        Outcome outcome = RunProgram(words);
        EXPECT_EQ(outcome.exit_code, 2) << words[1];
        EXPECT_EQ(std::count(outcome.output.begin(), outcome.output.end(), '\n'), 1)
            << outcome.output;
    }
}

TEST(BaselineServer, LogThatCannotBeOpenedIsNamed) {
    Outcome outcome = RunProgram({kServer, "--log", "/nonexistent/file"});
    EXPECT_EQ(outcome.exit_code, 1);
    EXPECT_NE(outcome.output.find("/nonexistent/file"), std::string::npos) << outcome.output;
}

} // namespace
