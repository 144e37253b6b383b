// The numbers server's log: where it is, what is in it and when, who may write it.

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <future>
#include <set>
#include <string>
#include <vector>

#include "server/numbers/numbers_process.h"
#include "testing/process_facts.h"
#include "gtest/gtest.h"

namespace harness {
namespace {

// Runs a server that must not start: exit code 1 and a line on standard error.
std::string ErrorsOfFailedStart(const std::vector<std::string> &arguments) {
    const ProcessResult result = RunToEnd(NumbersServerCommand(arguments));
    EXPECT_EQ(result.status, Exited(1));
    EXPECT_EQ(result.output, "");
    EXPECT_FALSE(SplitLines(result.errors).empty());
    return result.errors;
}

mode_t ModeOf(const std::string &path) {
    struct stat status {};
    EXPECT_EQ(stat(path.c_str(), &status), 0) << path;
    return status.st_mode & 07777;
}

TEST(LogTest, IsCreatedAtStart) {
    NumbersServer server;
    EXPECT_EQ(ReadFile(server.log_path()), "");
}

TEST(LogTest, IsClearedAtStart) {
    const TemporaryDirectory directory;
    const std::string path = directory.File("old.log");
    WriteFile(path, NumberLines(500, 1000) + "not even a log");
    NumbersServer server({"--log=" + path});
    EXPECT_EQ(ReadFile(path), "");
    // A number of the run before counts as new.
    EXPECT_EQ(server.Deliver(NumberLine(500)), Ending::kFin);
    EXPECT_EQ(server.Stop(), Exited(0));
    EXPECT_EQ(ReadFile(path), "000000500\n");
}

TEST(LogTest, ModeFollowsTheUmask) {
    for (const mode_t mask : {0u, 022u, 027u, 077u}) {
        ProcessOptions options = NumbersServerCommand({});
        options.umask = mask;
        NumbersServer server({}, options);
        EXPECT_EQ(ModeOf(server.log_path()), 0644 & ~mask) << std::oct << mask;
    }
}

// Starts the server by its bare command in `working_directory` and waits until it listens.
void RunWithDefaultLog(ProcessOptions options, const std::string &working_directory) {
    options.arguments.push_back("--port=0");
    options.working_directory = working_directory;
    Process process(options);
    ASSERT_TRUE(process.WaitForErrors(HasLineWith("listening on ")));
    TcpClient client(FindListeningPort(process.errors(), "127.0.0.1"));
    ASSERT_TRUE(client.Send(NumberLine(7)));
    client.HalfClose();
    EXPECT_EQ(client.WaitForEnding(), Ending::kFin);
    process.Signal(SIGTERM);
    EXPECT_EQ(process.WaitForExit(), Exited(0));
}

TEST(LogTest, IsNumbersLogInTheWorkingDirectory) {
    const TemporaryDirectory directory;
    RunWithDefaultLog(NumbersServerCommand({}), directory.path());
    EXPECT_EQ(ReadFile(directory.File("numbers.log")), "000000007\n");
}

TEST(LogTest, RelativePathStartsAtTheWorkingDirectory) {
    const TemporaryDirectory directory;
    std::filesystem::create_directory(directory.File("sub"));
    RunWithDefaultLog(NumbersServerCommand({"--log", "sub/other.log"}), directory.path());
    EXPECT_EQ(ReadFile(directory.File("sub/other.log")), "000000007\n");
    EXPECT_FALSE(std::filesystem::exists(directory.File("numbers.log")));
}

TEST(LogTest, IsWhereTheUserTypedBazelRun) {
    const TemporaryDirectory runfiles;
    const TemporaryDirectory user;
    ProcessOptions options = NumbersServerCommand({});
    options.environment["BUILD_WORKING_DIRECTORY"] = user.path();
    RunWithDefaultLog(options, runfiles.path());
    EXPECT_EQ(ReadFile(user.File("numbers.log")), "000000007\n");
    EXPECT_TRUE(std::filesystem::is_empty(runfiles.path()));

    options.arguments.push_back("--log=other.log");
    RunWithDefaultLog(options, runfiles.path());
    EXPECT_EQ(ReadFile(user.File("other.log")), "000000007\n");
    EXPECT_TRUE(std::filesystem::is_empty(runfiles.path()));
}

TEST(LogTest, AbsolutePathIsTakenAsItIs) {
    const TemporaryDirectory user;
    const TemporaryDirectory elsewhere;
    ProcessOptions options = NumbersServerCommand({"--log=" + elsewhere.File("absolute.log")});
    options.environment["BUILD_WORKING_DIRECTORY"] = user.path();
    RunWithDefaultLog(options, user.path());
    EXPECT_EQ(ReadFile(elsewhere.File("absolute.log")), "000000007\n");
    EXPECT_TRUE(std::filesystem::is_empty(user.path()));
}

TEST(LogTest, HoldsTheLinesAtTheOrderlyClose) {
    NumbersServer server;
    EXPECT_EQ(server.Deliver(NumberLines(0, 10)), Ending::kFin);
    EXPECT_EQ(server.Log(), NumberRange(0, 10));
    EXPECT_EQ(server.Deliver(NumberLines(10, 500000)), Ending::kFin);
    EXPECT_EQ(server.Log(), NumberRange(0, 500010));
}

// Nobody closes anything here: a few numbers must not wait in a buffer for company.
TEST(LogTest, HoldsAFewLinesOfAnOpenConnectionSoon) {
    NumbersServer server;
    TcpClient client = server.Connect();
    ASSERT_TRUE(client.Send(NumberLines(0, 10)));
    EXPECT_TRUE(Await([&] { return std::filesystem::file_size(server.log_path()) > 0; }));
    EXPECT_TRUE(Await([&] { return server.Log().size() == 10; }));
    ASSERT_TRUE(client.Send(NumberLine(10)));
    EXPECT_TRUE(Await([&] { return server.Log().size() == 11; }));
    EXPECT_EQ(server.Log(), NumberRange(0, 11));
}

TEST(LogTest, EveryFsyncPolicyKeepsTheLines) {
    for (const std::vector<std::string> &arguments : {std::vector<std::string>{"--fsync=never"},
                                                      {"--fsync=interval"},
                                                      {"--fsync=interval", "--fsync-interval=0.01"},
                                                      {"--fsync=always"}}) {
        SCOPED_TRACE(testing::PrintToString(arguments));
        NumbersServer server(arguments);
        EXPECT_EQ(server.Deliver(NumberLines(0, 1000)), Ending::kFin);
        EXPECT_EQ(server.Log(), NumberRange(0, 1000));
        EXPECT_EQ(server.Deliver(NumberLines(500, 1000)), Ending::kFin);
        EXPECT_EQ(server.Stop(), Exited(0));
        EXPECT_EQ(server.Log(), NumberRange(0, 1500));
    }
}

TEST(LogTest, SecondServerIsRefusedAndHarmsNothing) {
    NumbersServer server;
    EXPECT_EQ(server.Deliver(NumberLines(0, 100)), Ending::kFin);
    for (const std::string option : {"--fsync=never", "--resume"}) {
        const std::string errors =
            ErrorsOfFailedStart({"--port=0", "--log=" + server.log_path(), option});
        EXPECT_NE(errors.find(server.log_path()), std::string::npos) << errors;
    }
    EXPECT_EQ(server.Log(), NumberRange(0, 100));
    EXPECT_EQ(server.Deliver(NumberLines(100, 100)), Ending::kFin);
    EXPECT_EQ(server.Stop(), Exited(0));
    EXPECT_EQ(server.Log(), NumberRange(0, 200));
}

TEST(LogTest, LockEndsWithTheServer) {
    const TemporaryDirectory directory;
    const std::string path = directory.File("numbers.log");
    for (const int signal_number : {SIGTERM, SIGKILL}) {
        NumbersServer server({"--log=" + path});
        server.process().Signal(signal_number);
        EXPECT_TRUE(server.process().WaitForExit().has_value());
    }
    NumbersServer server({"--log=" + path});
    EXPECT_EQ(server.Stop(), Exited(0));
}

TEST(LogTest, PathThatCannotBeWrittenIsAFailedStart) {
    const TemporaryDirectory directory;
    WriteFile(directory.File("file"), "");
    for (const std::string &path : {directory.File("missing/numbers.log"), directory.path(),
                                    directory.File("file/numbers.log")}) {
        SCOPED_TRACE(path);
        const std::string errors = ErrorsOfFailedStart({"--port=0", "--log=" + path});
        EXPECT_NE(errors.find(path), std::string::npos) << errors;
    }
}

// As `flock numbers.log server` does: nobody else has the log, and yet it cannot be had.
TEST(LogTest, LockOfADescriptorThatWasInheritedIsNamed) {
    const TemporaryDirectory directory;
    ProcessOptions options = NumbersServerCommand({"--port=0"});
    options.working_directory = directory.path();
    options.arguments.insert(options.arguments.begin(),
                             {"/bin/sh", "-c", "exec 7>>numbers.log; flock 7; exec \"$0\" \"$@\""});
    const ProcessResult result = RunToEnd(options);
    EXPECT_EQ(result.status, Exited(1));
    EXPECT_EQ(CountLinesWith(result.errors, "numbers.log is locked through descriptor 7, which "),
              1u)
        << result.errors;
}

TEST(LogTest, AStoppedGuardThatHoldsTheLockIsNamed) {
    NumbersServer server;
    const std::set<pid_t> children = ReadChildren(server.process().pid());
    ASSERT_EQ(children.size(), 1u);
    const pid_t guard = *children.begin();
    ASSERT_EQ(kill(guard, SIGSTOP), 0);
    ASSERT_TRUE(Await([&] { return ReadState(guard) == 'T'; }));
    server.process().Signal(SIGKILL);
    EXPECT_EQ(server.process().WaitForExit(), Killed(SIGKILL));
    const std::string errors = ErrorsOfFailedStart({"--port=0", "--log=" + server.log_path()});
    EXPECT_EQ(CountLinesWith(errors, "process " + std::to_string(guard) +
                                         ", was stopped by a signal; let it go on with kill -CONT"),
              1u)
        << errors;
    ASSERT_EQ(kill(guard, SIGCONT), 0);
    NumbersServer next({"--log=" + server.log_path()});
    EXPECT_EQ(next.Stop(), Exited(0));
}

constexpr char kWasMoved[] = " was removed or renamed";

TEST(LogTest, LogThatWasRemovedOrRenamedIsWarnedOfOnce) {
    NumbersServer server;
    EXPECT_EQ(server.Deliver(NumberLines(0, 10)), Ending::kFin);
    const std::string moved_path = server.log_path() + ".1";
    std::filesystem::rename(server.log_path(), moved_path);
    EXPECT_TRUE(server.process().WaitForErrors(HasLineWith(kWasMoved)));
    EXPECT_EQ(server.Deliver(NumberLines(10, 10)), Ending::kFin);
    EXPECT_EQ(server.Stop(), Exited(0));
    EXPECT_EQ(CountLinesWith(server.process().errors(), kWasMoved), 1u)
        << server.process().errors();
    EXPECT_EQ(ReadNumberLog(moved_path), NumberRange(0, 20));
}

// What logrotate does, under load: each line is in the old file or in the new one, and whole.
TEST(RotationTest, LosesAndTearsNothingUnderLoad) {
    constexpr size_t kRotationCount = 10;
    constexpr std::uint32_t kLineCount = 2000;
    for (const std::string policy : {"--fsync=never", "--fsync=interval", "--fsync=always"}) {
        NumbersServer server({policy});
        std::vector<std::uint32_t> all;
        std::vector<std::string> paths = {server.log_path()};
        for (std::uint32_t round = 0; round < kRotationCount; ++round) {
            std::future<Ending> delivery =
                server.DeliverMeanwhile(NumberLines(round * kLineCount, kLineCount));
            paths.push_back(server.log_path() + "." + std::to_string(round));
            std::filesystem::rename(server.log_path(), paths.back());
            server.process().Signal(SIGUSR1);
            EXPECT_TRUE(Await([&] { return std::filesystem::exists(server.log_path()); }));
            EXPECT_EQ(delivery.get(), Ending::kFin);
        }
        EXPECT_EQ(server.Stop(), Exited(0));
        for (const std::string &path : paths) {
            const std::vector<std::uint32_t> part = ReadNumberLog(path); // fails on a torn line
            all.insert(all.end(), part.begin(), part.end());
        }
        std::sort(all.begin(), all.end());
        EXPECT_EQ(all, NumberRange(0, kRotationCount * kLineCount)) << policy;
        EXPECT_EQ(CountLinesWith(server.process().errors(), " info opened "), kRotationCount)
            << server.process().errors();
    }
}

// The guard follows: killed under load after a rotation, the new file has whole lines.
TEST(RotationTest, TheGuardFollowsToTheNewFile) {
    NumbersServer server;
    EXPECT_EQ(server.Deliver(NumberLines(0, 10)), Ending::kFin);
    std::filesystem::rename(server.log_path(), server.log_path() + ".1");
    server.process().Signal(SIGUSR1);
    EXPECT_TRUE(Await([&] { return std::filesystem::exists(server.log_path()); }));
    EXPECT_EQ(server.Deliver(NumberLines(10, 10)), Ending::kFin);
    WriteFile(server.log_path(), NumberLines(10, 10) + "00000"); // as a write that was torn
    server.process().Signal(SIGKILL);
    EXPECT_EQ(server.process().WaitForExit(), Killed(SIGKILL));
    EXPECT_TRUE(Await([&] { return ReadFile(server.log_path()) == NumberLines(10, 10); }));
    EXPECT_EQ(ReadNumberLog(server.log_path() + ".1"), NumberRange(0, 10));
}

TEST(RotationTest, SignalWithoutARenameChangesNothing) {
    NumbersServer server;
    EXPECT_EQ(server.Deliver(NumberLines(0, 10)), Ending::kFin);
    server.process().Signal(SIGUSR1);
    EXPECT_TRUE(server.process().WaitForErrors(HasLineWith(" was not moved: it stays the log")));
    EXPECT_EQ(server.Deliver(NumberLines(10, 10)), Ending::kFin);
    EXPECT_EQ(server.Stop(), Exited(0));
    EXPECT_EQ(server.Log(), NumberRange(0, 20));
}

// One foreign byte, or a truncation that leaves half a line, must not cost a line that is
// confirmed.
TEST(ForeignHandTest, CostsNoConfirmedLine) {
    const TemporaryDirectory directory;
    for (const bool truncates : {false, true}) {
        NumbersServer server;
        EXPECT_EQ(server.Deliver(NumberLines(0, 10)), Ending::kFin);
        // Which of the numbers come first there is the server's affair.
        std::string kept = ReadFile(server.log_path());
        if (truncates) {
            std::filesystem::resize_file(server.log_path(), 25);
            kept.resize(20);
        } else {
            WriteFile(server.log_path(), kept + "x");
        }
        EXPECT_EQ(server.Deliver(NumberLines(10, 10)), Ending::kFin);
        server.process().Signal(SIGKILL);
        EXPECT_EQ(server.process().WaitForExit(), Killed(SIGKILL));
        NumbersServer next({"--resume", "--log=" + server.log_path()}); // after the guard
        EXPECT_EQ(next.Stop(), Exited(0));
        const std::string log = ReadFile(server.log_path());
        EXPECT_EQ(log.substr(0, kept.size()), kept);
        WriteFile(server.log_path(), log.substr(kept.size()));
        EXPECT_EQ(ReadNumberLog(server.log_path()), NumberRange(10, 10));
    }
}

// Whatever is printed there would be in the log, between the numbers.
TEST(LogTest, FileThatAStandardStreamGoesToIsRefusedAndLeftAlone) {
    for (const char *redirection : {">>numbers.log", "2>>numbers.log"}) {
        SCOPED_TRACE(redirection);
        const TemporaryDirectory directory;
        WriteFile(directory.File("numbers.log"), NumberLine(1));
        ProcessOptions options = NumbersServerCommand({"--port=0"});
        options.working_directory = directory.path();
        options.arguments.insert(
            options.arguments.begin(),
            {"/bin/sh", "-c", std::string("exec \"$0\" \"$@\" ") + redirection});
        EXPECT_EQ(RunToEnd(options).status, Exited(1));
        EXPECT_EQ(ReadFile(directory.File("numbers.log")).substr(0, 10), NumberLine(1));
    }
}

// A server started twice by mistake must not empty the log of another directory.
TEST(LogTest, TakenPortIsAFailedStartAndHarmsNothing) {
    NumbersServer server;
    const TemporaryDirectory directory;
    WriteFile(directory.File("numbers.log"), NumberLine(1));
    const std::string errors = ErrorsOfFailedStart(
        {"--port=" + std::to_string(server.port()), "--log=" + directory.File("numbers.log")});
    EXPECT_NE(errors.find(std::to_string(server.port())), std::string::npos) << errors;
    EXPECT_EQ(ReadFile(directory.File("numbers.log")), NumberLine(1));
}

} // namespace
} // namespace harness
