// Runs the end-to-end comparison with few numbers: its figures mean nothing, its checks do.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "testing/files.h"
#include "testing/process.h"

namespace {

using harness::Exited;
using harness::ProcessResult;
using harness::SplitLines;

constexpr char kBaseline[] = "bench/baseline_server";
constexpr char kServer[] = "server/numbers/server";

class Throughput : public testing::Test {
  protected:
    ProcessResult Run(const std::string &server, const std::vector<std::string> &words) {
        harness::ProcessOptions options;
        options.arguments = {"bench/numbers/throughput",
                             "--server",
                             server,
                             "--baseline",
                             kBaseline,
                             "--memory-dir",
                             directory_.path(),
                             "--log-dir",
                             directory_.path()};
        options.arguments.insert(options.arguments.end(), words.begin(), words.end());
        return harness::RunToEnd(options);
    }
    // The message of a run that fails, when it leaves nothing behind.
    std::string Fail(const std::string &server, const std::vector<std::string> &words) {
        const ProcessResult result = Run(server, words);
        EXPECT_EQ(result.status, Exited(1)) << result.output;
        EXPECT_TRUE(std::filesystem::is_empty(directory_.path()));
        return result.errors;
    }
    const harness::TemporaryDirectory directory_;
};

TEST_F(Throughput, RunsEveryScenarioAndCleansUp) {
    const std::string plot = directory_.File("plot.svg");
    const ProcessResult result =
        Run(kServer, {"--rounds", "2", "--count", "100000", "--plot", plot});
    ASSERT_EQ(result.status, Exited(0)) << result.errors;
    for (const char *text :
         {"random ", "random-1-client ", "random-disk ", "random-disk-sustained ",
          "past the page cache", "sequential ", "duplicates-50 ", "duplicates-100 ",
          "small-writes ", "receive only", "map updates"}) {
        EXPECT_NE(result.output.find(text), std::string::npos) << text << result.output;
    }
    EXPECT_NE(harness::ReadFile(plot).find("</svg>"), std::string::npos);
    std::filesystem::remove(plot);
    EXPECT_TRUE(std::filesystem::is_empty(directory_.path()));
}

TEST_F(Throughput, ServerThatStoresTheWrongNumberOfLinesIsFound) {
    const std::string errors =
        Fail(kBaseline, {"--rounds", "1", "--count", "10000", "--scenario", "duplicates-50"});
    EXPECT_NE(errors.find("the log has 100000 bytes instead of 50000"), std::string::npos)
        << errors;
}

TEST_F(Throughput, ServerThatDoesNotStartIsFound) {
    for (const char *server : {"/nonexistent/server", "/bin/false"}) {
        const std::string errors = Fail(server, {"--rounds", "1"});
        EXPECT_NE(errors.find("does not listen"), std::string::npos) << errors;
    }
}

TEST_F(Throughput, PlotThatCannotBeWrittenIsFoundBeforeTheRounds) {
    // It would end with another message as soon as a round began.
    EXPECT_EQ(Fail("/nonexistent/server", {"--plot", "/nonexistent/plot.svg"}),
              "throughput: /nonexistent/plot.svg: No such file or directory\n");
}

TEST_F(Throughput, LogThatCannotBeWrittenGivesOneLine) {
    const std::string errors =
        Fail(kServer, {"--memory-dir", "/nonexistent", "--rounds", "1", "--scenario", "random"});
    EXPECT_EQ(errors.rfind("throughput: /nonexistent/throughput-", 0), 0u) << errors;
    EXPECT_EQ(SplitLines(errors).size(), 1u) << errors;
}

TEST_F(Throughput, PageIsLookedAtByABrowser) {
    // The stand-in notes what it is to look at, and stays there.
    const std::string browser = directory_.File("browser");
    const std::string seen = directory_.File("seen");
    harness::WriteFile(browser,
                       "#!/bin/sh\nfor url; do :; done\necho $url >" + seen + "\nexec sleep 100\n");
    std::filesystem::permissions(browser, std::filesystem::perms::owner_all);
    const ProcessResult result = Run(kServer, {"--rounds", "1", "--count", "10000", "--scenario",
                                               "random", "--browser", browser});
    EXPECT_EQ(result.status, Exited(0)) << result.errors;
    EXPECT_NE(result.output.find("of the server with a browser on its page"), std::string::npos)
        << result.output;
    EXPECT_EQ(harness::ReadFile(seen).rfind("http://127.0.0.1:", 0), 0u);
}

TEST_F(Throughput, BrowserThatDoesNotStayIsFound) {
    const std::string errors = Fail(kServer, {"--rounds", "1", "--count", "10000", "--scenario",
                                              "random", "--browser", "/bin/false"});
    EXPECT_NE(errors.find("/bin/false does not stay on the page"), std::string::npos) << errors;
}

TEST_F(Throughput, ServerArgumentsAreHandedOn) {
    const std::string errors = Fail(kServer, {"--rounds", "1", "--count", "10000", "--scenario",
                                              "random", "--server-arg=--no-such-option"});
    EXPECT_NE(errors.find("no-such-option"), std::string::npos) << errors;
}

TEST_F(Throughput, BadCommandLinesGiveOneLineAndExitCodeTwo) {
    const std::vector<std::vector<std::string>> lines = {
        {"--rounds", "0"}, {"--rounds", "102"},        {"--count", "10"},
        {"--unknown"},     {"--scenario", "sideways"}, {"surplus"}};
    for (const std::vector<std::string> &words : lines) {
        const ProcessResult result = Run(kServer, words);
        EXPECT_EQ(result.status, Exited(2)) << words[0];
        EXPECT_EQ(SplitLines(result.errors).size(), 1u) << result.errors;
    }
}

} // namespace
