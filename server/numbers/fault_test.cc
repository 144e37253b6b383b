// RELIABILITY rows 3 and 6 to 8: a disk that is slow or broken, and lines cut anywhere, met by the
// running program. Row 2 has a test of its own, fault_sweep_test.cc, and so has a full disk,
// full_disk_test.cc.

#include <csignal>
#include <future>
#include <string>
#include <vector>

#include "server/numbers/fault_table.h"
#include "server/numbers/faulty_server.h"
#include "server/numbers/numbers_process.h"
#include "testing/files.h"
#include "testing/http_client.h"
#include "testing/patience.h"
#include "testing/process.h"
#include "testing/process_facts.h"
#include "testing/sanitizer.h"
#include "testing/tcp_client.h"
#include "gtest/gtest.h"

namespace harness {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

// A start that fails must not have changed the old log, whichever step it was that failed.
TEST(FailedStartTest, LeavesTheOldLogAlone) {
    const TemporaryDirectory directory;
    const std::string path = directory.File("numbers.log");
    for (const char *plan : {"map_memory:1:ENOMEM", "map_memory:2:ENOMEM", "map_memory:3:ENOMEM",
                             "eventfd:1:EMFILE", "thread_create:1:EAGAIN", "thread_create:2:EAGAIN",
                             "thread_create:3:EAGAIN", "thread_create:4:EAGAIN", "fork:1:EAGAIN",
                             "fsync:1:EIO", "ftruncate:1:EIO", "send:1:EPIPE", "recv:1:EIO"}) {
        SCOPED_TRACE(plan);
        WriteFile(path, NumberLine(1));
        ProcessOptions options = Faulty(plan);
        options.arguments.insert(options.arguments.end(),
                                 {"--port=0", "--log=" + path, "--threads=1"});
        EXPECT_EQ(RunToEnd(options).status, Exited(1));
        EXPECT_EQ(ReadFile(path), NumberLine(1));
    }
}

// The status page comes last, and is no exception.
TEST(FailedStartTest, AStatusPageThatCannotBeLeavesTheOldLogAlone) {
    const TemporaryDirectory directory;
    const std::string path = directory.File("numbers.log");
    for (const char *plan :
         {"socket:2:EMFILE", "eventfd:1:EMFILE", "eventfd:3:EMFILE", "thread_create:5:EAGAIN"}) {
        SCOPED_TRACE(plan);
        WriteFile(path, NumberLine(1));
        ProcessOptions options = Faulty(plan);
        options.arguments.insert(options.arguments.end(),
                                 {"--port=0", "--log=" + path, "--threads=1", "--http-port=0"});
        EXPECT_EQ(RunToEnd(options).status, Exited(1));
        EXPECT_EQ(ReadFile(path), NumberLine(1));
    }
}

TEST(FailedStartTest, AGuardThatCannotWorkLeavesTheOldLogAlone) {
    const TemporaryDirectory directory;
    const std::string path = directory.File("numbers.log");
    // Enough for the server up to there, too few for the guard, and the other way round.
    for (rlim_t limit = 3; limit < 24; ++limit) {
        SCOPED_TRACE(limit);
        WriteFile(path, NumberLine(1));
        ProcessOptions options = NumbersServerCommand({"--port=0", "--log=" + path});
        options.limits.push_back({RLIMIT_NOFILE, rlimit{limit, limit}});
        Process process(options);
        const auto listens = HasLineWith("listening on ");
        if (process.WaitForErrors(listens)) {
            process.Signal(SIGTERM);
            EXPECT_EQ(process.WaitForExit(), Exited(0));
            continue;
        }
        (void)process.WaitForExit();
        EXPECT_EQ(ReadFile(path), NumberLine(1)) << process.errors();
    }
}

// Loading a log may take longer than an interval, and there is nothing to report before its end.
TEST(LoadingTest, ReportsNothing) {
    const TemporaryDirectory directory;
    const std::string path = directory.File("numbers.log");
    WriteFile(path, NumberLines(0, 100));
    ProcessOptions options = Faulty("pread:1:delay=1000");
    options.arguments.insert(options.arguments.end(),
                             {"--port=0", "--log=" + path, "--resume", "--report-interval=0.01"});
    Process process(options);
    ASSERT_TRUE(Await([&] { return ReadListeningPort(process.pid()) != 0; }));
    process.Signal(SIGTERM);
    EXPECT_EQ(process.WaitForExit(), Exited(0));
    EXPECT_TRUE(HasLineWith("asked to end while loading the log")(process.errors()))
        << process.errors();
    EXPECT_EQ(process.output(), "");
    EXPECT_EQ(ReadNumberLog(path), NumberRange(0, 100));
}

// Whoever waits at a terminal sees how far it is, and nothing of that once it is done.
TEST(LoadingTest, ShowsABarOnATerminal) {
    const TemporaryDirectory directory;
    const std::string path = directory.File("numbers.log");
    WriteFile(path, NumberLines(0, 100));
    ProcessOptions options = Faulty("pread:*:delay=150"); // longer than until a bar is drawn
    options.terminal_columns = 80;
    NumbersServer server({"--log=" + path, "--resume"}, options);
    EXPECT_EQ(server.Stop(), Exited(0));
    const std::string errors = server.process().errors();
    const size_t bar = errors.find("loading [##############################] 100 %");
    ASSERT_NE(bar, std::string::npos) << errors;
    EXPECT_NE(errors.find("\r\033[K", bar), std::string::npos) << errors;
    EXPECT_LT(bar, errors.find("resumed from")) << errors;
}

TEST(ShortWriteTest, EverySizeGivesTheSameLog) {
    constexpr size_t kLineCount = 300;
    std::vector<size_t> sizes = {1, 7, 9, 10, 11, 19, 4096};
    if (IsLongForm()) {
        for (size_t size = 1; size <= 120; ++size) {
            sizes.push_back(size);
        }
    }
    for (const size_t size : sizes) {
        NumbersServer server({}, Faulty("append:*:short=" + std::to_string(size)));
        EXPECT_EQ(server.Deliver(NumberLines(5, kLineCount)), Ending::kFin);
        EXPECT_EQ(server.Stop(), Exited(0));
        ASSERT_EQ(server.Log(), NumberRange(5, kLineCount)) << "writes of " << size;
    }
    FaultTable::Get().Add("3: short writes", sizes.size(), "the same log each time");
}

TEST(FailedPollTest, GoesOnWhenThereIsMemoryAgain) {
    NumbersServer server({}, Faulty("poll:5:ENOMEM:50"));
    EXPECT_EQ(server.Deliver(NumberLines(0, 1000)), Ending::kFin);
    EXPECT_EQ(server.Deliver(NumberLines(1000, 1000)), Ending::kFin);
    EXPECT_EQ(server.Stop(), Exited(0));
    EXPECT_EQ(server.Log(), NumberRange(0, 2000));
    EXPECT_EQ(server.process().errors().find("faults=0 "), std::string::npos);
    FaultTable::Get().Add("2: poll ENOMEM for a while", 50, "goes on, nothing lost");
}

struct FinalFault {
    const char *name;
    const char *plan;
    const char *policy;
    const char *function;
    size_t call_count; // how often the function has been called in the end
};

class FinalFaultTest : public testing::TestWithParam<FinalFault> {};

INSTANTIATE_TEST_SUITE_P(
    Faults, FinalFaultTest,
    testing::Values(
        FinalFault{"EioOnWrite", "append:1:short=1003,append:2:EIO", "interval", "append", 2},
        FinalFault{"ErofsOnWrite", "append:1:EROFS", "never", "append", 1},
        FinalFault{"EioOnOneSyncUnderAlways", "fdatasync:1:EIO", "always", "fdatasync", 1},
        FinalFault{"EioOnOneSyncUnderInterval", "fdatasync:1:EIO", "interval", "fdatasync", 1}),
    [](const testing::TestParamInfo<FinalFault> &information) { return information.param.name; });

TEST_P(FinalFaultTest, EndsWithExitCode74AndIsNotTriedAgain) {
    const FinalFault &fault = GetParam();
    NumbersServer server({std::string("--fsync=") + fault.policy, "--fsync-interval=0.05"},
                         Faulty(fault.plan));
    TcpClient client = server.Connect();
    const Clock::time_point start = Clock::now();
    EXPECT_TRUE(client.Send(NumberLines(0, 1000)));
    EXPECT_EQ(client.WaitForEnding(), Ending::kReset) << "it was not confirmed";
    EXPECT_EQ(server.process().WaitForExit(), Exited(74));
    const auto delay = duration_cast<milliseconds>(Clock::now() - start);
    EXPECT_EQ(CallCount(server.process(), fault.function), fault.call_count);
    EXPECT_EQ(CountLinesWith(server.process().errors(), "error cannot store the log: "), 1u);
    (void)server.Log(); // fails on a torn line
    FaultTable::Get().Add(std::string("6: ") + fault.plan + ", --fsync=" + fault.policy, 1,
                          "exit 74 after " + std::to_string(delay.count()) +
                              " ms, never tried again, RST, whole lines");
}

class SlowSyncTest : public testing::TestWithParam<const char *> {};

INSTANTIATE_TEST_SUITE_P(Policies, SlowSyncTest, testing::Values("always", "interval"),
                         [](const testing::TestParamInfo<const char *> &information) {
                             return std::string(information.param);
                         });

TEST_P(SlowSyncTest, HoldsTheClientsBackAndDropsNothing) {
    constexpr size_t kClientCount = 5;
    constexpr milliseconds kLongPatience = 10 * kPatience; // the long form's syncs take a minute
    const size_t line_count = IsLongForm() ? 2000000 : 200000;
    NumbersServer server({std::string("--fsync=") + GetParam(), "--fsync-interval=0.01"},
                         Faulty("fdatasync:*:delay=300"));
    const Clock::time_point start = Clock::now();
    std::vector<std::future<Ending>> deliveries;
    for (size_t index = 0; index < kClientCount; ++index) {
        deliveries.push_back(server.DeliverMeanwhile(
            NumberLines(static_cast<std::uint32_t>(index * line_count), line_count),
            kLongPatience));
    }
    for (std::future<Ending> &delivery : deliveries) {
        EXPECT_EQ(delivery.get(), Ending::kFin);
    }
    const auto time = duration_cast<milliseconds>(Clock::now() - start);
    const ResidentMemory memory = ReadResidentMemory(server.process().pid());
    if (!kIsSanitized) {
        EXPECT_LE(memory.highest_kib, size_t{256} * 1024);
    }
    EXPECT_EQ(server.Stop(), Exited(0));
    EXPECT_EQ(server.Log(), NumberRange(0, kClientCount * line_count));
    FaultTable::Get().Add(std::string("7: fsync takes 300 ms, --fsync=") + GetParam(),
                          CallCount(server.process(), "fdatasync"),
                          std::to_string(kClientCount * line_count) + " lines confirmed after " +
                              std::to_string(time.count()) + " ms, none lost, " +
                              std::to_string(memory.highest_kib / 1024) + " MiB at most");
}

constexpr char kDoesNotAnswer[] = " warning the disk of the log has not answered for ";

class HungDiskTest : public testing::TestWithParam<const char *> {};

INSTANTIATE_TEST_SUITE_P(Calls, HungDiskTest, testing::Values("append", "fdatasync"),
                         [](const testing::TestParamInfo<const char *> &information) {
                             return std::string(information.param);
                         });

// The disk never answers: it is said, and whoever does not want to wait does not have to.
TEST_P(HungDiskTest, TheSecondSignalEndsAtOnceAndSaysWhatIsNotStored) {
    NumbersServer server({"--fsync=always", "--http-port=0"},
                         Faulty(std::string(GetParam()) + ":1:hold"));
    TcpClient client = server.Connect();
    EXPECT_TRUE(client.Send(NumberLines(0, 1000)));
    client.HalfClose();
    EXPECT_TRUE(server.process().WaitForErrors(HasLineWith(kDoesNotAnswer)));
    const std::uint16_t http_port = WaitForHttpPort(&server.process());
    EXPECT_TRUE(WaitForHttpCode(http_port, "/readyz", 503));
    EXPECT_EQ(HttpGet(http_port, "/readyz").body.find("the disk has not answered for "), 0u);
    EXPECT_EQ(HttpGet(http_port, "/healthz").code, 200);
    server.process().Signal(SIGTERM);
    EXPECT_TRUE(server.process().WaitForErrors(HasLineWith("a second SIGTERM or SIGINT ends")));
    const Clock::time_point start = Clock::now();
    server.process().Signal(SIGTERM);
    EXPECT_EQ(server.process().WaitForExit(), Exited(74));
    const auto delay = duration_cast<milliseconds>(Clock::now() - start);
    EXPECT_EQ(client.WaitForEnding(), Ending::kReset) << "nothing is confirmed";
    EXPECT_EQ(CountLinesWith(server.process().errors(),
                             " error ending at once: up to 1000 of the numbers that were received "
                             "are not stored"),
              1u)
        << server.process().errors();
    EXPECT_EQ(CountLinesWith(server.process().errors(), kDoesNotAnswer), 1u);
    FaultTable::Get().Add(std::string("9: ") + GetParam() + " never returns, SIGTERM twice", 1,
                          "warned of after 5 s, exit 74 after " + std::to_string(delay.count()) +
                              " ms, RST");
}

TEST(SlowDiskTest, GoesOnWhenTheDiskAnswersAgain) {
    NumbersServer server({}, Faulty("append:1:delay=6000"));
    EXPECT_EQ(server.Deliver(NumberLines(0, 1000)), Ending::kFin);
    EXPECT_EQ(CountLinesWith(server.process().errors(), kDoesNotAnswer), 1u);
    EXPECT_TRUE(
        server.process().WaitForErrors(HasLineWith(" info the disk of the log answers again")));
    EXPECT_EQ(server.Stop(), Exited(0));
    EXPECT_EQ(server.Log(), NumberRange(0, 1000));
}

TEST(LockTest, AFileSystemWithoutLocksIsServedWithAWarning) {
    for (const char *error : {"ENOLCK", "ENOSYS", "EOPNOTSUPP", "EINVAL"}) {
        NumbersServer server({}, Faulty(std::string("lock_exclusive:*:") + error));
        EXPECT_EQ(server.Deliver(NumberLines(0, 1000)), Ending::kFin) << error;
        EXPECT_EQ(CountLinesWith(server.process().errors(), " warning "), 1u)
            << server.process().errors();
        EXPECT_EQ(server.Stop(), Exited(0));
        EXPECT_EQ(server.Log(), NumberRange(0, 1000));
    }
}

// Sends three lines in the pieces that the cuts make, each read before the next one is sent.
Ending SendCut(const NumbersServer &server, const std::string &lines,
               const std::vector<size_t> &cuts) {
    TcpClient client = server.Connect();
    size_t begin = 0;
    for (const size_t end : cuts) {
        EXPECT_TRUE(client.Send(std::string_view(lines).substr(begin, end - begin)));
        EXPECT_TRUE(client.WaitUntilRead());
        begin = end;
    }
    EXPECT_TRUE(client.Send(std::string_view(lines).substr(begin)));
    client.HalfClose();
    return client.WaitForEnding();
}

TEST(CutTest, ThreeLinesCutAnywhereAreTheSameThreeLines) {
    constexpr size_t kSize = 3 * kLineSize;
    NumbersServer server({"--max-clients=1024"});
    std::vector<std::vector<size_t>> all_cuts;
    for (size_t first = 1; first < kSize; ++first) {
        all_cuts.push_back({first});
        for (size_t second = first + 1; second < kSize; ++second) {
            all_cuts.push_back({first, second});
        }
    }
    all_cuts.emplace_back();
    for (size_t cut = 1; cut < kSize; ++cut) {
        all_cuts.back().push_back(cut); // one byte at a time
    }
    ASSERT_EQ(all_cuts.size(), 29u + 406u + 1u);
    for (size_t index = 0; index < all_cuts.size(); ++index) {
        const std::string lines = NumberLines(static_cast<std::uint32_t>(3 * index), 3);
        ASSERT_EQ(SendCut(server, lines, all_cuts[index]), Ending::kFin);
    }
    EXPECT_EQ(server.Stop(), Exited(0));
    EXPECT_EQ(server.Log(), NumberRange(0, 3 * all_cuts.size()));
    FaultTable::Get().Add("8: three lines cut once, twice, everywhere", all_cuts.size(),
                          "every line is in the log");
}

} // namespace
} // namespace harness
