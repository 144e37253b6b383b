// What the numbers server writes to standard output, and that nothing there can disturb it.

#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include "server/numbers/numbers_process.h"
#include "testing/patience.h"
#include "testing/process_facts.h"
#include "gtest/gtest.h"

namespace harness {
namespace {

// Waits until the reports' sums are `expected`.
bool AwaitSum(NumbersServer *server, const Report &expected) {
    return server->process().WaitForOutput([&expected](const std::string &output) {
        return SumReports(ParseReports(output)) == expected;
    });
}

// Waits for `count` more reports, and returns the newest.
Report NextReport(NumbersServer *server, size_t count = 1) {
    const size_t wanted_count = server->Reports().size() + count;
    EXPECT_TRUE(server->process().WaitForOutput([wanted_count](const std::string &output) {
        return SplitLines(output).size() >= wanted_count;
    }));
    return server->Reports().back();
}

TEST(ReportTest, TextAtExitIsExact) {
    NumbersServer server({"--report-interval=3600"});
    EXPECT_EQ(server.Deliver(NumberLines(0, 50) + NumberLines(0, 2)), Ending::kFin);
    EXPECT_EQ(server.Stop(), Exited(0));
    EXPECT_EQ(server.process().output(),
              "Received 50 unique numbers, 2 duplicates. Unique total: 50\n");
}

TEST(ReportTest, IsWrittenAtTerminateToo) {
    NumbersServer server({"--report-interval=3600"});
    TcpClient client = server.Connect();
    EXPECT_TRUE(client.Send("000000001\n000000001\n000000001\nterminate\n"));
    EXPECT_EQ(server.process().WaitForExit(), Exited(0));
    EXPECT_EQ(server.process().output(),
              "Received 1 unique numbers, 2 duplicates. Unique total: 1\n");
}

TEST(ReportTest, IsWrittenWhenNothingCame) {
    NumbersServer server;
    EXPECT_EQ(server.Stop(), Exited(0));
    EXPECT_EQ(server.process().output(),
              "Received 0 unique numbers, 0 duplicates. Unique total: 0\n");
}

TEST(ReportTest, DifferencesStartAnewAndTheTotalGoesOn) {
    NumbersServer server({"--report-interval=0.1"});
    EXPECT_EQ(server.Deliver(NumberLines(0, 50) + NumberLines(0, 2)), Ending::kFin);
    EXPECT_TRUE(AwaitSum(&server, Report{50, 2, 50}));
    EXPECT_EQ(NextReport(&server), (Report{0, 0, 50}));
    EXPECT_EQ(server.Deliver(NumberLines(40, 20)), Ending::kFin);
    EXPECT_TRUE(AwaitSum(&server, Report{60, 12, 60}));
    EXPECT_EQ(NextReport(&server), (Report{0, 0, 60}));
    EXPECT_EQ(server.Stop(), Exited(0));
    EXPECT_EQ(SumReports(server.Reports()), (Report{60, 12, 60}));
}

TEST(ReportTest, EveryTotalIsTheSumOfTheDifferences) {
    NumbersServer server({"--report-interval=0.02"});
    for (std::uint32_t round = 0; round < 20; ++round) {
        EXPECT_EQ(server.Deliver(NumberLines(round * 10000, 20000)), Ending::kFin);
    }
    EXPECT_EQ(server.Stop(), Exited(0));
    std::uint64_t total = 0;
    for (const Report &report : server.Reports()) {
        total += report.unique_count;
        EXPECT_EQ(report.unique_total, total);
    }
    EXPECT_EQ(SumReports(server.Reports()), (Report{210000, 190000, 210000}));
    EXPECT_EQ(server.Log(), NumberRange(0, 210000));
}

// The n-th report never comes before n intervals have passed; how late it may come is up to the
// machine, and so not asserted.
TEST(ReportTest, KeepsToItsSchedule) {
    constexpr std::chrono::milliseconds kInterval{200};
    const Clock::time_point start = Clock::now();
    NumbersServer server({"--report-interval=0.2"});
    for (size_t count = 1; count <= 8; ++count) {
        EXPECT_TRUE(server.process().WaitForOutput(
            [count](const std::string &output) { return SplitLines(output).size() >= count; }));
        EXPECT_GE(Clock::now() - start, kInterval * count);
    }
}

TEST(ReportTest, DefaultIntervalIsTenSeconds) {
    const Clock::time_point start = Clock::now();
    NumbersServer server;
    EXPECT_TRUE(server.process().WaitForOutput(
        [](const std::string &output) { return !SplitLines(output).empty(); }));
    EXPECT_GE(Clock::now() - start, std::chrono::seconds(10));
}

TEST(ReportTest, StandardOutputHasNothingElse) {
    NumbersServer server({"--report-interval=0.05", "--log-level=debug"});
    TcpClient wrong = server.Connect();
    wrong.Send("wrong\n");
    EXPECT_EQ(wrong.WaitForEnding(), Ending::kReset);
    NextReport(&server, 2);
    EXPECT_EQ(server.Stop(), Exited(0));
    // Reports() fails on any line that is no report.
    EXPECT_GE(server.Reports().size(), 3u);
    EXPECT_EQ(server.process().output().back(), '\n');
}

// Whoever reads the reports goes away: a server is not killed by that.
TEST(ReportTest, BrokenPipeDoesNotEndTheServer) {
    ProcessOptions options = NumbersServerCommand({});
    options.standard_output = OutputMode::kBrokenPipe;
    NumbersServer server({"--report-interval=0.01"}, options);
    for (std::uint32_t round = 0; round < 50; ++round) {
        ASSERT_EQ(server.Deliver(NumberLines(round * 1000, 1000)), Ending::kFin);
    }
    EXPECT_EQ(server.process().WaitForExit(std::chrono::milliseconds(100)), std::nullopt);
    EXPECT_EQ(server.Stop(), Exited(0));
    EXPECT_EQ(server.Log(), NumberRange(0, 50000));
}

TEST(ReportTest, FullPipeDoesNotStopIngestion) {
    ProcessOptions options = NumbersServerCommand({});
    options.standard_output = OutputMode::kFullPipe;
    NumbersServer server({"--report-interval=0.01"}, options);
    // Many reports are due meanwhile.
    EXPECT_EQ(server.process().WaitForExit(std::chrono::milliseconds(200)), std::nullopt);
    for (std::uint32_t round = 0; round < 50; ++round) {
        ASSERT_EQ(server.Deliver(NumberLines(round * 1000, 1000)), Ending::kFin);
        ASSERT_EQ(server.Log().size(), (round + 1) * 1000);
    }
}

TEST(ReportTest, FullPipeDoesNotHoldBackTheEnd) {
    for (const bool by_client : {false, true}) {
        ProcessOptions options = NumbersServerCommand({});
        options.standard_output = OutputMode::kFullPipe;
        NumbersServer server({"--report-interval=0.01"}, options);
        EXPECT_EQ(server.Deliver(NumberLines(0, 1000)), Ending::kFin);
        EXPECT_EQ(by_client ? server.Terminate() : server.Stop(), Exited(0));
        EXPECT_EQ(server.Log(), NumberRange(0, 1000));
    }
}

// A closed standard stream leaves its number free: no other file may get it, or a report ends up
// in the log.
TEST(ReportTest, ClosedStreamsDoNotLeakIntoTheLog) {
    for (const bool input_is_closed : {false, true}) {
        for (const OutputMode mode : {OutputMode::kCaptured, OutputMode::kClosed}) {
            ProcessOptions options = NumbersServerCommand({});
            options.standard_input_is_closed = input_is_closed;
            options.standard_output = mode;
            NumbersServer server({"--report-interval=0.01"}, options);
            for (std::uint32_t round = 0; round < 20; ++round) {
                EXPECT_EQ(server.Deliver(NumberLines(round * 100, 100)), Ending::kFin);
            }
            EXPECT_EQ(server.process().WaitForExit(std::chrono::milliseconds(50)), std::nullopt);
            EXPECT_EQ(server.Stop(), Exited(0));
            EXPECT_EQ(server.Log(), NumberRange(0, 2000));
        }
    }
}

struct ClosedStreams {
    const char *redirections; // by which a shell closes them
    std::vector<std::string> descriptors;
};

TEST(ReportTest, ClosedStreamsBecomeTheNullDevice) {
    for (const ClosedStreams &closed : {ClosedStreams{"<&-", {"0"}},
                                        {">&-", {"1"}},
                                        {"2>&-", {"2"}},
                                        {"<&- >&-", {"0", "1"}},
                                        {"<&- >&- 2>&-", {"0", "1", "2"}}}) {
        SCOPED_TRACE(closed.redirections);
        const TemporaryDirectory directory;
        const std::string path = directory.File("numbers.log");
        ProcessOptions options =
            NumbersServerCommand({"--port=0", "--log=" + path, "--report-interval=0.01"});
        options.arguments.insert(
            options.arguments.begin(),
            {"/bin/sh", "-c", std::string("exec \"$0\" \"$@\" ") + closed.redirections});
        Process process(options);
        // Without a standard error it cannot say which port it has.
        ASSERT_TRUE(Await([&] { return ReadListeningPort(process.pid()) != 0; }));
        TcpClient client(ReadListeningPort(process.pid()));
        EXPECT_TRUE(client.Send(NumberLines(0, 1000)));
        client.HalfClose();
        EXPECT_EQ(client.WaitForEnding(), Ending::kFin);
        const std::string links = "/proc/" + std::to_string(process.pid()) + "/fd/";
        for (const std::string &descriptor : closed.descriptors) {
            EXPECT_EQ(std::filesystem::read_symlink(links + descriptor), "/dev/null") << descriptor;
        }
        process.Signal(SIGTERM);
        EXPECT_EQ(process.WaitForExit(), Exited(0));
        EXPECT_EQ(ReadNumberLog(path), NumberRange(0, 1000));
    }
}

} // namespace
} // namespace harness
