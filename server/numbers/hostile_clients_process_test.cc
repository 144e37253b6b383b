// Clients that misbehave: RELIABILITY rows 9 to 12. Each test adds what it found to the table
// at the end.

#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "server/numbers/fault_table.h"
#include "server/numbers/numbers_process.h"
#include "testing/process_facts.h"
#include "gtest/gtest.h"

namespace harness {
namespace {

using std::chrono::duration_cast;
using std::chrono::microseconds;
using std::chrono::milliseconds;

// A client that has a place and whose bytes the server has read, for as many attempts as it takes:
// a place that was given up by a reset becomes free when the server gets to know of it.
TcpClient ConnectWhenFree(const NumbersServer &server, const std::string &bytes) {
    const Clock::time_point deadline = Clock::now() + kPatience;
    for (;;) {
        TcpClient client = server.Connect();
        client.Send(bytes);
        client.WaitUntilRead();
        if (client.WaitForEnding(milliseconds(0)) == Ending::kNone) {
            return client;
        }
        if (Clock::now() > deadline) {
            ADD_FAILURE() << "no place became free";
            return client;
        }
    }
}

TEST(HostileClientsTest, ThousandResetsInMidLine) {
    constexpr std::uint32_t kTries = 1000;
    NumbersServer server({"--max-clients=1"});
    std::vector<Clock::duration> waits;
    for (std::uint32_t number = 0; number < kTries; ++number) {
        const Clock::time_point start = Clock::now();
        TcpClient client =
            ConnectWhenFree(server, NumberLine(number) + std::string(number % kLineSize, '9'));
        waits.push_back(Clock::now() - start);
        client.Reset();
    }
    EXPECT_EQ(server.DeliverWhenFree(NumberLine(kTries)), Ending::kFin);
    EXPECT_EQ(server.Stop(), Exited(0));
    EXPECT_EQ(server.Log(), NumberRange(0, kTries + 1));
    std::sort(waits.begin(), waits.end());
    const auto in_us = [](Clock::duration time) {
        return std::to_string(duration_cast<microseconds>(time).count());
    };
    FaultTable::Get().Add("9: RST in mid-line", kTries,
                          "no whole line lost; the next client served after " +
                              in_us(waits[kTries / 2]) + " us (median), " +
                              in_us(waits[kTries * 99 / 100]) + " us (99 %), " +
                              in_us(waits.back()) + " us (longest)");
}

// The time that one client takes to get `count` numbers from `first` on stored.
Clock::duration TimeDelivery(const NumbersServer &server, std::uint32_t first, size_t count) {
    const std::string lines = NumberLines(first, count);
    const Clock::time_point start = Clock::now();
    EXPECT_EQ(server.Deliver(lines), Ending::kFin);
    return Clock::now() - start;
}

TEST(HostileClientsTest, SlowClientsDoNotSlowTheFast) {
    const size_t round_count = IsLongForm() ? 31 : 7;
    constexpr size_t kLineCount = 1000000;
    NumbersServer server;
    std::uint32_t first = 100000000;
    // The shortest times: whatever else this machine does only makes them longer.
    Clock::duration alone = Clock::duration::max();
    Clock::duration beside_slow = Clock::duration::max();
    for (size_t round = 0; round < round_count; ++round) {
        alone = std::min(alone, TimeDelivery(server, first, kLineCount));
        first += kLineCount;
        std::vector<TcpClient> slow;
        for (int index = 0; index < 4; ++index) {
            slow.push_back(server.ConnectServed("0"));
        }
        std::atomic<bool> is_over{false};
        // A hundred times faster than a byte a second, so that many arrive in a short round.
        std::thread dripping([&] {
            for (size_t size = 1; !is_over && size < kLineSize - 1; ++size) {
                for (TcpClient &client : slow) {
                    client.Send("0");
                }
                std::this_thread::sleep_for(milliseconds(10));
            }
        });
        beside_slow = std::min(beside_slow, TimeDelivery(server, first, kLineCount));
        first += kLineCount;
        is_over = true;
        dripping.join();
        for (TcpClient &client : slow) {
            client.HalfClose();
            EXPECT_EQ(client.WaitForEnding(), Ending::kFin);
        }
    }
    EXPECT_EQ(server.Stop(), Exited(0));
    EXPECT_EQ(server.Log().size(), 2 * round_count * kLineCount);
    const double ratio =
        static_cast<double>(alone.count()) / static_cast<double>(beside_slow.count());
    FaultTable::Get().Add("10: 4 slow clients", round_count,
                          "the fifth keeps " + std::to_string(std::lround(100 * ratio)) +
                              " % of its throughput");
    // A fifth is far below any noise; the figure itself is for the reader.
    EXPECT_GT(ratio, 0.2);
}

TEST(HostileClientsTest, TenThousandConnectsAgainstFivePlaces) {
    constexpr int kTries = 10000;
    NumbersServer server;
    std::vector<TcpClient> served;
    for (std::uint32_t number = 0; number < 5; ++number) {
        served.push_back(server.ConnectServed(NumberLine(number)));
    }
    const std::set<int> descriptors = ReadDescriptors(server.process().pid());
    int refused_count = 0;
    for (int attempt = 0; attempt < kTries; ++attempt) {
        TcpClient client = server.Connect();
        client.Send("999999999\n");
        refused_count += client.WaitForEnding() == Ending::kReset ? 1 : 0;
    }
    EXPECT_EQ(refused_count, kTries);
    EXPECT_EQ(ReadDescriptors(server.process().pid()), descriptors);
    for (TcpClient &client : served) {
        EXPECT_TRUE(client.Send(NumberLine(5)));
        client.HalfClose();
        EXPECT_EQ(client.WaitForEnding(), Ending::kFin);
    }
    EXPECT_EQ(server.Deliver(NumberLine(6)), Ending::kFin);
    EXPECT_EQ(server.Stop(), Exited(0));
    EXPECT_EQ(server.Log(), NumberRange(0, 7));
    FaultTable::Get().Add("11: connects against 5 taken places", kTries,
                          std::to_string(refused_count) + " reset, no descriptor leaked");
}

// Lowers the limit of the running server so that `free_count` descriptors are left.
void LeaveDescriptors(pid_t pid, int free_count) {
    const std::set<int> used = ReadDescriptors(pid);
    rlim_t limit = 0;
    for (; free_count > 0; ++limit) {
        free_count -= used.count(static_cast<int>(limit)) == 0 ? 1 : 0;
    }
    const rlimit limits{limit, limit};
    ASSERT_EQ(prlimit(pid, RLIMIT_NOFILE, &limits, nullptr), 0);
}

TEST(HostileClientsTest, RunsOutOfDescriptorsAndRecovers) {
    NumbersServer server;
    LeaveDescriptors(server.process().pid(), 2);
    TcpClient first = server.ConnectServed(NumberLine(0));
    TcpClient second = server.ConnectServed(NumberLine(1));
    TcpClient third = server.Connect();
    EXPECT_TRUE(third.Send(NumberLine(2)));
    EXPECT_TRUE(server.process().WaitForErrors(HasLineWith("Too many open files")));

    // The connection that cannot be accepted keeps the listener ready. A server that tries it
    // again and again takes all of a processor; this one must sleep in between.
    constexpr milliseconds kWatched{1000};
    const std::chrono::nanoseconds used_before = ReadProcessorTime(server.process().pid());
    EXPECT_EQ(third.WaitForEnding(kWatched), Ending::kNone);
    const std::chrono::nanoseconds used = ReadProcessorTime(server.process().pid()) - used_before;
    EXPECT_LT(used, kWatched / 2);

    first.HalfClose();
    EXPECT_EQ(first.WaitForEnding(), Ending::kFin);
    EXPECT_TRUE(third.WaitUntilRead());
    for (TcpClient *client : {&second, &third}) {
        client->HalfClose();
        EXPECT_EQ(client->WaitForEnding(), Ending::kFin);
    }
    EXPECT_EQ(server.Stop(), Exited(0));
    EXPECT_EQ(server.Log(), NumberRange(0, 3));
    FaultTable::Get().Add("11: out of descriptors for a second", 1,
                          std::to_string(used.count()) +
                              " ms of processor time, recovered, nothing lost");
}

std::string RandomBytes(std::mt19937 *random, size_t size) {
    std::string bytes(size, '\0');
    for (char &byte : bytes) {
        byte = static_cast<char>((*random)());
    }
    return bytes;
}

TEST(HostileClientsTest, MemoryStaysFlatUnderGarbage) {
    using namespace std::string_literals;
    constexpr size_t kHostileSize = 10 * 1000 * 1000;
    constexpr std::uint32_t kRounds = 20;
    NumbersServer server;
    std::mt19937 random(20201);
    const std::array<std::string, 6> hostile = {
        std::string(kHostileSize, '1'),
        std::string(kHostileSize, '\0'),
        std::string(kHostileSize, '\n'),
        "000000000\r\n"s + std::string(kHostileSize, 'x'),
        "terminate"s + std::string(kHostileSize, 'e'),
        "\xEF\xBC\x99"s + std::string(kHostileSize, '9'),
    };
    // Numbers from everywhere, so that all memory that numbers use is in use before.
    std::vector<std::uint32_t> expected;
    std::string scattered;
    for (std::uint32_t number = 0; number < 1000000000; number += 1000) {
        scattered += NumberLine(number);
        expected.push_back(number);
    }
    for (int repetition = 0; repetition < 4; ++repetition) {
        EXPECT_EQ(server.Deliver(scattered), Ending::kFin);
    }
    const ResidentMemory before = ReadResidentMemory(server.process().pid());
    std::uint32_t number = 1;
    for (std::uint32_t round = 0; round < kRounds; ++round) {
        for (size_t kind = 0; kind <= hostile.size(); ++kind) {
            // A letter in front makes the random bytes wrong for certain.
            const std::string garbage =
                kind < hostile.size() ? hostile[kind] : "x" + RandomBytes(&random, 100000);
            TcpClient client = server.Connect();
            client.Send(NumberLine(number));
            client.Send(garbage);
            EXPECT_EQ(client.WaitForEnding(), Ending::kReset) << kind;
            expected.push_back(number++);
        }
    }
    std::sort(expected.begin(), expected.end());
    const ResidentMemory after = ReadResidentMemory(server.process().pid());
    constexpr size_t kAllowedKib = 8 * 1024;
    EXPECT_LE(after.highest_kib, before.highest_kib + kAllowedKib);
    EXPECT_EQ(server.Stop(), Exited(0));
    EXPECT_EQ(server.Log(), expected);
    FaultTable::Get().Add("12: clients with garbage", number - 1,
                          "all reset, their valid lines kept; memory grew by " +
                              std::to_string(after.highest_kib - before.highest_kib) + " KiB");
}

// The address of a client as the server's messages name it.
std::string AddressOf(const TcpClient &client) {
    return "127.0.0.1:" + std::to_string(client.own_port());
}

TEST(RejectionTest, EachOneShowsWithItsAddressAndReason) {
    NumbersServer server({"--log-level=debug", "--max-clients=2", "--idle-timeout=1"});
    std::vector<std::string> expected;
    TcpClient bad = server.Connect();
    bad.Send("000000001\n12\x1b]0;title\x07\n");
    EXPECT_EQ(bad.WaitForEnding(), Ending::kReset);
    expected.push_back("reset " + AddressOf(bad) + R"(: a bad line: "12\x1b]0;titl")");

    TcpClient resetting = server.ConnectServed(NumberLine(2) + "12345");
    expected.push_back("lost " + AddressOf(resetting) + ": Connection reset by peer");
    resetting.Reset();
    EXPECT_TRUE(server.process().WaitForErrors(HasLineWith(expected.back())));

    TcpClient silent = server.ConnectServed(NumberLine(3));
    TcpClient other = server.ConnectServed(NumberLine(4));
    TcpClient beyond = server.Connect();
    EXPECT_EQ(beyond.WaitForEnding(), Ending::kReset);
    expected.push_back("refused " + AddressOf(beyond) + ": all places taken");
    EXPECT_EQ(silent.WaitForEnding(), Ending::kReset);
    expected.push_back("reset " + AddressOf(silent) + ": silent for too long");
    EXPECT_EQ(other.WaitForEnding(), Ending::kReset);

    EXPECT_EQ(server.Stop(), Exited(0));
    const std::string errors = server.process().errors();
    for (const std::string &line : expected) {
        EXPECT_EQ(CountLinesWith(errors, line), 1u) << line << "\n" << errors;
    }
    EXPECT_EQ(CountLinesWith(errors, "warning"), 1u) << "once in ten seconds\n" << errors;
    EXPECT_EQ(CountLinesWith(errors, "1 for a bad line; the last one: " + AddressOf(bad)), 1u);
    EXPECT_EQ(errors.find('\x1b'), std::string::npos);
    EXPECT_EQ(errors.find('\x07'), std::string::npos);
}

TEST(RejectionTest, AFloodOfThemIsOneWarning) {
    NumbersServer server({"--max-clients=1"});
    TcpClient served = server.ConnectServed(NumberLine(0));
    for (int attempt = 0; attempt < 500; ++attempt) {
        TcpClient beyond = server.Connect();
        EXPECT_EQ(beyond.WaitForEnding(), Ending::kReset);
    }
    EXPECT_EQ(server.Stop(), Exited(0));
    const std::string errors = server.process().errors();
    EXPECT_EQ(CountLinesWith(errors, "debug"), 0u);
    EXPECT_EQ(CountLinesWith(errors, "warning"), 1u) << errors;
    EXPECT_EQ(CountLinesWith(errors, "info 499 clients turned away or lost: "), 1u) << errors;
}

} // namespace
} // namespace harness
