#include "server/runtime/log_writer.h"

#include <fcntl.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "server/runtime/captured_logger.h"
#include "server/runtime/os.h"
#include "server/runtime/os_faulty.h"
#include "testing/files.h"
#include "gtest/gtest.h"

namespace {

constexpr size_t kRecordSize = 10;
constexpr size_t kBlockSize = 10 * kRecordSize;
constexpr int64_t kNeverMs = 24 * 60 * 60 * 1000;

std::string Record(uint32_t number) {
    char text[16];
    snprintf(text, sizeof text, "%09u\n", number);
    return text;
}

std::string Records(uint32_t first, uint32_t count) {
    std::string text;
    for (uint32_t number = first; number < first + count; ++number) {
        text += Record(number);
    }
    return text;
}

class LogWriterTest : public testing::Test {
  protected:
    LogWriterTest() : path_(directory_.File("log")) {
        fd_ = os_open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND, 0644);
        EXPECT_GE(fd_, 0);
        EXPECT_EQ(wakeup_init(&progress_), 0);
        config_.fd = fd_;
        config_.record_size = kRecordSize;
        config_.block_size = kBlockSize;
        config_.block_slack_size = 64;
        config_.block_count = 2;
        config_.durability = DURABILITY_NEVER;
        config_.sync_interval_ms = kNeverMs;
        config_.logger = logger_.get();
        config_.progress = &progress_;
    }

    ~LogWriterTest() override {
        if (is_started_) {
            log_writer_finish(&writer_);
            log_writer_destroy(&writer_);
        }
        os_faulty_plan("");
        wakeup_destroy(&progress_);
        os_close(fd_);
    }

    void Start(const std::string &plan = "") {
        ASSERT_TRUE(os_faulty_plan(plan.c_str()));
        ASSERT_EQ(log_writer_init(&writer_, &config_), 0);
        is_started_ = true;
    }

    // False once writing has failed.
    bool Submit(const std::string &records) {
        log_block *block = log_writer_acquire(&writer_);
        if (block == nullptr) {
            return false;
        }
        memcpy(block->bytes, records.data(), records.size());
        block->size = records.size();
        log_writer_submit(&writer_, block);
        return true;
    }

    // Waits for a condition that changes with the writer's progress.
    template <typename Condition> void AwaitProgress(Condition condition) {
        while (!condition()) {
            pollfd polled{progress_.fd, POLLIN, 0};
            ASSERT_EQ(os_poll(&polled, 1, 30000), 1) << "no progress";
            wakeup_clear(&progress_);
        }
    }

    void AwaitStored(uint64_t position) {
        AwaitProgress([&] { return log_writer_stored_position(&writer_) == position; });
    }

    void AwaitError(int error) {
        AwaitProgress([&] { return log_writer_error(&writer_) != 0; });
        EXPECT_EQ(log_writer_error(&writer_), error);
    }

    void Finish() {
        log_writer_finish(&writer_);
        AwaitProgress([&] { return log_writer_is_finished(&writer_); });
    }

    std::string File() const {
        return harness::ReadFile(path_);
    }

    harness::TemporaryDirectory directory_;
    std::string path_;
    int fd_ = -1;
    CapturedLogger logger_;
    wakeup progress_{};
    log_writer_config config_{};
    log_writer writer_{};
    bool is_started_ = false;
};

TEST_F(LogWriterTest, WritesBlocksInTheOrderOfSubmission) {
    Start();
    for (uint32_t block = 0; block < 50; ++block) {
        ASSERT_TRUE(Submit(Records(block * 10, 1 + block % 10)));
    }
    Finish();
    std::string expected;
    for (uint32_t block = 0; block < 50; ++block) {
        expected += Records(block * 10, 1 + block % 10);
    }
    EXPECT_EQ(File(), expected);
    EXPECT_EQ(log_writer_error(&writer_), 0);
    EXPECT_EQ(log_writer_stored_position(&writer_), expected.size());
    EXPECT_EQ(log_writer_submitted_position(&writer_), expected.size());
}

TEST_F(LogWriterTest, GoesOnBehindWhatIsThere) {
    ASSERT_EQ(os_write(fd_, Records(0, 3).data(), 30), 30);
    Start();
    ASSERT_TRUE(Submit(Records(3, 4)));
    Finish();
    EXPECT_EQ(File(), Records(0, 7));
}

TEST_F(LogWriterTest, ShortWritesOfEverySizeGiveTheSameFile) {
    for (size_t size = 1; size <= kBlockSize; ++size) {
        ASSERT_EQ(os_ftruncate(fd_, 0), 0);
        Start("append:*:short=" + std::to_string(size));
        ASSERT_TRUE(Submit(Records(0, 10)));
        ASSERT_TRUE(Submit(Records(10, 7)));
        ASSERT_TRUE(Submit(Records(17, 10)));
        Finish();
        log_writer_destroy(&writer_);
        is_started_ = false;
        ASSERT_EQ(File(), Records(0, 27)) << "writes of " << size;
        ASSERT_EQ(os_faulty_call_count("ftruncate"), 0u) << "a short write is no failure";
    }
}

class FullDiskTest : public LogWriterTest, public testing::WithParamInterface<const char *> {};

INSTANTIATE_TEST_SUITE_P(Errors, FullDiskTest, testing::Values("ENOSPC", "EDQUOT", "EFBIG"));

// 23 bytes fit, then nothing for a while: two whole records stay, the torn one goes, and all of it
// comes when there is room.
TEST_P(FullDiskTest, KeepsWholeRecordsAndGoesOnWhenThereIsRoom) {
    Start("append:1:short=23,append:2:" + std::string(GetParam()) + ":3,append:5:hold");
    ASSERT_TRUE(Submit(Records(0, 10)));
    os_faulty_await_call("append", 5);
    EXPECT_EQ(File(), Records(0, 2));
    EXPECT_EQ(log_writer_stored_position(&writer_), 0u);
    EXPECT_EQ(log_writer_error(&writer_), 0);
    EXPECT_EQ(logger_.Count(" warning "), 1u) << logger_.Text();
    os_faulty_release();
    AwaitStored(kBlockSize);
    EXPECT_EQ(File(), Records(0, 10));
    ASSERT_TRUE(Submit(Records(10, 5)));
    Finish();
    EXPECT_EQ(File(), Records(0, 15));
    EXPECT_EQ(os_faulty_call_count("ftruncate"), 1u);
    EXPECT_EQ(logger_.Count("there is room for the log again"), 1u);
    EXPECT_EQ(logger_.Count("\n"), 2u) << logger_.Text();
}

TEST_F(LogWriterTest, ADiskAtItsEdgeDoesNotFloodTheLog) {
    Start("append:1:ENOSPC,append:3:ENOSPC,append:5:ENOSPC");
    for (uint32_t block = 0; block < 3; ++block) {
        ASSERT_TRUE(Submit(Records(block * 10, 10)));
    }
    Finish();
    EXPECT_EQ(os_faulty_fault_count(), 3u);
    EXPECT_EQ(File(), Records(0, 30));
    EXPECT_EQ(logger_.Count(" warning "), 1u);
    EXPECT_EQ(logger_.Count("there is room for the log again"), 1u);
}

// The sync of what is written fails while more waits for room.
TEST_F(LogWriterTest, AFailedSyncEndsTheWaitForRoom) {
    config_.durability = DURABILITY_INTERVAL;
    config_.sync_interval_ms = 1;
    Start("append:2:ENOSPC:always,fdatasync:1:hold,fdatasync:1:EIO");
    ASSERT_TRUE(Submit(Records(0, 10)));
    os_faulty_await_call("fdatasync", 1);
    ASSERT_TRUE(Submit(Records(10, 10)));
    os_faulty_await_call("append", 3);
    os_faulty_release();
    AwaitError(-EIO);
    Finish();
    EXPECT_EQ(File(), Records(0, 10));
}

TEST_F(LogWriterTest, AFullDiskIsNotWaitedForWhenAbandoned) {
    Start("append:1:short=23,append:2:ENOSPC:always");
    ASSERT_TRUE(Submit(Records(0, 10)));
    os_faulty_await_call("append", 3);
    log_writer_finish(&writer_);
    EXPECT_FALSE(log_writer_is_finished(&writer_));
    log_writer_abandon(&writer_);
    AwaitError(-ENOSPC);
    AwaitProgress([&] { return log_writer_is_finished(&writer_); });
    EXPECT_EQ(File(), Records(0, 2));
}

TEST_F(LogWriterTest, AbandoningLosesNothingWhereThereIsRoom) {
    Start("append:1:hold");
    ASSERT_TRUE(Submit(Records(0, 10)));
    log_writer_abandon(&writer_);
    os_faulty_release();
    Finish();
    EXPECT_EQ(File(), Records(0, 10));
    EXPECT_EQ(log_writer_error(&writer_), 0);
}

TEST_F(LogWriterTest, AnotherFailedWriteIsFinalAndLeavesWholeRecords) {
    Start("append:1:short=23,append:2:EIO");
    ASSERT_TRUE(Submit(Records(0, 10)));
    AwaitError(-EIO);
    EXPECT_FALSE(Submit(Records(10, 1)));
    Finish();
    EXPECT_EQ(os_faulty_call_count("append"), 2u);
    EXPECT_EQ(log_writer_stored_position(&writer_), 0u);
    EXPECT_EQ(File(), Records(0, 2));
}

TEST_F(LogWriterTest, ATornRecordThatCannotBeCutIsFinal) {
    Start("append:1:short=23,append:2:ENOSPC,ftruncate:1:EROFS");
    ASSERT_TRUE(Submit(Records(0, 10)));
    AwaitError(-EROFS);
    Finish();
    EXPECT_EQ(os_faulty_call_count("append"), 2u);
}

TEST_F(LogWriterTest, AFileWhoseSizeIsUnknownIsNotCut) {
    Start("append:1:short=23,append:2:ENOSPC,file_size:1:EIO");
    ASSERT_TRUE(Submit(Records(0, 10)));
    AwaitError(-EIO);
    Finish();
    EXPECT_EQ(os_faulty_call_count("ftruncate"), 0u);
}

TEST_F(LogWriterTest, AFileThatSomebodyElseEmptiesGoesOnWithWholeRecords) {
    Start();
    ASSERT_TRUE(Submit(Records(0, 10)));
    AwaitStored(kBlockSize);
    ASSERT_EQ(os_ftruncate(fd_, 0), 0);
    ASSERT_TRUE(Submit(Records(10, 5)));
    Finish();
    EXPECT_EQ(File(), Records(10, 5));
}

TEST_F(LogWriterTest, AProducerThatWaitsIsToldOfTheFailure) {
    Start("append:1:hold,append:1:EIO");
    ASSERT_TRUE(Submit(Records(0, 1)));
    ASSERT_TRUE(Submit(Records(1, 1)));
    std::atomic<bool> was_submitted{true};
    std::thread producer([&] { was_submitted = Submit(Records(2, 1)); });
    os_faulty_await_call("append", 1);
    os_faulty_release();
    producer.join();
    EXPECT_FALSE(was_submitted);
}

TEST_F(LogWriterTest, NeverDoesNotSync) {
    Start();
    ASSERT_TRUE(Submit(Records(0, 10)));
    Finish();
    EXPECT_EQ(os_faulty_call_count("fdatasync"), 0u);
}

TEST_F(LogWriterTest, AlwaysAdvancesOnlyAfterTheSync) {
    config_.durability = DURABILITY_ALWAYS;
    Start("fdatasync:1:hold,fdatasync:2:hold");
    ASSERT_TRUE(Submit(Records(0, 10)));
    os_faulty_await_call("fdatasync", 1);
    EXPECT_EQ(File(), Records(0, 10));
    EXPECT_EQ(log_writer_stored_position(&writer_), 0u);
    os_faulty_release();
    AwaitStored(kBlockSize);
    ASSERT_TRUE(Submit(Records(10, 5)));
    Finish();
    EXPECT_EQ(log_writer_stored_position(&writer_), 15 * kRecordSize);
    EXPECT_EQ(os_faulty_call_count("fdatasync"), 2u);
}

TEST_F(LogWriterTest, UnderAlwaysAFailedSyncIsFinalAndNeverRepeated) {
    config_.durability = DURABILITY_ALWAYS;
    Start("fdatasync:2:EIO");
    ASSERT_TRUE(Submit(Records(0, 10)));
    AwaitStored(kBlockSize);
    ASSERT_TRUE(Submit(Records(10, 10)));
    AwaitError(-EIO);
    EXPECT_FALSE(Submit(Records(20, 1)));
    Finish();
    EXPECT_EQ(os_faulty_call_count("fdatasync"), 2u);
    EXPECT_EQ(log_writer_stored_position(&writer_), kBlockSize);
}

TEST_F(LogWriterTest, UnderIntervalWritingGoesOnDuringASlowSync) {
    config_.durability = DURABILITY_INTERVAL;
    config_.sync_interval_ms = 1;
    Start("fdatasync:1:hold");
    ASSERT_TRUE(Submit(Records(0, 10)));
    os_faulty_await_call("fdatasync", 1);
    for (uint32_t block = 1; block < 20; ++block) {
        ASSERT_TRUE(Submit(Records(block * 10, 10)));
    }
    AwaitStored(20 * kBlockSize);
    log_writer_finish(&writer_);
    EXPECT_FALSE(log_writer_is_finished(&writer_)) << "the last sync is not done";
    os_faulty_release();
    Finish();
    EXPECT_EQ(os_faulty_call_count("fdatasync"), 2u) << "what came during the first one";
    EXPECT_EQ(File(), Records(0, 200));
}

TEST_F(LogWriterTest, UnderIntervalTheEndIsSynced) {
    config_.durability = DURABILITY_INTERVAL;
    Start();
    ASSERT_TRUE(Submit(Records(0, 10)));
    AwaitStored(kBlockSize);
    EXPECT_EQ(os_faulty_call_count("fdatasync"), 0u) << "the interval has not passed";
    Finish();
    EXPECT_EQ(os_faulty_call_count("fdatasync"), 1u);
}

TEST_F(LogWriterTest, UnderIntervalNothingNewIsNothingToSync) {
    config_.durability = DURABILITY_INTERVAL;
    Start();
    Finish();
    EXPECT_EQ(os_faulty_call_count("fdatasync"), 0u);
}

TEST_F(LogWriterTest, UnderIntervalAFailedSyncIsFinalAndNeverRepeated) {
    config_.durability = DURABILITY_INTERVAL;
    config_.sync_interval_ms = 1;
    Start("fdatasync:1:EIO");
    ASSERT_TRUE(Submit(Records(0, 10)));
    AwaitError(-EIO);
    EXPECT_FALSE(Submit(Records(10, 10)));
    Finish();
    EXPECT_EQ(os_faulty_call_count("fdatasync"), 1u);
}

TEST_F(LogWriterTest, AFailedLastSyncIsAnError) {
    config_.durability = DURABILITY_INTERVAL;
    Start("fdatasync:1:EIO");
    ASSERT_TRUE(Submit(Records(0, 10)));
    Finish();
    EXPECT_EQ(log_writer_error(&writer_), -EIO);
}

TEST_F(LogWriterTest, TwoBlocksAreAllThereAre) {
    Start("append:1:hold");
    std::set<const log_block *> blocks;
    std::atomic<bool> is_released{false};
    bool was_early = false;
    ASSERT_TRUE(Submit(Records(0, 10)));
    ASSERT_TRUE(Submit(Records(10, 10)));
    std::thread producer([&] {
        for (uint32_t block_index = 2; block_index < 10; ++block_index) {
            log_block *block = log_writer_acquire(&writer_);
            was_early = was_early || !is_released;
            blocks.insert(block);
            memcpy(block->bytes, Records(block_index * 10, 10).data(), kBlockSize);
            block->size = kBlockSize;
            log_writer_submit(&writer_, block);
        }
    });
    os_faulty_await_call("append", 1);
    is_released = true;
    os_faulty_release();
    producer.join();
    EXPECT_FALSE(was_early) << "a third block";
    EXPECT_LE(blocks.size(), 2u);
    Finish();
    EXPECT_EQ(File(), Records(0, 100));
}

TEST_F(LogWriterTest, AnEmptyBlockIsFreeAgain) {
    Start();
    for (int round = 0; round < 10; ++round) {
        ASSERT_TRUE(Submit(""));
    }
    Finish();
    EXPECT_EQ(os_faulty_call_count("append"), 0u);
    EXPECT_EQ(log_writer_submitted_position(&writer_), 0u);
}

TEST_F(LogWriterTest, SlackBehindABlockIsNotItsNeighbour) {
    Start("append:1:hold");
    log_block *first = log_writer_acquire(&writer_);
    log_block *second = log_writer_acquire(&writer_);
    for (log_block *block : {first, second}) {
        memset(block->bytes, 'x', kBlockSize);
    }
    memset(first->bytes + kBlockSize, '!', config_.block_slack_size);
    memset(second->bytes + kBlockSize, '!', config_.block_slack_size);
    EXPECT_EQ(std::string(first->bytes, kBlockSize), std::string(kBlockSize, 'x'));
    EXPECT_EQ(std::string(second->bytes, kBlockSize), std::string(kBlockSize, 'x'));
    log_writer_submit(&writer_, first);
    log_writer_submit(&writer_, second);
    os_faulty_release();
}

TEST_F(LogWriterTest, AFailedStartLeavesNothingOver) {
    config_.durability = DURABILITY_INTERVAL;
    const std::map<std::string, int> plans = {{"map_memory:1:ENOMEM", -ENOMEM},
                                              {"thread_create:1:EAGAIN", -EAGAIN},
                                              {"thread_create:2:EAGAIN", -EAGAIN}};
    for (const auto &[plan, error] : plans) {
        ASSERT_TRUE(os_faulty_plan(plan.c_str()));
        EXPECT_EQ(log_writer_init(&writer_, &config_), error) << plan;
        EXPECT_EQ(os_faulty_fault_count(), 1u) << plan;
    }
}

TEST_F(LogWriterTest, TakesBlocksOfSeveralProducers) {
    constexpr uint32_t kProducerCount = 4;
    constexpr uint32_t kBlocksEach = 100;
    config_.block_count = 2 * kProducerCount;
    config_.durability = DURABILITY_INTERVAL;
    config_.sync_interval_ms = 1;
    Start("append:*:short=77");
    std::vector<std::thread> producers;
    for (uint32_t index = 0; index < kProducerCount; ++index) {
        producers.emplace_back([this, index] {
            for (uint32_t block = 0; block < kBlocksEach; ++block) {
                EXPECT_TRUE(Submit(Records(index * 1000000 + block * 10, 10)));
            }
        });
    }
    for (std::thread &producer : producers) {
        producer.join();
    }
    Finish();
    const std::string file = File();
    ASSERT_EQ(file.size(), kProducerCount * kBlocksEach * kBlockSize);
    std::map<uint32_t, uint32_t> next_numbers; // of each producer
    for (size_t at = 0; at < file.size(); at += kRecordSize) {
        const auto number = static_cast<uint32_t>(std::stoul(file.substr(at, kRecordSize - 1)));
        uint32_t &next_number = next_numbers[number / 1000000];
        ASSERT_EQ(number % 1000000, next_number);
        ++next_number;
    }
}

} // namespace
