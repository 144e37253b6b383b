// Runs the light-load measurement for a moment: its figures mean nothing, its checks do.

#include <cstdlib>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "bench/test_program.h"

namespace {

Outcome RunLightLoad(std::vector<std::string> words) {
    words.insert(words.begin(),
                 {"bench/numbers/light_load", "--memory-dir", std::getenv("TEST_TMPDIR"), "--idle", "1"});
    return RunProgram(words);
}

TEST(LightLoad, PrintsItsFigures) {
    Outcome outcome =
        RunLightLoad({"--server", "server/numbers/server", "--count", "3", "--pause", "1"});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.output;
    for (const char *text :
         {"Idle for 1 s", "3 lone numbers", "From the send to the log file", "Peak memory"}) {
        EXPECT_NE(outcome.output.find(text), std::string::npos) << text << outcome.output;
    }
}

TEST(LightLoad, FindsAServerThatDoesNotStart) {
    Outcome outcome = RunLightLoad({"--server", "/bin/false"});
    EXPECT_EQ(outcome.exit_code, 1);
    EXPECT_NE(outcome.output.find("did not start to listen"), std::string::npos) << outcome.output;
}

TEST(LightLoad, BadCommandLineGivesExitCodeTwo) {
    EXPECT_EQ(RunLightLoad({"--count", "0"}).exit_code, 2);
}

} // namespace
