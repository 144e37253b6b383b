// RELIABILITY row 15: somebody sets the date while the server runs. The reports keep to their
// schedule, because the server tells time by the monotonic clock, and the messages show the new
// date. The date is libfaketime's, loaded before the server's own libraries.

#include <glob.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <string>
#include <vector>

#include "server/numbers/fault_table.h"
#include "server/numbers/numbers_process.h"
#include "testing/files.h"
#include "testing/patience.h"
#include "testing/process.h"
#include "testing/sanitizer.h"
#include "gtest/gtest.h"

namespace harness {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

// The library's path, wherever the distribution has put it; empty when it is not installed.
std::string FindLibfaketime() {
    std::string path;
    glob_t found{};
    if (glob("/usr/lib*/*/faketime/libfaketimeMT.so.1", 0, nullptr, &found) == 0) {
        path = found.gl_pathv[0];
    }
    globfree(&found);
    return path;
}

// The date in front of the last message with `part`, as in "2026-11-21".
std::string DateOfMessage(const std::string &errors, const std::string &part) {
    std::string date;
    for (const std::string &line : SplitLines(errors)) {
        if (line.find(part) != std::string::npos) {
            date = line.substr(0, line.find('T'));
        }
    }
    return date;
}

std::string DateInDays(int day_count) {
    const std::time_t time = std::time(nullptr) + day_count * std::time_t{24 * 60 * 60};
    std::tm broken_down{};
    char text[sizeof "2026-11-21"];
    std::strftime(text, sizeof text, "%Y-%m-%d", gmtime_r(&time, &broken_down));
    return text;
}

class ClockTest : public testing::Test {
  protected:
    // A server whose date is the true one and so many days more as SetDate says.
    ProcessOptions CommandWithDate(const std::string &library) {
        SetDate("+0");
        ProcessOptions options = NumbersServerCommand({});
        options.environment["LD_PRELOAD"] = library;
        options.environment["FAKETIME_TIMESTAMP_FILE"] = date_path_;
        options.environment["FAKETIME_NO_CACHE"] = "1";
        options.environment["DONT_FAKE_MONOTONIC"] = "1";
        // For a C library older than ours, and with this one waits end at once.
        options.environment["FAKETIME_FORCE_MONOTONIC_FIX"] = "0";
        return options;
    }
    // Replaces the file in one step, because the server may read it at any moment.
    void SetDate(const std::string &offset) {
        WriteFile(date_path_ + ".new", offset + "\n");
        ASSERT_EQ(std::rename((date_path_ + ".new").c_str(), date_path_.c_str()), 0);
    }

    const TemporaryDirectory directory_;
    const std::string date_path_ = directory_.File("date");
};

// A report too early fails the test at once, one that never comes does so after the patience; how
// late one is depends on the machine, and is only printed.
TEST_F(ClockTest, ReportsKeepTheirPeriodWhenTheDateJumps) {
    const std::string library = FindLibfaketime();
    if (library.empty() || kIsSanitized || IsEmulated()) {
        const std::string reason = library.empty() ? "no libfaketime (package faketime)"
                                   : IsEmulated()  ? "libfaketime is for another processor"
                                                   : "the sanitizer must be loaded first itself";
        FaultTable::Get().Add("15: the date jumps", 0, "skipped: " + reason);
        GTEST_SKIP() << reason;
    }
    // Ten days and a bit, in seconds: no multiple of the period, which would go unnoticed.
    const std::vector<const char *> jumps = {"+864000.7", "-864000.7", "+864000.7"};
    constexpr size_t kReportsPerJump = 2;
    const milliseconds interval(IsLongForm() ? 10000 : 1000);
    const Clock::time_point start = Clock::now();
    NumbersServer server({"--report-interval=" + std::to_string(interval.count() / 1000)},
                         CommandWithDate(library));
    size_t report_count = 0;
    std::vector<Clock::time_point> times;
    const auto await_reports = [&](size_t count) {
        for (const size_t wanted_count = report_count + count; report_count < wanted_count;) {
            ++report_count;
            EXPECT_TRUE(server.process().WaitForOutput([&](const std::string &output) {
                return SplitLines(output).size() >= report_count;
            }));
            times.push_back(Clock::now());
            EXPECT_GE(times.back() - start, interval * report_count) << "a report too early";
        }
    };
    await_reports(1);
    for (const char *offset : jumps) {
        SetDate(offset);
        await_reports(kReportsPerJump);
        ASSERT_FALSE(HasFailure());
    }
    const std::string date_before = DateInDays(10);
    EXPECT_EQ(server.Stop(), Exited(0));
    const std::string date = DateOfMessage(server.process().errors(), "shutting down");
    EXPECT_TRUE(date == date_before || date == DateInDays(10))
        << "the server saw no jump: " << date;

    Clock::duration shortest = Clock::duration::max();
    Clock::duration longest{};
    for (size_t index = 1; index < times.size(); ++index) {
        shortest = std::min(shortest, times[index] - times[index - 1]);
        longest = std::max(longest, times[index] - times[index - 1]);
    }
    FaultTable::Get().Add(
        "15: the date jumps by 10 days ahead and 20 back", jumps.size(),
        "reports every " + std::to_string(duration_cast<milliseconds>(shortest).count()) + " to " +
            std::to_string(duration_cast<milliseconds>(longest).count()) +
            " ms; asked for: " + std::to_string(interval.count()));
}

} // namespace
} // namespace harness
