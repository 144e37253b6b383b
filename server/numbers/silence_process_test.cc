// RELIABILITY row 9: who falls silent is given up at the idle timeout, even one that no packet
// reaches any more; who is held back by the server is not.

#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include "server/numbers/fault_table.h"
#include "server/numbers/numbers_process.h"
#include "testing/patience.h"
#include "testing/process.h"
#include "testing/tcp_client.h"
#include "gtest/gtest.h"

namespace harness {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

constexpr char kNft[] = "/usr/sbin/nft";

// A network of this thread and of the processes that it starts: a loopback interface and nothing
// else. It goes with them.
class PrivateNetwork {
  public:
    PrivateNetwork() {
        if (access(kNft, X_OK) != 0) {
            problem_ = std::string("no ") + kNft + " (package nftables)";
        } else if (unshare(CLONE_NEWNET) != 0) {
            problem_ = std::string("no network of its own: ") + std::strerror(errno);
        } else {
            StartLoopback();
        }
        if (problem_.empty()) {
            Nft("add table inet hole; "
                "add chain inet hole input { type filter hook input priority 0; }");
        }
    }

    // Why there is none; empty when there is.
    const std::string &problem() const {
        return problem_;
    }

    // From now on every packet from and to the clients is lost without a word.
    void Swallow(const std::vector<TcpClient> &clients) {
        std::string rules;
        for (const TcpClient &client : clients) {
            for (const char *direction : {"sport", "dport"}) {
                rules += std::string("add rule inet hole input tcp ") + direction + " " +
                         std::to_string(client.own_port()) + " drop; ";
            }
        }
        Nft(rules);
    }

  private:
    void StartLoopback() {
        const int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        ifreq request{};
        std::strcpy(request.ifr_name, "lo");
        request.ifr_flags = IFF_UP;
        if (ioctl(descriptor, SIOCSIFFLAGS, &request) != 0) {
            problem_ = std::string("no loopback: ") + std::strerror(errno);
        }
        close(descriptor);
    }
    void Nft(const std::string &commands) {
        ProcessOptions options;
        options.arguments = {kNft, commands};
        const ProcessResult result = RunToEnd(options);
        if (result.status != Exited(0)) {
            problem_ = "nft: " + result.errors;
        }
    }

    std::string problem_;
};

TEST(SilenceTest, APeerThatNoPacketReachesIsGivenUpAtTheTimeout) {
    constexpr std::uint32_t kClientCount = 5;
    constexpr milliseconds kTimeout{2000};
    PrivateNetwork network;
    if (!network.problem().empty()) {
        FaultTable::Get().Add("9: black-holed peers", 0, "skipped: " + network.problem());
        GTEST_SKIP() << network.problem();
    }
    NumbersServer server({"--idle-timeout=2"});
    std::vector<TcpClient> lost;
    const Clock::time_point first_start = Clock::now();
    Clock::time_point start;
    for (std::uint32_t number = 0; number < kClientCount; ++number) {
        start = Clock::now();
        lost.push_back(server.ConnectServed(NumberLine(number) + "9"));
    }
    network.Swallow(lost);
    ASSERT_EQ(network.problem(), "");
    if (Clock::now() - first_start > kTimeout / 2) {
        GTEST_SKIP() << "this machine is too slow to cut them off before the timeout";
    }
    for (TcpClient &client : lost) {
        EXPECT_TRUE(client.Send("99999999\n"));
        client.HalfClose();
    }
    EXPECT_EQ(server.DeliverWhenFree(NumberLine(kClientCount)), Ending::kFin);
    // The places go one after the other, as they were taken; the last one's is what is promised.
    std::vector<TcpClient> next;
    EXPECT_TRUE(Await([&] {
        TcpClient client = server.Connect();
        client.Send("0");
        client.WaitUntilRead();
        if (client.WaitForEnding(milliseconds(0)) == Ending::kNone) {
            next.push_back(std::move(client));
        }
        return next.size() == kClientCount;
    }));
    const auto delay = duration_cast<milliseconds>(Clock::now() - start);
    EXPECT_GE(delay, kTimeout);
    for (TcpClient &client : lost) {
        EXPECT_EQ(client.WaitForEnding(milliseconds(0)), Ending::kNone) << "no packet reaches it";
    }
    EXPECT_EQ(server.Stop(), Exited(0));
    EXPECT_EQ(server.Log(), NumberRange(0, kClientCount + 1));
    FaultTable::Get().Add("9: black-holed peers, --idle-timeout=2", kClientCount,
                          "whole lines kept, all places free after " +
                              std::to_string(delay.count()) + " ms");
}

// The disk has no room for so long that the server's buffers are full, and no client is read from.
// Nothing that a client sends can be seen then, so its silence does not count.
TEST(SilenceTest, AClientHeldBackByAFullDiskIsNotIdle) {
    constexpr size_t kLineCount = 4000000; // more than the writer's blocks hold
    constexpr milliseconds kTimeout{1000};
    NumbersServer server({"--idle-timeout=1"});
    const rlimit limit{1005, RLIM_INFINITY};
    ASSERT_EQ(prlimit(server.process().pid(), RLIMIT_FSIZE, &limit, nullptr), 0);
    // Once the new numbers fill the writer's buffers, all others fill what is before them.
    const std::string lines = NumberLines(0, kLineCount);
    TcpClient client = server.Connect();
    const Clock::time_point deadline = Clock::now() + kPatience;
    while (client.Send(lines, 3 * kTimeout) && Clock::now() < deadline) {
    }
    EXPECT_EQ(client.WaitForEnding(milliseconds(0)), Ending::kNone);
    EXPECT_LT(Clock::now(), deadline) << "it was never held back";

    const rlimit no_limit{RLIM_INFINITY, RLIM_INFINITY};
    ASSERT_EQ(prlimit(server.process().pid(), RLIMIT_FSIZE, &no_limit, nullptr), 0);
    EXPECT_TRUE(client.Send(std::string_view(lines).substr(client.sent_size() % lines.size())));
    client.HalfClose();
    EXPECT_EQ(client.WaitForEnding(), Ending::kFin);
    EXPECT_EQ(server.Stop(), Exited(0));
    EXPECT_EQ(server.Log(), NumberRange(0, kLineCount));
    const Report sum = SumReports(server.Reports());
    EXPECT_EQ((sum.unique_count + sum.duplicate_count) * kLineSize, client.sent_size());
    FaultTable::Get().Add("9: held back 3 s by a full disk, --idle-timeout=1", 1,
                          "not idle: all " + std::to_string(client.sent_size() / kLineSize) +
                              " lines taken, FIN");
}

} // namespace
} // namespace harness
