// RELIABILITY rows 3 to 8: a disk that is full, slow or broken, and lines cut anywhere, met by the
// running program. Row 2 has a test of its own, fault_sweep_test.cc.

#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <future>
#include <string>
#include <utility>
#include <vector>

#include "server/numbers/fault_table.h"
#include "testing/files.h"
#include "testing/numbers_server.h"
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

ProcessOptions Faulty(const std::string &plan) {
    ProcessOptions options = NumbersServerCommand({});
    options.environment["OS_FAULT"] = plan;
    options.environment["OS_FAULT_COUNTS"] = "1";
    return options;
}

// How often the server that has ended called a function of the seam.
size_t CallCount(const Process &process, const std::string &function) {
    const std::string errors = process.errors();
    const std::string key = " " + function + "=";
    const size_t found = errors.find(key, errors.find("os_faulty: "));
    EXPECT_NE(found, std::string::npos) << errors;
    return found == std::string::npos ? 0 : std::stoul(errors.substr(found + key.size()));
}

constexpr char kWaitsForRoom[] = "cannot write the log: ";
constexpr char kOffersToAbandon[] = "a second SIGTERM or SIGINT abandons";

// Delivers lines from a thread of its own, because the server may hold the client back. The future
// waits for that thread at its end, and so has to end before the server.
std::future<Ending> DeliverMeanwhile(const NumbersServer &server, std::string lines,
                                     milliseconds patience = kPatience) {
    return std::async(std::launch::async, [&server, lines = std::move(lines), patience] {
        return server.Deliver(lines, patience);
    });
}

// A start that fails for want of memory, threads or descriptors must not have emptied the old log.
TEST(FailedStartTest, LeavesTheOldLogAlone) {
    const TemporaryDirectory directory;
    const std::string path = directory.File("numbers.log");
    for (const char *plan : {"map_memory:1:ENOMEM", "map_memory:2:ENOMEM", "map_memory:3:ENOMEM",
                             "eventfd:1:EMFILE", "thread_create:1:EAGAIN", "thread_create:2:EAGAIN",
                             "thread_create:3:EAGAIN", "thread_create:4:EAGAIN"}) {
        SCOPED_TRACE(plan);
        WriteFile(path, NumberLine(1));
        ProcessOptions options = Faulty(plan);
        options.arguments.insert(options.arguments.end(),
                                 {"--port=0", "--log=" + path, "--threads=1"});
        EXPECT_EQ(RunToEnd(options).status, Exited(1));
        EXPECT_EQ(ReadFile(path), NumberLine(1));
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

// A tmpfs of a mebibyte in a mount namespace of this thread, which its children share. It goes with
// the namespace at the latest.
class SmallDisk {
  public:
    SmallDisk() {
        if (unshare(CLONE_NEWNS) != 0 ||
            mount("none", "/", "", MS_REC | MS_PRIVATE, nullptr) != 0 ||
            mount("tmpfs", directory_.path().c_str(), "tmpfs", 0, "size=1m") != 0) {
            problem_ = std::strerror(errno);
        }
    }
    ~SmallDisk() {
        if (problem_.empty()) {
            umount2(directory_.path().c_str(), MNT_DETACH);
        }
    }

    // Why there is none; empty when there is.
    const std::string &problem() const {
        return problem_;
    }
    std::string File(const std::string &name) const {
        return directory_.File(name);
    }

  private:
    TemporaryDirectory directory_;
    std::string problem_;
};

TEST(FullDiskTest, ARealDiskThatHasRoomAgainLosesNothing) {
    constexpr size_t kLineCount = 60000;
    const SmallDisk disk;
    if (!disk.problem().empty()) {
        FaultTable::Get().Add("4: full tmpfs", 0, "skipped: cannot mount: " + disk.problem());
        GTEST_SKIP() << "cannot mount a small disk: " << disk.problem();
    }
    WriteFile(disk.File("ballast"), std::string(900 * 1024, 'x'));
    NumbersServer server({"--log=" + disk.File("numbers.log")});
    std::future<Ending> delivery = DeliverMeanwhile(server, NumberLines(0, kLineCount));
    ASSERT_TRUE(server.process().WaitForErrors(HasLineWith(kWaitsForRoom)));
    const std::vector<std::uint32_t> partial_log = ReadNumberLog(disk.File("numbers.log"));
    EXPECT_LT(partial_log.size(), kLineCount);

    const Clock::time_point start = Clock::now();
    ASSERT_EQ(unlink(disk.File("ballast").c_str()), 0);
    EXPECT_EQ(delivery.get(), Ending::kFin);
    const auto delay = duration_cast<milliseconds>(Clock::now() - start);
    EXPECT_EQ(server.Stop(), Exited(0));
    EXPECT_EQ(ReadNumberLog(disk.File("numbers.log")), NumberRange(0, kLineCount));
    EXPECT_EQ(CountLinesWith(server.process().errors(), kWaitsForRoom), 1u);
    FaultTable::Get().Add("4: full tmpfs", 1,
                          "whole lines, nothing lost, goes on after " +
                              std::to_string(delay.count()) + " ms, one warning");
}

// Full at every kind of place within a line, for as long as 20 writes.
TEST(FullDiskTest, AnInjectedOneThatHasRoomAgainLosesNothing) {
    constexpr size_t kLineCount = 3000;
    const size_t highest_size = IsLongForm() ? 30 : 12;
    for (size_t size = 1; size <= highest_size; ++size) {
        const std::string plan = "append:1:short=" + std::to_string(100 + size) +
                                 ",append:2:ENOSPC:5,append:7:short=" + std::to_string(size) +
                                 ",append:8:EDQUOT:3";
        NumbersServer server({}, Faulty(plan));
        EXPECT_EQ(server.Deliver(NumberLines(0, kLineCount)), Ending::kFin);
        EXPECT_EQ(server.Stop(), Exited(0));
        ASSERT_EQ(server.Log(), NumberRange(0, kLineCount)) << plan;
        ASSERT_EQ(CountLinesWith(server.process().errors(), kWaitsForRoom), 1u);
    }
    FaultTable::Get().Add("4: ENOSPC, EDQUOT injected within lines", highest_size,
                          "whole lines, nothing lost, one warning");
}

TEST(FullDiskTest, AskedTwiceItDoesNotWaitForRoom) {
    NumbersServer server({}, Faulty("append:1:short=1003,append:2:ENOSPC:always"));
    TcpClient client = server.Connect();
    EXPECT_TRUE(client.Send(NumberLines(0, 1000)));
    client.HalfClose();
    EXPECT_TRUE(server.process().WaitForErrors(HasLineWith(kWaitsForRoom)));
    server.process().Signal(SIGTERM);
    EXPECT_TRUE(server.process().WaitForErrors(HasLineWith(kOffersToAbandon)));
    server.process().Signal(SIGTERM);
    EXPECT_EQ(server.process().WaitForExit(), Exited(74));
    EXPECT_EQ(client.WaitForEnding(), Ending::kReset) << "its lines are not all stored";
    EXPECT_EQ(server.Log().size(), 100u);
    FaultTable::Get().Add("4: ENOSPC for good, SIGTERM twice", 1, "exit 74, whole lines, RST");
}

// As timeout(1) does, which signals the process and right after that its group.
TEST(FullDiskTest, AskedTwiceAtOnceItStillWaitsForRoom) {
    NumbersServer server({}, Faulty("append:1:short=1003,append:2:ENOSPC:25"));
    TcpClient client = server.Connect();
    EXPECT_TRUE(client.Send(NumberLines(0, 1000)));
    client.HalfClose();
    EXPECT_TRUE(server.process().WaitForErrors(HasLineWith(kWaitsForRoom)));
    server.process().Signal(SIGTERM);
    EXPECT_TRUE(server.process().WaitForErrors(HasLineWith("shutting down")));
    server.process().Signal(SIGTERM);
    EXPECT_EQ(client.WaitForEnding(), Ending::kFin);
    EXPECT_EQ(server.process().WaitForExit(), Exited(0));
    EXPECT_EQ(server.Log(), NumberRange(0, 1000));
    FaultTable::Get().Add("4: ENOSPC for 2.5 s, SIGTERM twice at once", 1,
                          "exit 0, nothing lost, FIN");
}

// The disk fills up, and then an fsync of what is there already fails: nobody is left to wait.
TEST(FullDiskTest, AFailedSyncEndsTheWaitForRoom) {
    NumbersServer server({"--threads=1", "--fsync-interval=0.001"},
                         Faulty("append:2:ENOSPC:always,fdatasync:1:delay=2000,fdatasync:1:EIO"));
    TcpClient client = server.Connect();
    EXPECT_TRUE(client.Send(NumberLines(0, 100)));
    EXPECT_TRUE(Await([&] { return server.Log().size() == 100; }));
    EXPECT_TRUE(client.Send(NumberLines(100, 100)));
    EXPECT_TRUE(server.process().WaitForErrors(HasLineWith(kWaitsForRoom)));
    EXPECT_EQ(server.process().WaitForExit(), Exited(74));
    EXPECT_EQ(client.WaitForEnding(), Ending::kReset);
    EXPECT_EQ(server.Log(), NumberRange(0, 100));
    EXPECT_EQ(CallCount(server.process(), "fdatasync"), 1u);
    FaultTable::Get().Add("6: EIO on a sync while the disk is full", 1,
                          "exit 74, whole lines, RST");
}

TEST(FileSizeLimitTest, IsNoDeathAndEndsWithTheLimit) {
    constexpr size_t kLineCount = 1000;
    NumbersServer server;
    // Not before the start: ThreadSanitizer's own start needs longer files.
    const rlimit limit{1005, RLIM_INFINITY};
    ASSERT_EQ(prlimit(server.process().pid(), RLIMIT_FSIZE, &limit, nullptr), 0);
    std::future<Ending> delivery = DeliverMeanwhile(server, NumberLines(0, kLineCount));
    ASSERT_TRUE(server.process().WaitForErrors(HasLineWith(kWaitsForRoom)));
    EXPECT_TRUE(Await([&] { return ReadFile(server.log_path()).size() == 1000; }))
        << "the torn line goes";
    const rlimit no_limit{RLIM_INFINITY, RLIM_INFINITY};
    ASSERT_EQ(prlimit(server.process().pid(), RLIMIT_FSIZE, &no_limit, nullptr), 0);
    EXPECT_EQ(delivery.get(), Ending::kFin);
    EXPECT_EQ(server.Stop(), Exited(0));
    EXPECT_EQ(server.Log(), NumberRange(0, kLineCount));
    EXPECT_EQ(CountLinesWith(server.process().errors(), kWaitsForRoom), 1u);
    FaultTable::Get().Add("5: RLIMIT_FSIZE", 1, "no SIGXFSZ, one warning, nothing lost");
}

TEST(FullDeviceTest, IsNoDeath) {
    NumbersServer server({"--log=/dev/full"});
    TcpClient client = server.Connect();
    EXPECT_TRUE(client.Send(NumberLines(0, 10)));
    client.HalfClose();
    EXPECT_TRUE(server.process().WaitForErrors(HasLineWith(kWaitsForRoom)));
    EXPECT_EQ(client.WaitForEnding(milliseconds(300)), Ending::kNone) << "nothing is confirmed";
    server.process().Signal(SIGTERM);
    EXPECT_TRUE(server.process().WaitForErrors(HasLineWith(kOffersToAbandon)));
    server.process().Signal(SIGTERM);
    EXPECT_EQ(server.process().WaitForExit(), Exited(74));
    EXPECT_EQ(CountLinesWith(server.process().errors(), kWaitsForRoom), 1u);
    FaultTable::Get().Add("5: --log=/dev/full", 1, "one warning, nothing confirmed, exit 74");
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
        deliveries.push_back(DeliverMeanwhile(
            server, NumberLines(static_cast<std::uint32_t>(index * line_count), line_count),
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
