// A log writer and its file, for the tests of it: what it writes, what becomes of it on a disk that
// is full or fails, and when it syncs.
//
// Ownership: the fixture owns all parts, and ends the writer where the test has not. Threading: the
// test's thread; Submit may be called by several.
#ifndef SERVER_NUMBERS_LOG_LOG_WRITER_FIXTURE_H_
#define SERVER_NUMBERS_LOG_LOG_WRITER_FIXTURE_H_

#include <fcntl.h>

#include <cstdio>
#include <cstring>
#include <string>

#include "server/numbers/log/log_writer.h"
#include "server/runtime/captured_logger.h"
#include "server/runtime/os.h"
#include "server/runtime/os_faulty.h"
#include "testing/files.h"
#include "gtest/gtest.h"

inline constexpr size_t kRecordSize = 10;
inline constexpr size_t kBlockSize = 10 * kRecordSize;
inline constexpr int64_t kNeverMs = 24 * 60 * 60 * 1000;

inline std::string Record(uint32_t number) {
    char text[16];
    snprintf(text, sizeof text, "%09u\n", number);
    return text;
}

inline std::string Records(uint32_t first, uint32_t count) {
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
        log_.path = path_.c_str();
        log_.fd = fd_;
        log_.is_regular = true;
        config_.log = &log_;
        config_.line_size = kRecordSize;
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
    log_file log_{};
    CapturedLogger logger_;
    wakeup progress_{};
    log_writer_configuration config_{};
    log_writer writer_{};
    bool is_started_ = false;
};

#endif // SERVER_NUMBERS_LOG_LOG_WRITER_FIXTURE_H_
