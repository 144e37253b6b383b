// Runs the light-load measurement for a moment: its figures mean nothing, its checks do.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "testing/process.h"

namespace {

using harness::Exited;
using harness::ProcessResult;

ProcessResult RunLightLoad(const std::vector<std::string> &words) {
    harness::ProcessOptions options;
    options.arguments = {"bench/numbers/light_load", "--memory-dir", std::getenv("TEST_TMPDIR"),
                         "--idle", "1"};
    options.arguments.insert(options.arguments.end(), words.begin(), words.end());
    return harness::RunToEnd(options);
}

TEST(LightLoad, PrintsItsFigures) {
    const ProcessResult result =
        RunLightLoad({"--server", "server/numbers/server", "--count", "3", "--pause", "1"});
    EXPECT_EQ(result.status, Exited(0)) << result.errors;
    for (const char *text :
         {"Idle for 1 s", "3 lone numbers", "From the send to the log file", "Peak memory"}) {
        EXPECT_NE(result.output.find(text), std::string::npos) << text << result.output;
    }
}

TEST(LightLoad, FindsAServerThatDoesNotStart) {
    const ProcessResult result = RunLightLoad({"--server", "/bin/false"});
    EXPECT_EQ(result.status, Exited(1));
    EXPECT_NE(result.errors.find("does not listen"), std::string::npos) << result.errors;
}

TEST(LightLoad, BadCommandLineGivesExitCodeTwo) {
    EXPECT_EQ(RunLightLoad({"--count", "0"}).status, Exited(2));
}

} // namespace
