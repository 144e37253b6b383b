// The numbers server's command line: what it accepts, what it refuses, and how it says so.

#include <unistd.h>

#include <csignal>
#include <string>
#include <vector>

#include "server/numbers/numbers_process.h"
#include "gtest/gtest.h"

namespace harness {
namespace {

const char *const kOptionNames[] = {
    "--port",           "--bind",
    "--max-clients",    "--concurrent-connections",
    "--when-full",      "--log",
    "--resume",         "--fsync",
    "--fsync-interval", "--direct-io",
    "--log-level",      "--report-interval",
    "--idle-timeout",   "--no-remote-terminate",
    "--profile",        "--threads",
    "--help",           "--version",
};

struct WrongCommandLine {
    std::vector<std::string> arguments;
    // What the complaint must name.
    std::string culprit;
};

class CommandLineTest : public testing::Test {
  protected:
    // Runs the server in this test's directory. It must not touch the log there.
    ProcessResult Run(const std::vector<std::string> &arguments) const {
        ProcessOptions options = NumbersServerCommand(arguments);
        options.working_directory = directory_.path();
        return RunToEnd(options);
    }

    void ExpectUsageError(const WrongCommandLine &wrong) const {
        SCOPED_TRACE(testing::PrintToString(wrong.arguments));
        const ProcessResult result = Run(wrong.arguments);
        EXPECT_EQ(result.status, Exited(2));
        EXPECT_EQ(result.output, "");
        EXPECT_EQ(SplitLines(result.errors).size(), 1u) << result.errors;
        EXPECT_NE(result.errors.find(wrong.culprit), std::string::npos) << result.errors;
        EXPECT_EQ(ReadFile(log_path_), kOldLog);
    }

    // Starts with a valid command line, and ends orderly.
    void ExpectGoodStart(const std::vector<std::string> &arguments) const {
        SCOPED_TRACE(testing::PrintToString(arguments));
        NumbersServer server(arguments);
        EXPECT_EQ(server.Stop(), Exited(0));
    }

    static constexpr const char *kOldLog = "000000001\n";
    const TemporaryDirectory directory_;
    const std::string log_path_ = directory_.File("numbers.log");

    void SetUp() override {
        WriteFile(log_path_, kOldLog);
    }
};

TEST_F(CommandLineTest, HelpNamesEveryOption) {
    const ProcessResult result = Run({"--help"});
    EXPECT_EQ(result.status, Exited(0));
    for (const char *name : kOptionNames) {
        EXPECT_NE(result.output.find(name), std::string::npos) << name;
    }
    EXPECT_EQ(result.errors, "");
    EXPECT_EQ(ReadFile(log_path_), kOldLog);
}

TEST_F(CommandLineTest, HelpTellsTheDefaults) {
    const std::string help = Run({"--help"}).output;
    for (const char *value : {"4000", "127.0.0.1", "1024", "numbers.log", "refuse", "interval"}) {
        EXPECT_NE(help.find(value), std::string::npos) << value;
    }
}

TEST_F(CommandLineTest, VersionNamesTheKernels) {
    ProcessOptions options = NumbersServerCommand({"--version"});
    options.working_directory = directory_.path();
    options.environment["NUMBERS_PARSER_KERNEL"] = "scalar";
    const ProcessResult result = RunToEnd(options);
    EXPECT_EQ(result.status, Exited(0));
    EXPECT_NE(result.output.find("1.0.0"), std::string::npos) << result.output;
    EXPECT_NE(result.output.find("parser kernel: scalar\n"), std::string::npos) << result.output;
    EXPECT_NE(result.output.find("formatter kernel: "), std::string::npos) << result.output;
    EXPECT_EQ(result.errors, "");
    EXPECT_EQ(ReadFile(log_path_), kOldLog);
}

TEST_F(CommandLineTest, UnknownOptionsAndArguments) {
    for (const WrongCommandLine &wrong : {
             WrongCommandLine{{"--unknown"}, "unknown"},
             WrongCommandLine{{"--unknown=5"}, "unknown"}, WrongCommandLine{{"-z"}, "z"},
             WrongCommandLine{{"extra"}, "extra"}, WrongCommandLine{{"--port=0", "extra"}, "extra"},
             WrongCommandLine{{"--", "extra"}, "extra"},
             WrongCommandLine{{"--resume=yes"}, "resume"},
             WrongCommandLine{{"--re"}, "re"}, // Ambiguous.
         }) {
        ExpectUsageError(wrong);
    }
}

TEST_F(CommandLineTest, MissingValues) {
    for (const std::string name :
         {"port", "bind", "max-clients", "concurrent-connections", "when-full", "log", "fsync",
          "profile", "threads", "fsync-interval", "report-interval", "idle-timeout", "log-level"}) {
        ExpectUsageError({{"--" + name}, name});
        ExpectUsageError({{"--" + name + "="}, name});
    }
}

TEST_F(CommandLineTest, WrongNumbers) {
    for (const std::string name : {"port", "max-clients", "concurrent-connections"}) {
        for (const std::string value :
             {"x", "-1", "5x", "x5", "1.5", " ", "5 ", "0x10", "1e3", "65536", "4294967297",
              "18446744073709551617", "99999999999999999999999999"}) {
            ExpectUsageError({{"--" + name + "=" + value}, name});
        }
    }
    ExpectUsageError({{"--threads=0"}, "threads"});
    ExpectUsageError({{"--threads=17"}, "threads"});
    ExpectUsageError({{"--max-clients=0"}, "max-clients"});
    ExpectUsageError({{"--max-clients=1025"}, "max-clients"});
    ExpectUsageError({{"--concurrent-connections=0"}, "concurrent-connections"});
    ExpectUsageError({{"--concurrent-connections=1025"}, "concurrent-connections"});
}

TEST_F(CommandLineTest, WrongDurations) {
    for (const std::string name : {"report-interval", "fsync-interval", "idle-timeout"}) {
        for (const std::string value :
             {"x", "-1", "-0.5", "5x", "nan", "inf", "1e999", " ", "1s"}) {
            ExpectUsageError({{"--" + name + "=" + value}, name});
        }
    }
    ExpectUsageError({{"--report-interval=0"}, "report-interval"});
}

TEST_F(CommandLineTest, WrongWords) {
    for (const std::string option : {"when-full=maybe", "when-full=Refuse", "fsync=sometimes",
                                     "fsync=alway", "log-level=loud"}) {
        ExpectUsageError({{"--" + option}, option.substr(0, option.find('='))});
    }
}

TEST_F(CommandLineTest, UnknownKernelIsAUsageError) {
    for (const std::string name : {"NUMBERS_PARSER_KERNEL", "NUMBERS_FORMATTER_KERNEL"}) {
        ProcessOptions options = NumbersServerCommand({"--port=0"});
        options.working_directory = directory_.path();
        options.environment[name] = "nonsense";
        const ProcessResult result = RunToEnd(options);
        EXPECT_EQ(result.status, Exited(2));
        EXPECT_EQ(SplitLines(result.errors).size(), 1u) << result.errors;
        EXPECT_NE(result.errors.find(name), std::string::npos) << result.errors;
        EXPECT_EQ(ReadFile(log_path_), kOldLog);
    }
}

// However long or odd, it is one line, and the reason is in it.
TEST_F(CommandLineTest, PathsThatCannotBeOpened) {
    for (const std::string &path : {directory_.File(std::string(300, 'x')),
                                    directory_.File("missing/" + std::string(250, 'y')),
                                    std::string(4095, '/') /* the root */, std::string(4000, 'z'),
                                    std::string("missing\n/\x1b[2J\x9b/log")}) {
        SCOPED_TRACE(testing::PrintToString(path));
        const ProcessResult result = Run({"--port=0", "--log=" + path});
        EXPECT_EQ(result.status, Exited(1));
        ASSERT_EQ(SplitLines(result.errors).size(), 1u) << result.errors;
        const bool has_reason =
            result.errors.find(": File name too long\n") != std::string::npos ||
            result.errors.find(": No such file or directory\n") != std::string::npos ||
            result.errors.find(": Is a directory\n") != std::string::npos;
        EXPECT_TRUE(has_reason) << result.errors;
        for (const char byte : result.errors.substr(0, result.errors.size() - 1)) {
            EXPECT_TRUE(byte >= ' ' && byte <= '~') << result.errors;
        }
    }
    ExpectUsageError({{"--port=0", "--log=" + std::string(5000, 'z')}, "--log"});
}

TEST_F(CommandLineTest, AnOptionIsNotTheValueThatWasForgottenBeforeIt) {
    ExpectUsageError({{"--port=0", "--log", "--resume"}, "--log needs a value"});
    EXPECT_NE(access(directory_.File("--resume").c_str(), F_OK), 0);
}

TEST_F(CommandLineTest, AddressesThatNameNothing) {
    ExpectUsageError({{"--port=0", "--bind=300.1.1.1"}, "'300.1.1.1'"});
    ExpectUsageError({{"--port=0", "--bind=127.0.0.1", "--bind=[::1"}, "'[::1'"});
}

// Whether a well-formed address is one of this machine's shows only when it is used.
TEST_F(CommandLineTest, AddressOfAnotherMachineIsAFailedStart) {
    const ProcessResult result = Run({"--port=0", "--bind=192.0.2.1"});
    EXPECT_EQ(result.status, Exited(1));
    EXPECT_NE(result.errors.find("192.0.2.1"), std::string::npos) << result.errors;
    EXPECT_EQ(ReadFile(log_path_), kOldLog);
}

// A usage error is found before anything is touched, wherever it stands.
TEST_F(CommandLineTest, GoodOptionsBeforeAWrongOneHaveNoEffect) {
    ExpectUsageError(
        {{"--port=0", "--log=" + log_path_, "--fsync=never", "--max-clients=0"}, "max-clients"});
}

TEST_F(CommandLineTest, ValuesInBothSpellings) {
    ExpectGoodStart({"--max-clients", "1"});
    ExpectGoodStart({"--max-clients=1024"});
    ExpectGoodStart({"--when-full", "refuse", "--when-full=wait"});
    ExpectGoodStart({"--fsync", "never", "--fsync=interval"});
    ExpectGoodStart({"--fsync-interval", "0.5", "--fsync-interval=2"});
    ExpectGoodStart({"--report-interval", "0.25", "--report-interval=7"});
    ExpectGoodStart({"--idle-timeout", "0", "--idle-timeout=1.5"});
    ExpectGoodStart({"--bind", "127.0.0.1", "--port", "0"});
    for (const char *level : {"debug", "info", "warning", "error"}) {
        ExpectGoodStart({"--log-level", level});
    }
}

TEST_F(CommandLineTest, LaterValueWins) {
    NumbersServer server({"--max-clients=5", "--max-clients=1"});
    const TcpClient served = server.ConnectServed(NumberLine(0));
    EXPECT_EQ(server.Connect().WaitForEnding(), Ending::kReset);
}

TEST_F(CommandLineTest, ReadyLineNamesTheAddressOnStandardError) {
    NumbersServer server;
    const std::string address = "listening on 127.0.0.1:" + std::to_string(server.port());
    EXPECT_TRUE(HasLineWith(address)(server.process().errors())) << server.process().errors();
    EXPECT_EQ(server.process().output(), "");
}

TEST_F(CommandLineTest, EveryNumberOfThreadsGivesTheSameLog) {
    for (const char *thread_count : {"1", "2", "5", "16"}) {
        NumbersServer server({"--threads", thread_count});
        for (std::uint32_t round = 0; round < 5; ++round) {
            EXPECT_EQ(server.Deliver(NumberLines(round * 10000, 20000)), Ending::kFin);
        }
        EXPECT_EQ(server.Stop(), Exited(0));
        EXPECT_EQ(server.Log(), NumberRange(0, 60000)) << thread_count;
        EXPECT_EQ(SumReports(server.Reports()), (Report{60000, 40000, 60000}));
    }
}

TEST_F(CommandLineTest, LogLevelErrorSaysNoMoreThanThatItIsReady) {
    ProcessOptions options =
        NumbersServerCommand({"--port=0", "--log-level=error", "--report-interval=0.05"});
    options.working_directory = directory_.path();
    Process process(options);
    ASSERT_TRUE(process.WaitForOutput(HasLineWith("Received")));
    process.Signal(SIGTERM);
    EXPECT_EQ(process.WaitForExit(), Exited(0));
    EXPECT_EQ(SplitLines(process.errors()).size(), 1u) << process.errors();
    EXPECT_TRUE(HasLineWith("listening on 127.0.0.1:")(process.errors())) << process.errors();
}

} // namespace
} // namespace harness
