// Whole aligned blocks past the page cache, and what goes through it instead.
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <string>
#include <thread>

#include "server/numbers/log/log_writer_fixture.h"

namespace {

constexpr size_t kUnitSize = LOG_APPENDER_UNIT_SIZE;
constexpr size_t kWholeSize = 8 * kUnitSize;

class DirectTest : public LogWriterTest {
  protected:
    DirectTest() {
        config_.block_size = kWholeSize;
        config_.disk_patience = {3600 * 1000, 0}; // no disk is slow
    }
    ~DirectTest() override {
        if (is_started_) {
            log_writer_finish(&writer_);
            log_writer_destroy(&writer_);
            is_started_ = false;
        }
        os_faulty_plan("");
        log_file_close_direct(&log_);
    }

    void SetUp() override {
        OpenDirect();
    }

    // Also on a memory file system, which the server itself would not write to directly.
    void OpenDirect() {
        log_file_close_direct(&log_);
        log_.direct_fd = os_open(path_.c_str(), O_WRONLY | O_APPEND | O_DIRECT, 0);
        log_.is_direct = log_.direct_fd >= 0;
        if (!log_.is_direct) {
            GTEST_SKIP() << path_ << " cannot be written directly: " << strerror(-log_.direct_fd);
        }
    }

    // Fills a block with the next records: as many as it takes, or as were asked for.
    void SubmitNext(size_t count = SIZE_MAX) {
        log_block *block = log_writer_acquire(&writer_);
        ASSERT_NE(block, nullptr);
        capacity_ = block->capacity;
        count = std::min(count, block->capacity / kRecordSize);
        const std::string records = Records(next_number_, static_cast<uint32_t>(count));
        memcpy(block->bytes, records.data(), records.size());
        block->size = records.size();
        expected_ += records;
        next_number_ += static_cast<uint32_t>(count);
        log_writer_submit(&writer_, block);
    }

    void SubmitNextAndAwait(size_t count = SIZE_MAX) {
        SubmitNext(count);
        AwaitStored(expected_.size() - not_counted_size_);
    }

    // With an empty log, after Finish.
    void StartAnew(const std::string &plan) {
        if (is_started_) {
            log_writer_destroy(&writer_);
            is_started_ = false;
        }
        ASSERT_EQ(os_ftruncate(fd_, 0), 0);
        OpenDirect();
        expected_.clear();
        not_counted_size_ = 0;
        Start(plan);
    }

    // Only after Finish: the writer's thread counts.
    uint64_t DirectSize() const {
        return writer_.appender.direct_size;
    }

    uint32_t next_number_ = 0;
    std::string expected_;
    size_t capacity_ = 0; // of the block that was filled last
    size_t not_counted_size_ = 0;
};

TEST_F(DirectTest, WholeBlocksGoPastTheCache) {
    Start();
    for (int block = 0; block < 5; ++block) {
        SubmitNext();
    }
    Finish();
    EXPECT_EQ(File(), expected_);
    EXPECT_EQ(DirectSize(), 5 * kWholeSize);
    EXPECT_EQ(os_faulty_call_count("append"), 5u);
    EXPECT_EQ(os_faulty_call_count("flush_range"), 0u);
}

TEST_F(DirectTest, AShortBlockEvensOutAPartialOneAndTheCacheIsFlushedFirst) {
    Start();
    SubmitNextAndAwait(3);
    SubmitNextAndAwait();
    EXPECT_EQ(capacity_, kUnitSize - 30);
    EXPECT_EQ(os_faulty_call_count("flush_range"), 0u);
    SubmitNextAndAwait();
    EXPECT_EQ(os_faulty_call_count("flush_range"), 1u);
    SubmitNext();
    Finish();
    EXPECT_EQ(File(), expected_);
    EXPECT_EQ(DirectSize(), 2 * kWholeSize);
    EXPECT_EQ(os_faulty_call_count("flush_range"), 1u) << "what went directly is flushed";
}

TEST_F(DirectTest, ManySmallBlocksGoThroughTheCache) {
    Start();
    for (uint32_t block = 0; block < 100; ++block) {
        SubmitNextAndAwait(block % 7 + 1);
    }
    Finish();
    EXPECT_EQ(File(), expected_);
    EXPECT_EQ(DirectSize(), 0u);
}

TEST_F(DirectTest, GoesOnAtAnUnevenEndOfAnEarlierRun) {
    ASSERT_EQ(os_append(fd_, Records(0, 3).data(), 30), 30);
    next_number_ = 3;
    not_counted_size_ = 30;
    expected_ = Records(0, 3);
    Start();
    SubmitNextAndAwait(); // where it will begin is not known yet
    SubmitNextAndAwait();
    EXPECT_EQ(capacity_, kUnitSize - 30);
    SubmitNextAndAwait();
    Finish();
    EXPECT_EQ(File(), expected_);
    EXPECT_EQ(DirectSize(), kWholeSize);
}

TEST_F(DirectTest, ShortWritesGiveTheSameFile) {
    for (const size_t size : {1ul, 512ul, 4096ul, 8192ul, 61440ul, 102400ul, kWholeSize - 10}) {
        StartAnew("append:1:short=" + std::to_string(size));
        SubmitNext();
        SubmitNext(7);
        SubmitNext();
        SubmitNext();
        Finish();
        ASSERT_EQ(File(), expected_) << size;
    }
}

TEST_F(DirectTest, WhatTheFileSystemRefusesGoesThroughTheCache) {
    for (const char *plan : {"append:1:EINVAL", "append:1:EOPNOTSUPP"}) {
        StartAnew(plan);
        SubmitNext();
        SubmitNext();
        Finish();
        EXPECT_EQ(File(), expected_) << plan;
        EXPECT_EQ(DirectSize(), 0u) << plan;
        EXPECT_FALSE(log_.is_direct);
        EXPECT_EQ(logger_.Count(" warning "), 0u) << logger_.Text();
    }
}

TEST_F(DirectTest, AFullDiskInTheMiddleIsFilledThroughTheCacheAndWaitedOut) {
    Start("append:1:short=8192,append:2:ENOSPC,append:3:short=23,append:4:ENOSPC:3");
    SubmitNext();
    SubmitNext();
    Finish();
    EXPECT_EQ(File(), expected_);
    EXPECT_EQ(logger_.Count(" warning cannot write the log: "), 1u) << logger_.Text();
    EXPECT_EQ(logger_.Count("there is room for the log again"), 1u);
    EXPECT_EQ(os_faulty_call_count("ftruncate"), 0u);
    EXPECT_TRUE(log_.is_direct);
}

TEST_F(DirectTest, AFailedWriteIsFinalAndNotTriedThroughTheCache) {
    Start("append:2:EIO");
    SubmitNext();
    SubmitNext();
    AwaitError(-EIO);
    Finish();
    EXPECT_EQ(os_faulty_call_count("append"), 2u);
    EXPECT_EQ(File(), Records(0, kWholeSize / kRecordSize));
}

// What was lost on its way from the cache to the disk is lost: no room that comes later helps.
TEST_F(DirectTest, AFailedFlushIsFinal) {
    for (const char *plan : {"flush_range:1:EIO", "flush_range:1:ENOSPC"}) {
        StartAnew(plan);
        SubmitNextAndAwait(3);
        SubmitNextAndAwait();
        SubmitNext();
        AwaitError(-EIO);
        Finish();
        EXPECT_EQ(os_faulty_call_count("append"), 2u) << plan;
    }
}

TEST_F(DirectTest, WithoutAFlushNothingGoesPastTheCache) {
    Start("flush_range:1:ENOSYS");
    SubmitNextAndAwait(3);
    SubmitNextAndAwait();
    SubmitNext();
    SubmitNext();
    Finish();
    EXPECT_EQ(File(), expected_);
    EXPECT_EQ(DirectSize(), 0u);
    EXPECT_FALSE(log_.is_direct);
}

TEST_F(DirectTest, ASlowDiskGetsABurstThroughTheCacheAndThenAnotherChance) {
    config_.disk_patience = {0, 0};
    config_.durability = DURABILITY_ALWAYS;
    Start("append:1:delay=100,fdatasync:1:hold");
    SubmitNext(); // directly, and late
    os_faulty_await_call("fdatasync", 1);
    SubmitNext(); // through the cache
    SubmitNext();
    os_faulty_await_call("append", 3);
    os_faulty_release();
    AwaitStored(expected_.size());
    SubmitNext(); // directly again
    Finish();
    EXPECT_EQ(File(), expected_);
    EXPECT_EQ(DirectSize(), 2 * kWholeSize);
    EXPECT_EQ(os_faulty_call_count("flush_range"), 0u) << "no waiting for a slow disk";
}

TEST_F(DirectTest, ATruncationFromOutsideIsSurvived) {
    for (const off_t size : {0, 25, 4096, 20480}) {
        StartAnew("");
        SubmitNextAndAwait();
        SubmitNextAndAwait();
        ASSERT_EQ(os_ftruncate(fd_, size), 0);
        expected_.resize(static_cast<size_t>(size - size % 10));
        not_counted_size_ = 0 - (2 * kWholeSize - expected_.size());
        SubmitNextAndAwait();
        SubmitNextAndAwait();
        SubmitNextAndAwait();
        Finish();
        ASSERT_EQ(File(), expected_) << size;
        EXPECT_TRUE(log_.is_direct) << "the offset was refused, if anything was";
        EXPECT_GE(DirectSize(), 3 * kWholeSize) << size;
    }
}

TEST_F(DirectTest, FollowsTheLogThatIsOpenedAnew) {
    Start();
    SubmitNextAndAwait();
    ASSERT_EQ(rename(path_.c_str(), (path_ + ".1").c_str()), 0);
    log_writer_reopen(&writer_);
    const std::string old_records = expected_;
    SubmitNextAndAwait();
    SubmitNextAndAwait(3);
    Finish();
    EXPECT_EQ(harness::ReadFile(path_ + ".1"), old_records);
    EXPECT_EQ(File(), expected_.substr(old_records.size()));
}

// It sees the log grow, and each byte of it right, however that got there.
TEST_F(DirectTest, AReaderThatFollowsTheFileSeesWhatWasWritten) {
    constexpr size_t kBlockCount = 60;
    Start();
    std::string seen;
    std::thread reader([&] {
        const int fd = os_open(path_.c_str(), O_RDONLY, 0);
        std::string chunk(3000, '\0'); // at odd offsets
        ssize_t size = 0;
        while (size > 0 || !log_writer_is_finished(&writer_)) {
            std::this_thread::yield();
            size = os_read(fd, chunk.data(), chunk.size());
            seen.append(chunk.data(), static_cast<size_t>(std::max<ssize_t>(size, 0)));
        }
        while ((size = os_read(fd, chunk.data(), chunk.size())) > 0) {
            seen.append(chunk.data(), static_cast<size_t>(size));
        }
        os_close(fd);
    });
    for (size_t block = 0; block < kBlockCount; ++block) {
        SubmitNextAndAwait(block % 6 == 5 ? 1000 : SIZE_MAX);
    }
    Finish();
    reader.join();
    EXPECT_EQ(seen, expected_);
    EXPECT_GT(DirectSize(), 0u);
}

} // namespace
