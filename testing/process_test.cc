#include "testing/process.h"

#include <csignal>
#include <string>

#include "testing/files.h"
#include "testing/sanitizer.h"
#include "gtest/gtest.h"

namespace harness {
namespace {

ProcessOptions Shell(const std::string &script) {
    ProcessOptions options;
    options.arguments = {"/bin/sh", "-c", script};
    return options;
}

TEST(ProcessTest, ReportsTheExitCode) {
    EXPECT_EQ(RunToEnd(Shell("exit 74")).status, Exited(74));
}

TEST(ProcessTest, ReportsTheSignal) {
    EXPECT_EQ(RunToEnd(Shell("kill -KILL $$")).status, Killed(SIGKILL));
}

TEST(ProcessTest, ProgramThatIsMissingEndsWith127) {
    ProcessOptions options;
    options.arguments = {"/nonexistent/program"};
    EXPECT_EQ(RunToEnd(options).status, Exited(127));
}

TEST(ProcessTest, CapturesBothStreamsApart) {
    const ProcessResult result = RunToEnd(Shell("echo to output; echo to errors >&2"));
    EXPECT_EQ(result.output, "to output\n");
    EXPECT_EQ(result.errors, "to errors\n");
}

TEST(ProcessTest, CapturesMoreThanAPipeHolds) {
    const ProcessResult result = RunToEnd(Shell("head -c 1000000 /dev/zero"));
    EXPECT_EQ(result.status, Exited(0));
    EXPECT_EQ(result.output.size(), 1000000u);
}

TEST(ProcessTest, StandardInputIsTheFile) {
    const TemporaryDirectory directory;
    ProcessOptions options = Shell("cat");
    options.standard_input = directory.File("input");
    WriteFile(options.standard_input, "from a file");
    EXPECT_EQ(RunToEnd(options).output, "from a file");
}

TEST(ProcessTest, WaitsForALineWhileTheChildRuns) {
    Process process(Shell("echo ready; exec sleep 1000"));
    EXPECT_TRUE(process.WaitForOutput(HasLineWith("ready")));
    EXPECT_TRUE(process.Signal(SIGTERM));
    EXPECT_EQ(process.WaitForExit(), Killed(SIGTERM));
}

TEST(ProcessTest, WaitingEndsWithTheStream) {
    Process process(Shell("printf 'no newline'"));
    EXPECT_FALSE(process.WaitForOutput(HasLineWith("no newline")));
    EXPECT_EQ(process.output(), "no newline");
}

TEST(ProcessTest, WaitForExitGivesUpOnAChildThatRuns) {
    Process process(Shell("exec sleep 1000"));
    EXPECT_EQ(process.WaitForExit(std::chrono::milliseconds(1)), std::nullopt);
}

TEST(ProcessTest, DestructorEndsAndReapsTheChild) {
    pid_t pid = -1;
    {
        Process process(Shell("trap '' TERM; echo ready; exec sleep 1000"));
        ASSERT_TRUE(process.WaitForOutput(HasLineWith("ready")));
        pid = process.pid();
    }
    EXPECT_EQ(kill(pid, 0), -1);
    EXPECT_EQ(errno, ESRCH);
}

TEST(ProcessTest, SetsAndRemovesVariables) {
    ProcessOptions options;
    options.arguments = {"/usr/bin/env"};
    options.environment["GIVEN"] = "value";
    options.environment["PATH"] = std::nullopt;
    const std::string variables = "\n" + RunToEnd(options).output;
    EXPECT_NE(variables.find("\nGIVEN=value\n"), std::string::npos) << variables;
    EXPECT_EQ(variables.find("\nPATH="), std::string::npos) << variables;
}

TEST(ProcessTest, StartsInTheWorkingDirectory) {
    const TemporaryDirectory directory;
    ProcessOptions options = Shell("echo here > file");
    options.working_directory = directory.path();
    EXPECT_EQ(RunToEnd(options).status, Exited(0));
    EXPECT_EQ(ReadFile(directory.File("file")), "here\n");
}

TEST(ProcessTest, SetsLimitsAndUmask) {
    if (kIsUnderValgrind) {
        GTEST_SKIP() << "valgrind needs more descriptors than that to start a program";
    }
    ProcessOptions options = Shell("ulimit -n; umask");
    options.limits.emplace_back(RLIMIT_NOFILE, rlimit{17, 17});
    options.umask = 027;
    EXPECT_EQ(RunToEnd(options).output, "17\n0027\n");
}

TEST(ProcessTest, StandardInputIsEmptyOrClosed) {
    ProcessOptions options = Shell("cat");
    EXPECT_EQ(RunToEnd(options).status, Exited(0));
    options = Shell("test -e /proc/self/fd/0");
    options.standard_input_is_closed = true;
    EXPECT_EQ(RunToEnd(options).status, Exited(1));
}

TEST(ProcessTest, BrokenPipeKillsAProgramThatWrites) {
    ProcessOptions options = Shell("while :; do echo text; done");
    options.standard_output = OutputMode::kBrokenPipe;
    EXPECT_EQ(RunToEnd(options).status, Killed(SIGPIPE));
}

TEST(ProcessTest, FullPipeBlocksAProgramThatWrites) {
    ProcessOptions options = Shell("echo before >&2; echo text; echo after >&2");
    options.standard_output = OutputMode::kFullPipe;
    Process process(options);
    EXPECT_TRUE(process.WaitForErrors(HasLineWith("before")));
    EXPECT_EQ(process.WaitForExit(std::chrono::milliseconds(50)), std::nullopt);
    EXPECT_EQ(process.errors(), "before\n");
}

TEST(ProcessTest, ClosedOutputFailsAProgramThatWrites) {
    ProcessOptions options = Shell("echo text");
    options.standard_output = OutputMode::kClosed;
    EXPECT_NE(RunToEnd(options).status, Exited(0));
}

TEST(ProcessTest, StandardErrorIsATerminal) {
    ProcessOptions options = Shell("test -t 2 && stty size <&2; printf 'one\\ntwo\\r' >&2");
    options.terminal_columns = 33;
    const ProcessResult result = RunToEnd(options);
    EXPECT_EQ(result.status, Exited(0));
    EXPECT_EQ(result.output, "25 33\n");
    EXPECT_EQ(result.errors, "one\ntwo\r");
}

TEST(SplitLinesTest, LeavesOutALineWithoutItsNewline) {
    EXPECT_EQ(SplitLines("one\n\nthree\nfour"), (std::vector<std::string>{"one", "", "three"}));
}

TEST(CountLinesWithTest, CountsALineOnceAndOnlyCompleteOnes) {
    EXPECT_EQ(CountLinesWith("a warning, a warning\nnone\nwarning\na warning", "warning"), 2u);
    EXPECT_EQ(CountLinesWith("a warning\n", "error"), 0u);
}

} // namespace
} // namespace harness
