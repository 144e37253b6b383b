// Runs the load generator against the baseline server, both as the programs that people start.

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "bench/test_program.h"

namespace {

// Tests start in the runfiles folder of the workspace.
const char kLoad[] = "bench/numbers/load";
const char kServer[] = "bench/baseline_server";

Outcome RunLoad(std::vector<std::string> words, const std::string &input = "") {
    words.insert(words.begin(), kLoad);
    return RunProgram(words, input);
}

class LoadTest : public testing::Test {
  protected:
    LoadTest() : server_({kServer, "--log", LogPath()}) {
        std::string line = server_.ReadLine();
        EXPECT_NE(line.find("listening on 127.0.0.1:"), std::string::npos) << line;
        port_ = line.substr(line.rfind(':') + 1);
        port_.pop_back();
    }
    static std::string LogPath() {
        return std::string(std::getenv("TEST_TMPDIR")) + "/numbers.log";
    }
    static std::string LogContent() {
        std::ifstream log(LogPath());
        std::stringstream content;
        content << log.rdbuf();
        return content.str();
    }
    // The server does not look for line ends: lines of several connections may be interleaved.
    static std::vector<std::string> SortedLog() {
        std::ifstream log(LogPath());
        std::vector<std::string> lines;
        for (std::string line; std::getline(log, line);) {
            lines.push_back(line);
        }
        std::sort(lines.begin(), lines.end());
        return lines;
    }
    Outcome Send(std::vector<std::string> words, const std::string &input = "") {
        words.insert(words.end(), {"--port", port_, "--timeout", "30"});
        return RunLoad(words, input);
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

    Program server_;
    std::string port_;
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
    std::string input = "123456789\nanything else\nwithout an end";
    Outcome outcome = Send({"--from", "-", "--quiet"}, input);
    EXPECT_EQ(outcome.exit_code, 0);
    EXPECT_EQ(outcome.output, "");
    EXPECT_EQ(LogContent(), input);
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
    std::string directory = std::getenv("TEST_TMPDIR");
    std::ofstream(directory + "/lines") << "000000001\n";
    std::vector<std::string> words = {"--from", "lines", "--port", "1"};
    EXPECT_NE(RunLoad(words).output.find("lines: No such file"), std::string::npos);

    setenv("BUILD_WORKING_DIRECTORY", directory.c_str(), 1);
    EXPECT_NE(RunLoad(words).output.find("1 refused"), std::string::npos);
    setenv("BUILD_WORKING_DIRECTORY", "/nonexistent/directory", 1);
    Outcome outcome = RunLoad(words);
    unsetenv("BUILD_WORKING_DIRECTORY");
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
