// RELIABILITY row 14: signals every 100 microseconds to every thread, with a handler that has no
// SA_RESTART, so that the system calls which wait end with EINTR all the time.

#include <csignal>
#include <cstdint>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "server/numbers/fault_table.h"
#include "server/numbers/number_load.h"
#include "server/numbers/numbers_process.h"
#include "testing/process.h"
#include "testing/tcp_client.h"
#include "gtest/gtest.h"

namespace harness {
namespace {

// What the interrupter in the server said at its end, from the number of signals on.
std::string Interruptions(const Process &process) {
    const std::string errors = process.errors();
    const std::string mark = "interrupter: ";
    const size_t begin = errors.find(mark);
    EXPECT_NE(begin, std::string::npos) << errors;
    if (begin == std::string::npos) {
        return "0";
    }
    const size_t text_begin = begin + mark.size();
    return errors.substr(text_begin, errors.find('\n', begin) - text_begin);
}

class InterruptedLoadTest : public testing::TestWithParam<const char *> {};

INSTANTIATE_TEST_SUITE_P(Policies, InterruptedLoadTest, testing::Values("always", "interval"),
                         [](const testing::TestParamInfo<const char *> &information) {
                             return std::string(information.param);
                         });

TEST_P(InterruptedLoadTest, SignalsLoseNothingAndDoubleNothing) {
    constexpr std::uint32_t kClientCount = 5;
    constexpr std::uint32_t kLinesPerDelivery = 1000;
    const std::uint32_t deliveries_per_client = IsLongForm() ? 5000 : 300;
    const std::uint32_t lines_per_client = deliveries_per_client * kLinesPerDelivery;
    NumbersServer server({std::string("--fsync=") + GetParam(), "--report-interval=0.01"});
    std::vector<std::uint32_t> confirmed_counts(kClientCount);
    std::vector<std::thread> clients;
    for (std::uint32_t index = 0; index < kClientCount; ++index) {
        clients.emplace_back([&, index] {
            for (std::uint32_t count = 0; count < lines_per_client; count += kLinesPerDelivery) {
                const std::uint32_t first = index * lines_per_client + count;
                // All places are taken again and again, so a place may not be free at once.
                if (server.DeliverWhenFree(NumberLines(first, kLinesPerDelivery)) == Ending::kFin) {
                    confirmed_counts[index] += kLinesPerDelivery;
                }
            }
        });
    }
    for (std::thread &client : clients) {
        client.join();
    }
    EXPECT_EQ(confirmed_counts, std::vector<std::uint32_t>(kClientCount, lines_per_client));
    EXPECT_EQ(server.Stop(), Exited(0));
    const size_t line_count = kClientCount * size_t{lines_per_client};
    EXPECT_EQ(server.Log(), NumberRange(0, line_count));
    EXPECT_EQ(SumReports(server.Reports()), (Report{line_count, 0, line_count}));
    const std::string interruptions = Interruptions(server.process());
    EXPECT_GT(std::stoul(interruptions), 1000u);
    FaultTable::Get().Add(std::string("14: signals without SA_RESTART, --fsync=") + GetParam(), 1,
                          interruptions + "; " + std::to_string(line_count) +
                              " lines from 5 clients, none lost or doubled");
}

TEST(InterruptedEndTest, SignalsDoNotDisturbTheEndUnderLoad) {
    const size_t try_count = IsLongForm() ? 100 : 5;
    size_t line_count = 0;
    for (size_t attempt = 0; attempt < try_count && !testing::Test::HasFailure(); ++attempt) {
        NumbersServer server({"--report-interval=0.01"});
        NumberLoad load(server.port(), 5);
        EXPECT_TRUE(Await([&] {
            return std::filesystem::file_size(server.log_path()) > 1000 * kLineSize * attempt;
        }));
        EXPECT_EQ(server.Stop(), Exited(0));
        const std::vector<std::uint32_t> log = server.Log();
        ExpectBeginnings(log, load.WaitForEnd());
        EXPECT_EQ(SumReports(server.Reports()), (Report{log.size(), 0, log.size()}));
        line_count += log.size();
    }
    FaultTable::Get().Add("14: SIGTERM among such signals, under load", try_count,
                          "exit 0, " + std::to_string(line_count) +
                              " lines counted and in the logs");
}

} // namespace
} // namespace harness
