// RELIABILITY rows 4 and 5: a disk that is full, met by the running program. It waits for room,
// loses nothing, and says so once.

#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
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
#include "testing/tcp_client.h"
#include "gtest/gtest.h"

namespace harness {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

constexpr char kWaitsForRoom[] = "cannot write the log: ";
constexpr char kOffersToEnd[] = "a second SIGTERM or SIGINT ends the server at once";
constexpr char kEndsAtOnce[] = " error ending at once: up to ";

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
    NumbersServer server({"--log=" + disk.File("numbers.log"), "--http-port=0"});
    const std::uint16_t http_port = WaitForHttpPort(&server.process());
    EXPECT_TRUE(WaitForHttpCode(http_port, "/readyz", 200));
    std::future<Ending> delivery = server.DeliverMeanwhile(NumberLines(0, kLineCount));
    ASSERT_TRUE(server.process().WaitForErrors(HasLineWith(kWaitsForRoom)));
    // Its last line may be half there, to be finished when there is room.
    std::string partial_log = ReadFile(disk.File("numbers.log"));
    partial_log.resize(partial_log.size() / kLineSize * kLineSize);
    EXPECT_EQ(ParseNumberLog(partial_log).problem, "");
    EXPECT_LT(partial_log.size(), kLineCount * kLineSize);
    EXPECT_TRUE(WaitForHttpCode(http_port, "/readyz", 503));
    EXPECT_EQ(HttpGet(http_port, "/readyz").body,
              "the log cannot be written: No space left on device; the clients wait\n");
    EXPECT_EQ(HttpGet(http_port, "/healthz").code, 200);

    const Clock::time_point start = Clock::now();
    ASSERT_EQ(unlink(disk.File("ballast").c_str()), 0);
    EXPECT_EQ(delivery.get(), Ending::kFin);
    const auto delay = duration_cast<milliseconds>(Clock::now() - start);
    EXPECT_TRUE(WaitForHttpCode(http_port, "/readyz", 200));
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
        // On a file system that copies on write a cut fails on a full disk, too.
        EXPECT_EQ(CallCount(server.process(), "ftruncate"), 0u);
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
    EXPECT_TRUE(server.process().WaitForErrors(HasLineWith(kOffersToEnd)));
    server.process().Signal(SIGTERM);
    EXPECT_EQ(server.process().WaitForExit(), Exited(74));
    EXPECT_EQ(client.WaitForEnding(), Ending::kReset) << "its lines are not all stored";
    EXPECT_EQ(CountLinesWith(server.process().errors(),
                             std::string(kEndsAtOnce) +
                                 "1000 of the numbers that were received are not stored"),
              1u)
        << server.process().errors();
    EXPECT_TRUE(Await([&] { return ReadFile(server.log_path()).size() == 1000; }))
        << "the guard cuts the torn line off";
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
    std::future<Ending> delivery = server.DeliverMeanwhile(NumberLines(0, kLineCount));
    ASSERT_TRUE(server.process().WaitForErrors(HasLineWith(kWaitsForRoom)));
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
    EXPECT_TRUE(server.process().WaitForErrors(HasLineWith(kOffersToEnd)));
    server.process().Signal(SIGTERM);
    EXPECT_EQ(server.process().WaitForExit(), Exited(74));
    EXPECT_EQ(CountLinesWith(server.process().errors(), kWaitsForRoom), 1u);
    FaultTable::Get().Add("5: --log=/dev/full", 1, "one warning, nothing confirmed, exit 74");
}

} // namespace
} // namespace harness
