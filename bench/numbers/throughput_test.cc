// Runs the end-to-end comparison with few numbers: its figures mean nothing, its checks do.

#include <dirent.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "bench/test_program.h"

namespace {

const char kBaseline[] = "bench/baseline_server";
const char kServer[] = "server/numbers/server";

std::string Directory() {
    return std::getenv("TEST_TMPDIR");
}

Outcome RunThroughput(const std::string &server, std::vector<std::string> words) {
    words.insert(words.begin(), {"bench/numbers/throughput", "--server", server, "--baseline", kBaseline,
                                 "--memory-dir", Directory(), "--log-dir", Directory()});
    return RunProgram(words);
}

int CountLogs() {
    int count = 0;
    DIR *directory = opendir(Directory().c_str());
    while (dirent *entry = readdir(directory)) {
        count += std::string(entry->d_name).find(".log") != std::string::npos;
    }
    closedir(directory);
    return count;
}

TEST(Throughput, RunsEveryScenarioAndCleansUp) {
    std::string plot = Directory() + "/plot.svg";
    Outcome outcome =
        RunThroughput(kServer, {"--rounds", "2", "--count", "100000", "--plot", plot});
    ASSERT_EQ(outcome.exit_code, 0) << outcome.output;
    for (const char *text :
         {"random ", "random-1-client ", "random-disk ", "sequential ", "duplicates-50 ",
          "duplicates-100 ", "small-writes ", "receive only", "map updates"}) {
        EXPECT_NE(outcome.output.find(text), std::string::npos) << text << outcome.output;
    }
    std::ifstream stream(plot);
    std::stringstream svg;
    svg << stream.rdbuf();
    EXPECT_NE(svg.str().find("</svg>"), std::string::npos);
    EXPECT_EQ(CountLogs(), 0);
}

TEST(Throughput, ServerThatStoresTheWrongNumberOfLinesIsFound) {
    Outcome outcome = RunThroughput(
        kBaseline, {"--rounds", "1", "--count", "10000", "--scenario", "duplicates-50"});
    EXPECT_EQ(outcome.exit_code, 1);
    EXPECT_NE(outcome.output.find("the log has 100000 bytes instead of 50000"), std::string::npos)
        << outcome.output;
    EXPECT_EQ(CountLogs(), 0);
}

TEST(Throughput, ServerThatDoesNotStartIsFound) {
    for (const char *server : {"/nonexistent/server", "/bin/false"}) {
        Outcome outcome = RunThroughput(server, {"--rounds", "1"});
        EXPECT_EQ(outcome.exit_code, 1);
        EXPECT_NE(outcome.output.find("did not start to listen"), std::string::npos)
            << outcome.output;
    }
}

TEST(Throughput, PlotThatCannotBeWrittenIsFoundBeforeTheRounds) {
    // It would end with another message as soon as a round began.
    Outcome outcome = RunThroughput("/nonexistent/server", {"--plot", "/nonexistent/plot.svg"});
    EXPECT_EQ(outcome.exit_code, 1);
    EXPECT_EQ(outcome.output, "/nonexistent/plot.svg: No such file or directory\n");
}

TEST(Throughput, LogThatCannotBeWrittenGivesOneLine) {
    Outcome outcome = RunThroughput(
        kServer, {"--memory-dir", "/nonexistent", "--rounds", "1", "--scenario", "random"});
    EXPECT_EQ(outcome.exit_code, 1);
    EXPECT_EQ(outcome.output.rfind("/nonexistent/throughput-", 0), 0u) << outcome.output;
    EXPECT_EQ(std::count(outcome.output.begin(), outcome.output.end(), '\n'), 1) << outcome.output;
}

TEST(Throughput, ServerArgumentsAreHandedOn) {
    Outcome outcome = RunThroughput(kServer, {"--rounds", "1", "--count", "10000", "--scenario",
                                              "random", "--server-arg=--no-such-option"});
    EXPECT_EQ(outcome.exit_code, 1);
    EXPECT_NE(outcome.output.find("no-such-option"), std::string::npos) << outcome.output;
}

TEST(Throughput, BadCommandLinesGiveOneLineAndExitCodeTwo) {
    const std::vector<std::vector<std::string>> lines = {{"--rounds", "0"},
                                                         {"--rounds", "102"},
                                                         {"--count", "10"},
                                                         {"--unknown"},
                                                         {"--scenario", "sideways"},
                                                         {"surplus"},
                                                         {"--server", std::string(5000, 'x')}};
    for (const std::vector<std::string> &words : lines) {
        Outcome outcome = RunThroughput(kServer, words);
        EXPECT_EQ(outcome.exit_code, 2) << words[0];
        EXPECT_EQ(std::count(outcome.output.begin(), outcome.output.end(), '\n'), 1)
            << outcome.output;
    }
}

} // namespace
