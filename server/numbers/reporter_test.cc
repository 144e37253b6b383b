#include "server/numbers/reporter.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "server/runtime/os.h"
#include "server/runtime/os_faulty.h"
#include "gtest/gtest.h"

namespace {

constexpr int64_t kNeverMs = 24 * 60 * 60 * 1000;
constexpr int64_t kSoonMs = 10;

class ReporterTest : public testing::Test {
  protected:
    ReporterTest() {
        os_faulty_plan("");
        EXPECT_EQ(pipe2(ends_, O_CLOEXEC), 0);
    }
    ~ReporterTest() override {
        os_faulty_plan("");
        Finish();
        close(ends_[0]);
        close(ends_[1]);
    }

    void Init(int64_t interval_ms) {
        ASSERT_EQ(reporter_init(&reporter_, &tally_, ends_[1], interval_ms, &manager_), 0);
        is_started_ = true;
    }

    void Start(int64_t interval_ms) {
        ASSERT_NO_FATAL_FAILURE(Init(interval_ms));
        reporter_begin(&reporter_);
    }

    void Finish() {
        if (is_started_) {
            reporter_finish(&reporter_);
            is_started_ = false;
        }
    }

    void Count(uint64_t unique_count, uint64_t duplicate_count) {
        tally_.unique_count += unique_count;
        tally_.duplicate_count += duplicate_count;
    }

    // The next line, when it comes.
    std::string ReadLine() {
        std::string line;
        char letter = 0;
        while (os_read(ends_[0], &letter, 1) == 1) {
            line += letter;
            if (letter == '\n') {
                break;
            }
        }
        return line;
    }

    // Skips reports of nothing, as those between two events, and returns the next other one.
    std::string ReadNews() {
        std::string line;
        do {
            line = ReadLine();
        } while (line.rfind("Received 0 unique numbers, 0 duplicates.", 0) == 0);
        return line;
    }

    bool IsReadable(int wait_ms = 0) {
        pollfd polled{ends_[0], POLLIN, 0};
        return poll(&polled, 1, wait_ms) == 1;
    }

    // Fills the pipe to the last byte.
    size_t Fill() {
        size_t size = 0;
        fcntl(ends_[1], F_SETFL, O_NONBLOCK);
        while (write(ends_[1], "\n", 1) == 1) {
            ++size;
        }
        fcntl(ends_[1], F_SETFL, 0);
        return size;
    }

    int ends_[2];
    tally tally_{};
    service_manager manager_{};
    reporter reporter_{};
    bool is_started_ = false;
};

TEST_F(ReporterTest, ReportsDifferencesAndTheTotalToTheLetter) {
    Start(kSoonMs);
    EXPECT_EQ(ReadLine(), "Received 0 unique numbers, 0 duplicates. Unique total: 0\n");
    Count(50, 2);
    const std::string first = ReadNews();
    // The two counts are read one after the other, so the second may come a report later.
    if (first != "Received 50 unique numbers, 2 duplicates. Unique total: 50\n") {
        EXPECT_EQ(first, "Received 50 unique numbers, 0 duplicates. Unique total: 50\n");
        EXPECT_EQ(ReadNews(), "Received 0 unique numbers, 2 duplicates. Unique total: 50\n");
    }
    Count(567181, 0);
    EXPECT_EQ(ReadNews(), "Received 567181 unique numbers, 0 duplicates. Unique total: 567231\n");
}

TEST_F(ReporterTest, ALastReportComesAtTheEnd) {
    Start(kNeverMs);
    Count(7, 3);
    EXPECT_FALSE(IsReadable());
    Finish();
    EXPECT_EQ(ReadLine(), "Received 7 unique numbers, 3 duplicates. Unique total: 7\n");
    EXPECT_FALSE(IsReadable());
}

TEST_F(ReporterTest, TheFirstIntervalBeginsWhenItIsTold) {
    constexpr int kIntervalMs = 50;
    Init(kIntervalMs);
    // That nothing comes is what is tested: there is nothing to await.
    EXPECT_FALSE(IsReadable(3 * kIntervalMs));
    const int64_t begin_ms = os_now_ms();
    reporter_begin(&reporter_);
    ReadLine();
    EXPECT_GE(os_now_ms() - begin_ms, kIntervalMs);
}

TEST_F(ReporterTest, WithoutABeginningThereIsNoLastReportEither) {
    Init(kSoonMs);
    Count(7, 3);
    Finish();
    EXPECT_FALSE(IsReadable());
}

TEST_F(ReporterTest, HoldsTheLargestCounts) {
    Start(kNeverMs);
    Count(UINT64_MAX, UINT64_MAX);
    Finish();
    EXPECT_EQ(ReadLine(), "Received 18446744073709551615 unique numbers, 18446744073709551615 "
                          "duplicates. Unique total: 18446744073709551615\n");
}

TEST_F(ReporterTest, AReportWithoutRoomIsLeftOutAndTheNextOneHasItsNumbers) {
    size_t filled_size = Fill();
    Start(kSoonMs);
    Count(5, 1);
    // Some reports come due while there is no room.
    os_faulty_await_call("poll", os_faulty_call_count("poll") + 3);
    Count(6, 0);
    while (filled_size > 0) {
        char letter = 0;
        ASSERT_EQ(os_read(ends_[0], &letter, 1), 1);
        ASSERT_EQ(letter, '\n');
        --filled_size;
    }
    EXPECT_EQ(ReadLine(), "Received 11 unique numbers, 1 duplicates. Unique total: 11\n");
}

TEST_F(ReporterTest, AReaderThatNeverReadsDoesNotHoldTheEndUp) {
    Fill();
    Start(kNeverMs);
    Finish(); // returns
}

TEST_F(ReporterTest, AReportThatCannotBeWrittenIsCaughtUpWith) {
    ASSERT_TRUE(os_faulty_plan("write:1:ENOSPC"));
    Count(5, 1);
    Start(kSoonMs);
    EXPECT_EQ(ReadLine(), "Received 5 unique numbers, 1 duplicates. Unique total: 5\n");
    EXPECT_EQ(os_faulty_fault_count(), 1u);
}

TEST_F(ReporterTest, AReportThatIsCutShortIsCaughtUpWith) {
    ASSERT_TRUE(os_faulty_plan("write:1:short=9"));
    Count(5, 1);
    Start(kSoonMs);
    EXPECT_EQ(ReadLine(), "Received "
                          "Received 5 unique numbers, 1 duplicates. Unique total: 5\n");
}

TEST_F(ReporterTest, OneReportCatchesUpAfterAPause) {
    // The first report takes as long as twenty intervals; those are not made up for one by one.
    ASSERT_TRUE(os_faulty_plan("write:1:delay=500"));
    Start(25);
    ReadLine();
    const int64_t start_ms = os_now_ms();
    ReadLine();
    ReadLine();
    ReadLine();
    // Two full intervals lie between three reports on the grid.
    EXPECT_GE(os_now_ms() - start_ms, 2 * 25 - 1);
}

TEST_F(ReporterTest, ReportsThatItCannotStart) {
    ASSERT_TRUE(os_faulty_plan("thread_create:1:EAGAIN"));
    EXPECT_EQ(reporter_init(&reporter_, &tally_, ends_[1], kSoonMs, &manager_), -EAGAIN);
}

} // namespace
