// The numbers server's log: where it is, what is in it and when, who may write it.

#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include "server/numbers/numbers_process.h"
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
