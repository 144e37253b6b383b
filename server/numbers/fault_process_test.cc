// Ends and interruptions under load: RELIABILITY rows 1, 13 and 14. Each test adds what it found to
// the table at the end. NUMBERS_FAULT_ROUNDS in the environment sets how often (10 by default; in
// the long form: 100):
//
//   bazel test //server/numbers:fault_process_test --test_env=NUMBERS_FAULT_ROUNDS=100

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <random>
#include <set>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "server/numbers/fault_table.h"
#include "server/numbers/number_load.h"
#include "server/numbers/numbers_process.h"
#include "testing/process_facts.h"
#include "testing/sanitizer.h"
#include "gtest/gtest.h"

namespace harness {
namespace {

using std::chrono::duration_cast;
using std::chrono::microseconds;
using std::chrono::milliseconds;

std::uint32_t RoundCount() {
    const char *text = std::getenv("NUMBERS_FAULT_ROUNDS");
    return text == nullptr ? (IsLongForm() ? 100 : 10)
                           : static_cast<std::uint32_t>(std::stoul(text));
}

// Waits until the log holds a random number of lines: a random instant that depends on the
// server's progress, and so means the same on a slow machine. The first instants come early.
void AwaitRandomInstant(const NumbersServer &server, std::mt19937 *random) {
    constexpr size_t kHighestLineCount = 500000;
    const size_t highest_count = (*random)() % kHighestLineCount + 1;
    const size_t line_count = (*random)() % highest_count;
    EXPECT_TRUE(Await([&] {
        struct stat status {};
        return stat(server.log_path().c_str(), &status) == 0 &&
               static_cast<size_t>(status.st_size) >= line_count * kLineSize;
    }));
}

struct EndUnderLoad {
    const char *name;
    std::vector<int> signals; // none: a client sends "terminate"
};

class EndUnderLoadTest : public testing::TestWithParam<EndUnderLoad> {};

INSTANTIATE_TEST_SUITE_P(Ends, EndUnderLoadTest,
                         testing::Values(EndUnderLoad{"Terminate", {}},
                                         EndUnderLoad{"Sigterm", {SIGTERM}},
                                         EndUnderLoad{"Sigint", {SIGINT}},
                                         EndUnderLoad{"TwiceSigterm", {SIGTERM, SIGTERM}}),
                         [](const testing::TestParamInfo<EndUnderLoad> &information) {
                             return information.param.name;
                         });

TEST_P(EndUnderLoadTest, ExitsWithAllThatItCounted) {
    std::mt19937 random(13);
    const std::uint32_t round_count = RoundCount();
    Clock::duration longest{};
    size_t line_count = 0;
    for (std::uint32_t round = 0; round < round_count && !HasFailure(); ++round) {
        NumbersServer server({"--report-interval=0.05"});
        TcpClient terminator = server.ConnectServed("");
        NumberLoad load(server.port(), 4);
        AwaitRandomInstant(server, &random);
        const Clock::time_point start = Clock::now();
        if (GetParam().signals.empty()) {
            terminator.Send("terminate\n");
        }
        for (const int signal_number : GetParam().signals) {
            server.process().Signal(signal_number);
        }
        ASSERT_EQ(server.process().WaitForExit(), Exited(0));
        longest = std::max(longest, Clock::now() - start);
        const std::vector<std::uint32_t> log = server.Log();
        ExpectBeginnings(log, load.WaitForEnd());
        EXPECT_EQ(SumReports(server.Reports()), (Report{log.size(), 0, log.size()}));
        line_count += log.size();
    }
    FaultTable::Get().Add(
        std::string("13: ") + GetParam().name + " under load", round_count,
        "exit 0 after at most " + std::to_string(duration_cast<milliseconds>(longest).count()) +
            " ms, " + std::to_string(line_count) + " lines counted and in the logs, none missing");
}

// Clients that deliver small batches one after the other, and remember which the server confirmed.
class ConfirmedDeliveries {
  public:
    ConfirmedDeliveries(const NumbersServer &server, std::uint32_t first)
        : thread_([this, &server, first] { Run(server, first); }) {}
    ~ConfirmedDeliveries() {
        if (thread_.joinable()) {
            thread_.join();
        }
    }

    // Waits until the server is gone. Result: the confirmed numbers are `first` and so many more.
    size_t WaitForEnd() {
        thread_.join();
        return confirmed_count_;
    }

  private:
    static constexpr std::uint32_t kBatchCount = 100;

    void Run(const NumbersServer &server, std::uint32_t first) {
        try {
            while (server.Deliver(NumberLines(first + confirmed_count_, kBatchCount)) ==
                   Ending::kFin) {
                confirmed_count_ += kBatchCount;
            }
        } catch (const std::system_error &) {
            // Nobody listens any more.
        }
    }

    std::uint32_t confirmed_count_ = 0;
    std::thread thread_; // Last: it uses what is above.
};

// Waits until nobody holds the lock of the log: whoever tidies up after the server is done then.
bool AwaitUnlocked(const std::string &path) {
    const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    const bool is_unlocked = Await([&] { return flock(descriptor, LOCK_EX | LOCK_NB) == 0; });
    close(descriptor);
    return is_unlocked;
}

size_t CountWithin(const std::vector<std::uint32_t> &numbers, std::uint32_t first, size_t count) {
    const auto begin = std::lower_bound(numbers.begin(), numbers.end(), first);
    return static_cast<size_t>(
        std::lower_bound(begin, numbers.end(), first + static_cast<std::uint32_t>(count)) - begin);
}

TEST(KillTest, LosesNothingConfirmedAndTearsNoLine) {
    constexpr std::uint32_t kFirstConfirmed[] = {800000000, 900000000};
    std::mt19937 random(1);
    std::uint32_t round_count = 0;
    size_t confirmed_count = 0;
    size_t lost_count = 0; // of the confirmed ones
    size_t highest_unconfirmed_loss_count = 0;
    for (; round_count < RoundCount() && !HasFailure(); ++round_count) {
        NumbersServer server;
        NumberLoad load(server.port(), 3);
        ConfirmedDeliveries first(server, kFirstConfirmed[0]);
        ConfirmedDeliveries second(server, kFirstConfirmed[1]);
        AwaitRandomInstant(server, &random);
        server.process().Signal(SIGKILL);
        ASSERT_EQ(server.process().WaitForExit(), Killed(SIGKILL));
        EXPECT_TRUE(AwaitUnlocked(server.log_path()));

        // Log() fails on a torn line and on a number that is there twice.
        const std::vector<std::uint32_t> log = server.Log();
        const size_t first_count = first.WaitForEnd();
        const size_t second_count = second.WaitForEnd();
        confirmed_count += first_count + second_count;
        lost_count += first_count - CountWithin(log, kFirstConfirmed[0], first_count);
        lost_count += second_count - CountWithin(log, kFirstConfirmed[1], second_count);
        EXPECT_EQ(lost_count, 0u);
        size_t sent_count = 0;
        for (const size_t size : load.WaitForEnd()) {
            sent_count += size / kLineSize;
        }
        const size_t streamed_count = CountWithin(log, 0, kFirstConfirmed[0]);
        EXPECT_LE(streamed_count, sent_count);
        highest_unconfirmed_loss_count =
            std::max(highest_unconfirmed_loss_count, sent_count - streamed_count);

        // The next server goes on with what is there.
        NumbersServer next({"--resume", "--log=" + server.log_path()});
        EXPECT_EQ(next.Stop(), Exited(0));
    }
    FaultTable::Get().Add("1: kill -9 under load from 5 clients", round_count,
                          std::to_string(confirmed_count) + " confirmed lines, " +
                              std::to_string(lost_count) + " of them lost; at most " +
                              std::to_string(highest_unconfirmed_loss_count) +
                              " unconfirmed lines lost, those in socket buffers included; " +
                              (HasFailure() ? "FAILED" : "no torn and no duplicate line"));
}

// Killed alone, so that nothing would mend a torn line any more.
TEST(GuardTest, ItsLossIsWarnedOfOnceAndTheServerGoesOn) {
    constexpr char kWarning[] = " warning the tail guard has ended: ";
    NumbersServer server;
    EXPECT_EQ(server.Deliver(NumberLines(0, 100)), Ending::kFin);
    const std::set<pid_t> children = ReadChildren(server.process().pid());
    ASSERT_EQ(children.size(), 1u);
    EXPECT_FALSE(HasLineWith(kWarning)(server.process().errors()));
    ASSERT_EQ(kill(*children.begin(), SIGKILL), 0);
    EXPECT_TRUE(server.process().WaitForErrors(HasLineWith(kWarning)));
    EXPECT_EQ(server.Deliver(NumberLines(100, 100)), Ending::kFin);
    EXPECT_EQ(ReadChildren(server.process().pid()), children) << "no second guard is started";
    EXPECT_EQ(server.Terminate(), Exited(0));
    EXPECT_EQ(server.Log(), NumberRange(0, 200));
    EXPECT_EQ(CountLinesWith(server.process().errors(), kWarning), 1u) << server.process().errors();
    FaultTable::Get().Add("1: kill -9 of the tail guard alone", 1,
                          "one warning, goes on, nothing lost, exit 0");
}

// A stop and a continuation interrupt waiting system calls, even those that a handler with
// SA_RESTART would resume.
TEST(InterruptionTest, StopsAndContinuationsLoseNothing) {
    constexpr size_t kLineCount = 200000;
    constexpr std::uint32_t kClientCount = 4;
    NumbersServer server;
    std::atomic<std::uint32_t> confirmed_client_count{0};
    std::vector<std::thread> clients;
    for (std::uint32_t index = 0; index < kClientCount; ++index) {
        clients.emplace_back([&server, &confirmed_client_count, index] {
            const auto first = static_cast<std::uint32_t>(index * kLineCount);
            if (server.Deliver(NumberLines(first, kLineCount)) == Ending::kFin) {
                ++confirmed_client_count;
            }
        });
    }
    size_t interruption_count = 0;
    const Clock::time_point deadline = Clock::now() + kPatience;
    while ((confirmed_client_count < kClientCount || interruption_count < 1000) &&
           Clock::now() < deadline) {
        server.process().Signal(SIGSTOP);
        server.process().Signal(SIGCONT);
        server.process().Signal(SIGPIPE);
        ++interruption_count;
        std::this_thread::sleep_for(microseconds(100));
    }
    for (std::thread &client : clients) {
        client.join();
    }
    EXPECT_EQ(confirmed_client_count, kClientCount);
    EXPECT_EQ(server.Stop(), Exited(0));
    EXPECT_EQ(server.Log(), NumberRange(0, kClientCount * kLineCount));
    FaultTable::Get().Add("14: stopped and continued every 100 us", interruption_count,
                          std::to_string(kClientCount * kLineCount) + " lines, none lost");
}

TEST(InterruptionTest, LongStopIsFollowedByOneReport) {
    constexpr milliseconds kInterval{100};
    const Clock::time_point start = Clock::now();
    NumbersServer server({"--report-interval=0.1"});
    EXPECT_TRUE(server.process().WaitForOutput(HasLineWith("Received 0")));
    server.process().Signal(SIGSTOP);
    EXPECT_TRUE(Await([&] { return ReadState(server.process().pid()) == 'T'; }));
    const Clock::time_point stop = Clock::now();
    TcpClient client = server.Connect();
    EXPECT_TRUE(client.Send(NumberLine(0)));
    client.HalfClose();
    // The length of the stop is what is tested: there is nothing to await.
    EXPECT_EQ(client.WaitForEnding((IsLongForm() ? 100 : 30) * kInterval), Ending::kNone);
    const Clock::duration stopped = Clock::now() - stop;
    server.process().Signal(SIGCONT);
    EXPECT_EQ(client.WaitForEnding(), Ending::kFin);
    EXPECT_TRUE(server.process().WaitForOutput(HasLineWith("Received 1")));
    EXPECT_EQ(server.Stop(), Exited(0));

    // One report for each interval that the server ran, one for the stop, one for the next line of
    // the grid, which may follow the stop at once, and one at the end.
    const Clock::duration ran = Clock::now() - start - stopped;
    const auto due_count = static_cast<size_t>(ran / kInterval);
    const std::vector<Report> reports = server.Reports();
    EXPECT_LE(reports.size(), due_count + 3);
    EXPECT_EQ(SumReports(reports), (Report{1, 0, 1}));
    FaultTable::Get().Add("14: stopped for " +
                              std::to_string(duration_cast<milliseconds>(stopped).count()) + " ms",
                          1,
                          "ran for " + std::to_string(duration_cast<milliseconds>(ran).count()) +
                              " ms: " + std::to_string(reports.size()) + " reports, one each " +
                              std::to_string(kInterval.count()) + " ms");
}

// The silence was the server's own: whoever sent something meanwhile keeps the connection.
TEST(InterruptionTest, StopLongerThanTheIdleTimeoutSparesWhoSent) {
    constexpr milliseconds kTimeout{2000};
    NumbersServer server({"--idle-timeout=2"});
    std::vector<TcpClient> clients;
    for (std::uint32_t number = 0; number < 5; ++number) {
        clients.push_back(server.ConnectServed(NumberLine(number)));
    }
    server.process().Signal(SIGSTOP);
    EXPECT_TRUE(Await([&] { return ReadState(server.process().pid()) == 'T'; }));
    for (std::uint32_t number = 0; number < 5; ++number) {
        EXPECT_TRUE(clients[number].Send(NumberLine(number + 5)));
        clients[number].HalfClose();
    }
    EXPECT_EQ(clients[0].WaitForEnding(kTimeout + kTimeout / 4), Ending::kNone);
    server.process().Signal(SIGCONT);
    for (TcpClient &client : clients) {
        EXPECT_EQ(client.WaitForEnding(), Ending::kFin);
    }
    EXPECT_EQ(server.Stop(), Exited(0));
    EXPECT_EQ(server.Log(), NumberRange(0, 10));
}

TEST(MemoryTest, StaysUnder256MebibytesAtFullLoad) {
    if (kIsSanitized) {
        GTEST_SKIP() << "a sanitizer's own memory is no measure";
    }
    constexpr size_t kHighestKib = 256 * 1024;
    constexpr size_t kLogSize = 10 * 1000 * 1000 * kLineSize;
    NumbersServer server;
    // Every part of the map is used: one number in each of its pages, and many more.
    std::string scattered;
    for (std::uint32_t number = 0; number < 1000000000; number += 1000) {
        scattered += NumberLine(number);
    }
    EXPECT_EQ(server.Deliver(scattered), Ending::kFin);
    NumberLoad load(server.port(), 5);
    EXPECT_TRUE(Await([&] {
        struct stat status {};
        return stat(server.log_path().c_str(), &status) == 0 &&
               static_cast<size_t>(status.st_size) >= kLogSize;
    }));
    const ResidentMemory memory = ReadResidentMemory(server.process().pid());
    load.Stop();
    EXPECT_LE(memory.highest_kib, kHighestKib);
    EXPECT_EQ(server.Stop(), Exited(0));
    FaultTable::Get().Add("memory at full load", 1,
                          std::to_string(memory.highest_kib) + " KiB of at most " +
                              std::to_string(kHighestKib));
}

} // namespace
} // namespace harness
