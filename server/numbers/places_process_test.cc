// RELIABILITY row 20: a place is for a client that may still send. Who has come and gone takes
// none, however late the server gets to see it, and so a sender that opens one connection after the
// other loses nothing.

#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "server/numbers/fault_table.h"
#include "server/numbers/numbers_process.h"
#include "testing/files.h"
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

// How a client goes: by an orderly close, or by RST.
enum class Leaving { kClose, kReset };

// Connects, sends, and goes, without waiting for anything.
void SendAndLeave(const NumbersServer &server, std::string_view bytes,
                  Leaving leaving = Leaving::kClose) {
    TcpClient client = server.Connect();
    EXPECT_TRUE(client.Send(bytes));
    if (leaving == Leaving::kReset) {
        client.Reset();
    }
}

// A server that sees nothing of what happens until it is released.
class StoppedServer {
  public:
    explicit StoppedServer(const std::vector<std::string> &arguments = {}) : server_(arguments) {
        server_.process().Signal(SIGSTOP);
    }
    const NumbersServer &operator*() const {
        return server_;
    }
    NumbersServer *operator->() {
        return &server_;
    }
    void Release() {
        server_.process().Signal(SIGCONT);
    }

  private:
    NumbersServer server_;
};

class LeavingTest : public testing::TestWithParam<Leaving> {};
INSTANTIATE_TEST_SUITE_P(Leavings, LeavingTest, testing::Values(Leaving::kClose, Leaving::kReset),
                         [](const testing::TestParamInfo<Leaving> &information) {
                             return information.param == Leaving::kClose ? "Close" : "Reset";
                         });

TEST_P(LeavingTest, WhoHasGoneTakesNoPlace) {
    for (const char *max_clients : {"--max-clients=1", "--max-clients=5", "--max-clients=1024"}) {
        for (const char *when_full : {"--when-full=refuse", "--when-full=wait"}) {
            SCOPED_TRACE(std::string(max_clients) + " " + when_full);
            StoppedServer server({max_clients, when_full});
            for (int count = 0; count < 50; ++count) {
                SendAndLeave(*server, "", GetParam());
            }
            TcpClient real = server->Connect();
            EXPECT_TRUE(real.Send(NumberLine(1)));
            real.HalfClose();
            server.Release();
            EXPECT_EQ(real.WaitForEnding(), Ending::kFin);
            EXPECT_EQ(server->Stop(), Exited(0));
            EXPECT_EQ(server->Log(), NumberRange(1, 1));
        }
    }
}

// Data that has arrived before an RST is kept by Linux, and what is before it counts.
TEST_P(LeavingTest, WhatTheySentIsStored) {
    constexpr std::uint32_t kCount = 200;
    StoppedServer server;
    for (std::uint32_t number = 0; number < kCount; ++number) {
        SendAndLeave(*server, NumberLine(number), GetParam());
    }
    server.Release();
    EXPECT_TRUE(Await([&] { return server->Log().size() == kCount; }));
    EXPECT_EQ(server->Stop(), Exited(0));
    EXPECT_EQ(server->Log(), NumberRange(0, kCount));
}

// The window is full long before the end, which so has not arrived when the others come.
TEST(PlacesTest, AnEndBehindMegabytesIsWaitedFor) {
    constexpr std::uint32_t kCount = 12;
    constexpr size_t kLineCount = 100000;
    for (const char *max_clients : {"--max-clients=1", "--max-clients=5"}) {
        StoppedServer server({max_clients});
        for (std::uint32_t index = 0; index < kCount; ++index) {
            SendAndLeave(*server, NumberLines(index * kLineCount, kLineCount));
        }
        server.Release();
        const Clock::time_point start = Clock::now();
        EXPECT_EQ(server->Deliver(NumberLine(999999999)), Ending::kFin);
        EXPECT_TRUE(Await([&] { return server->Log().size() == kCount * kLineCount + 1; }));
        EXPECT_EQ(server->Stop(), Exited(0));
        const std::vector<std::uint32_t> log = server->Log();
        EXPECT_EQ(log.size(), kCount * kLineCount + 1);
        FaultTable::Get().Add(
            std::string("20: 1 MB and gone before the server saw it, ") + max_clients, kCount,
            "every line in the log after " +
                std::to_string(duration_cast<milliseconds>(Clock::now() - start).count()) + " ms");
    }
}

// A stream that is never empty may hide its end for ever; it is looked for within bounds. The
// numbers are always the same ones, so that the disk is not what all wait for.
TEST(PlacesTest, WhoIsOneTooManyIsRefusedThoughTheOthersNeverPause) {
    constexpr std::uint32_t kClientCount = 5;
    constexpr size_t kLineCount = 50000;
    NumbersServer server;
    std::atomic<bool> is_over{false};
    std::vector<std::thread> streams;
    for (std::uint32_t index = 0; index < kClientCount; ++index) {
        TcpClient client = server.ConnectServed(NumberLine(index * kLineCount));
        streams.emplace_back([&is_over, index, client = std::move(client)]() mutable {
            const std::string lines = NumberLines(index * kLineCount, kLineCount);
            while (!is_over && client.Send(lines)) {
            }
        });
    }
    for (int attempt = 0; attempt < 20; ++attempt) {
        TcpClient beyond = server.Connect();
        beyond.Send(NumberLine(999999999));
        EXPECT_EQ(beyond.WaitForEnding(), Ending::kReset);
    }
    is_over = true;
    for (std::thread &stream : streams) {
        stream.join();
    }
    EXPECT_EQ(server.Stop(), Exited(0));
    EXPECT_EQ(server.Log(), NumberRange(0, kClientCount * kLineCount));
}

// Nobody can be read from, so nobody knows who will be gone: who comes has to wait.
TEST(PlacesTest, NobodyIsRefusedWhileAFullDiskHoldsTheOthersBack) {
    constexpr size_t kLineCount = 4000000; // more than the writer's blocks hold
    constexpr std::uint32_t kLaterCount = 20;
    NumbersServer server({"--max-clients=1"});
    const rlimit limit{1005, RLIM_INFINITY};
    ASSERT_EQ(prlimit(server.process().pid(), RLIMIT_FSIZE, &limit, nullptr), 0);
    const std::string lines = NumberLines(0, kLineCount);
    auto held = std::make_unique<TcpClient>(server.Connect());
    while (held->Send(lines, milliseconds(2000))) {
    }
    // Its own kernel keeps what the server's has no room for.
    held.reset();
    for (std::uint32_t number = 0; number < kLaterCount; ++number) {
        SendAndLeave(server, NumberLine(kLineCount + number));
    }
    const rlimit no_limit{RLIM_INFINITY, RLIM_INFINITY};
    ASSERT_EQ(prlimit(server.process().pid(), RLIMIT_FSIZE, &no_limit, nullptr), 0);
    // A line that the disk had room for only in part is finished later.
    EXPECT_TRUE(Await([&] {
        return ReadFile(server.log_path()).size() == (kLineCount + kLaterCount) * kLineSize;
    }));
    EXPECT_EQ(server.Stop(), Exited(0));
    EXPECT_EQ(server.Log(), NumberRange(0, kLineCount + kLaterCount));
}

// Nothing can be stored, so those who wait for that are as many as there is room for. Who comes
// then waits in the kernel's queue.
TEST(PlacesTest, WhoComesWhenNoMoreCanWaitToBeStoredIsNotRefused) {
    constexpr size_t kPlaceCount = 2;
    constexpr size_t kPlacelessCount = 512; // at most, as the README says
    constexpr std::uint32_t kCount = kPlacelessCount + 100;
    NumbersServer server({"--max-clients=" + std::to_string(kPlaceCount)});
    const size_t descriptor_count = ReadDescriptors(server.process().pid()).size();
    const rlimit limit{5, RLIM_INFINITY};
    ASSERT_EQ(prlimit(server.process().pid(), RLIMIT_FSIZE, &limit, nullptr), 0);
    std::vector<TcpClient> clients;
    for (std::uint32_t number = 0; number < kCount; ++number) {
        clients.push_back(server.Connect());
        EXPECT_TRUE(clients.back().Send(NumberLine(number)));
        clients.back().HalfClose();
    }
    const auto accepted_count = [&] {
        return ReadDescriptors(server.process().pid()).size() - descriptor_count;
    };
    EXPECT_TRUE(Await([&] { return accepted_count() >= kPlaceCount + kPlacelessCount; }));
    EXPECT_EQ(clients.back().WaitForEnding(milliseconds(100)), Ending::kNone);
    EXPECT_EQ(accepted_count(), kPlaceCount + kPlacelessCount);
    const rlimit no_limit{RLIM_INFINITY, RLIM_INFINITY};
    ASSERT_EQ(prlimit(server.process().pid(), RLIMIT_FSIZE, &no_limit, nullptr), 0);
    for (TcpClient &client : clients) {
        EXPECT_EQ(client.WaitForEnding(), Ending::kFin);
    }
    EXPECT_EQ(server.Stop(), Exited(0));
    EXPECT_EQ(server.Log(), NumberRange(0, kCount));
}

// What was there in full before the server was told to end is stored.
TEST(PlacesTest, WhoHasGoneBeforeTheEndIsStored) {
    constexpr std::uint32_t kCount = 100;
    for (const bool by_signal : {true, false}) {
        StoppedServer server;
        for (std::uint32_t number = 0; number < kCount; ++number) {
            SendAndLeave(*server, NumberLine(number));
        }
        TcpClient half_closed = server->Connect();
        EXPECT_TRUE(half_closed.Send(NumberLines(kCount, 1000)));
        half_closed.HalfClose();
        TcpClient live = server->Connect();
        if (by_signal) {
            kill(server->process().pid(), SIGTERM);
        } else {
            EXPECT_TRUE(live.Send("terminate\n"));
        }
        server.Release();
        EXPECT_EQ(half_closed.WaitForEnding(), Ending::kFin);
        EXPECT_EQ(live.WaitForEnding(), by_signal ? Ending::kReset : Ending::kFin);
        EXPECT_EQ(server->process().WaitForExit(), Exited(0));
        EXPECT_EQ(server->Log(), NumberRange(0, kCount + 1000));
    }
}

// What keeps the machine or the server from being quick.
enum class Burden { kNone, kTwoBusyProcesses, kTenthOfAProcessor, kFullBacklog };

class Burdened {
  public:
    Burdened(NumbersServer *server, Burden burden) : server_(server), burden_(burden) {
        if (burden == Burden::kTwoBusyProcesses) {
            for (int count = 0; count < 2; ++count) {
                ProcessOptions options;
                options.arguments = {"/bin/sh", "-c", "while :; do :; done"};
                busy_.push_back(std::make_unique<Process>(options));
            }
        } else if (burden == Burden::kTenthOfAProcessor) {
            throttle_ = std::thread([this] { Throttle(); });
        } else if (burden == Burden::kFullBacklog) {
            server_->process().Signal(SIGSTOP);
        }
    }
    ~Burdened() {
        is_over_ = true;
        if (throttle_.joinable()) {
            throttle_.join();
        }
    }
    Burdened(const Burdened &) = delete;
    Burdened &operator=(const Burdened &) = delete;

    void Release() {
        if (burden_ == Burden::kFullBacklog) {
            server_->process().Signal(SIGCONT);
        }
    }

  private:
    // As a control group does it: a tenth of every period.
    void Throttle() {
        while (!is_over_) {
            kill(server_->process().pid(), SIGSTOP);
            std::this_thread::sleep_for(milliseconds(9));
            kill(server_->process().pid(), SIGCONT);
            std::this_thread::sleep_for(milliseconds(1));
        }
    }

    NumbersServer *server_;
    Burden burden_;
    std::vector<std::unique_ptr<Process>> busy_;
    std::atomic<bool> is_over_{false};
    std::thread throttle_;
};

struct Senders {
    const char *name;
    int sender_count;
    std::vector<std::string> arguments;
    Burden burden;
    milliseconds pause;        // between two connections of a sender
    std::uint32_t short_count; // of connections; a long form has 20 000
};
std::ostream &operator<<(std::ostream &stream, const Senders &senders) {
    return stream << senders.name;
}

class FireAndForgetTest : public testing::TestWithParam<Senders> {};

constexpr milliseconds kNoPause{0};
constexpr milliseconds kFivePause{25};
INSTANTIATE_TEST_SUITE_P(
    Senders, FireAndForgetTest,
    testing::Values(
        Senders{"OneBesideTwoBusyProcesses", 1, {}, Burden::kTwoBusyProcesses, kNoPause, 1000},
        Senders{"FiveBesideTwoBusyProcesses", 5, {}, Burden::kTwoBusyProcesses, kNoPause, 1000},
        Senders{
            "OneWithFsyncAlways", 1, {"--fsync=always"}, Burden::kTwoBusyProcesses, kNoPause, 1000},
        Senders{"FiveWithFsyncAlways",
                5,
                {"--fsync=always"},
                Burden::kTwoBusyProcesses,
                kNoPause,
                1000},
        Senders{"OneWithATenthOfAProcessor", 1, {}, Burden::kTenthOfAProcessor, kNoPause, 1000},
        Senders{"FiveWithATenthOfAProcessor", 5, {}, Burden::kTenthOfAProcessor, kNoPause, 1000},
        Senders{"TwoHundredASecond", 5, {}, Burden::kNone, kFivePause, 200},
        Senders{
            "OneWithOnePlace", 1, {"--max-clients=1"}, Burden::kTwoBusyProcesses, kNoPause, 1000},
        Senders{"FiveThatWait",
                5,
                {"--max-clients=1", "--when-full=wait"},
                Burden::kTwoBusyProcesses,
                kNoPause,
                1000},
        Senders{"FullBacklog", 1, {}, Burden::kFullBacklog, kNoPause, 3000}),
    [](const testing::TestParamInfo<Senders> &information) { return information.param.name; });

TEST_P(FireAndForgetTest, EveryLineIsInTheLog) {
    const Senders &senders = GetParam();
    const bool is_long = IsLongForm() && senders.burden != Burden::kFullBacklog;
    const std::uint32_t line_count = is_long ? 20000 : senders.short_count;
    const int round_count = is_long ? 3 : 1;
    for (int round = 0; round < round_count; ++round) {
        NumbersServer server(senders.arguments);
        const Clock::time_point start = Clock::now();
        {
            Burdened burdened(&server, senders.burden);
            std::atomic<std::uint32_t> next_number{0};
            std::vector<std::thread> threads;
            for (int index = 0; index < senders.sender_count; ++index) {
                threads.emplace_back([&] {
                    std::uint32_t number = 0;
                    while ((number = next_number++) < line_count) {
                        SendAndLeave(server, NumberLine(number));
                        std::this_thread::sleep_for(senders.pause);
                    }
                });
            }
            for (std::thread &thread : threads) {
                thread.join();
            }
            burdened.Release();
            EXPECT_TRUE(Await([&] { return server.Log().size() == line_count; }, 2 * kPatience));
        }
        const auto time = duration_cast<milliseconds>(Clock::now() - start);
        EXPECT_EQ(server.Stop(), Exited(0));
        const size_t logged_count = server.Log().size();
        EXPECT_EQ(logged_count, line_count) << "round " << round;
        FaultTable::Get().Add(std::string("20: ") + senders.name, line_count,
                              std::to_string(line_count - logged_count) + " lines lost, " +
                                  std::to_string(1000 * line_count / (time.count() + 1)) +
                                  " connections/s");
    }
}

} // namespace
} // namespace harness
