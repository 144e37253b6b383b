#include "server/numbers/log/log_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <vector>

#include "server/numbers/limits.h"
#include "server/numbers/number_log.h"
#include "server/runtime/captured_logger.h"
#include "server/runtime/os.h"
#include "server/runtime/os_faulty.h"
#include "testing/files.h"
#include "gtest/gtest.h"

namespace {

using harness::NumberLine;
using harness::NumberLines;

class LogFileTest : public testing::Test {
  protected:
    LogFileTest() : path_(directory_.File("numbers.log")) {
        os_faulty_plan("");
        EXPECT_EQ(line_parser_select(&parser_, nullptr), LINE_PARSER_SELECTED);
        map_memory_ = os_map_memory(dedup_map_size());
        EXPECT_NE(map_memory_, nullptr);
        dedup_map_init(&map_, map_memory_);
    }
    ~LogFileTest() override {
        os_faulty_plan("");
        if (is_open_) {
            log_file_close(&log_);
        }
        os_unmap_memory(map_memory_, dedup_map_size());
    }

    log_file_status Open(const std::string &path) {
        const log_file_status status = log_file_open(&log_, path.c_str(), logger_.get());
        is_open_ = status == LOG_FILE_OK;
        return status;
    }

    // Opens and loads a file with this content.
    log_file_status Load(const std::string &content) {
        harness::WriteFile(path_, content);
        EXPECT_EQ(Open(path_), LOG_FILE_OK);
        return log_file_load(&log_, &map_, &parser_, logger_.get());
    }

    // Loads a file that must be refused for the reason, and left as it is.
    void ExpectRefused(const std::string &content, const std::string &reason) {
        EXPECT_EQ(Load(content), LOG_FILE_FAILED);
        EXPECT_EQ(logger_.Count(" error cannot resume from " + path_ + ": " + reason +
                                "; the file was left alone\n"),
                  1u)
            << logger_.Text();
        EXPECT_EQ(harness::ReadFile(path_), content);
    }

    harness::TemporaryDirectory directory_;
    std::string path_;
    CapturedLogger logger_;
    line_parser parser_{};
    void *map_memory_ = nullptr;
    dedup_map map_{};
    log_file log_{};
    bool is_open_ = false;
};

TEST_F(LogFileTest, CreatesTheFile) {
    ASSERT_EQ(Open(path_), LOG_FILE_OK);
    EXPECT_TRUE(log_.is_regular);
    EXPECT_EQ(harness::ReadFile(path_), "");
}

TEST_F(LogFileTest, OpeningChangesNothingAndClearingEmpties) {
    harness::WriteFile(path_, "precious");
    ASSERT_EQ(Open(path_), LOG_FILE_OK);
    EXPECT_EQ(harness::ReadFile(path_), "precious");
    EXPECT_EQ(log_file_clear(&log_, logger_.get()), LOG_FILE_OK);
    EXPECT_EQ(harness::ReadFile(path_), "");
}

TEST_F(LogFileTest, ASecondServerIsRefused) {
    ASSERT_EQ(Open(path_), LOG_FILE_OK);
    log_file second{};
    EXPECT_EQ(log_file_open(&second, path_.c_str(), logger_.get()), LOG_FILE_FAILED);
    EXPECT_EQ(logger_.Count(" error " + path_ + " is in use by another server\n"), 1u)
        << logger_.Text();
    log_file_close(&log_);
    EXPECT_EQ(Open(path_), LOG_FILE_OK) << "closing gives the lock back";
}

TEST_F(LogFileTest, ALockThatIsGivenBackAtOnceIsWaitedFor) {
    ASSERT_TRUE(os_faulty_plan("lock_exclusive:1:EAGAIN:10"));
    EXPECT_EQ(Open(path_), LOG_FILE_OK) << logger_.Text();
    EXPECT_EQ(os_faulty_call_count("lock_exclusive"), 11u);
}

TEST_F(LogFileTest, SaysWhyItCannotBeOpened) {
    EXPECT_EQ(Open(directory_.File("nowhere/numbers.log")), LOG_FILE_FAILED);
    EXPECT_EQ(logger_.Count(" error cannot open "), 1u);
    EXPECT_EQ(logger_.Count("No such file or directory\n"), 1u);
    EXPECT_EQ(Open(directory_.path()), LOG_FILE_FAILED);
    EXPECT_EQ(logger_.Count("Is a directory\n"), 1u);
    const std::string fifo = directory_.File("fifo");
    ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
    EXPECT_EQ(Open(fifo), LOG_FILE_FAILED);
    EXPECT_EQ(logger_.Count(" error cannot use " + fifo + " as a log: it is no regular file"), 1u)
        << logger_.Text();
}

TEST_F(LogFileTest, SaysWhyItCannotBeLockedOrCleared) {
    ASSERT_TRUE(os_faulty_plan("lock_exclusive:1:ENOLCK,ftruncate:1:EIO"));
    EXPECT_EQ(Open(path_), LOG_FILE_FAILED);
    EXPECT_EQ(logger_.Count(" error cannot lock " + path_), 1u) << logger_.Text();
    ASSERT_EQ(Open(path_), LOG_FILE_OK);
    EXPECT_EQ(log_file_clear(&log_, logger_.get()), LOG_FILE_FAILED);
    EXPECT_EQ(logger_.Count(" error cannot clear " + path_), 1u) << logger_.Text();
}

TEST_F(LogFileTest, ADeviceHasNothingToClearOrLoad) {
    ASSERT_EQ(Open("/dev/null"), LOG_FILE_OK);
    EXPECT_FALSE(log_.is_regular);
    EXPECT_EQ(log_file_clear(&log_, logger_.get()), LOG_FILE_OK);
    EXPECT_EQ(log_file_load(&log_, &map_, &parser_, logger_.get()), LOG_FILE_OK);
}

TEST_F(LogFileTest, LoadsWhatIsThere) {
    const std::string content = NumberLines(999999990, 10) + NumberLines(0, 5);
    ASSERT_EQ(Load(content), LOG_FILE_OK) << logger_.Text();
    for (const uint32_t number : {0u, 4u, 999999990u, 999999999u}) {
        EXPECT_TRUE(dedup_map_contains(&map_, number)) << number;
    }
    EXPECT_FALSE(dedup_map_contains(&map_, 5));
    EXPECT_EQ(logger_.Count(" with 15 numbers\n"), 1u);
    EXPECT_EQ(harness::ReadFile(path_), content);
}

TEST_F(LogFileTest, LoadsAnEmptyFile) {
    ASSERT_EQ(Load(""), LOG_FILE_OK);
}

TEST_F(LogFileTest, LoadsMoreThanOneReadTakes) {
    constexpr size_t kCount = 3 * RECEIVE_SIZE / LINE_SIZE + 7;
    const std::string content = NumberLines(1000, kCount);
    ASSERT_EQ(Load(content), LOG_FILE_OK) << logger_.Text();
    for (uint32_t index = 0; index < kCount; ++index) {
        ASSERT_TRUE(dedup_map_contains(&map_, 1000 + index));
    }
}

TEST_F(LogFileTest, LoadingStopsWhenAskedTo) {
    const std::string content = NumberLines(0, 100) + "0000";
    harness::WriteFile(path_, content);
    ASSERT_EQ(Open(path_), LOG_FILE_OK);
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    log_.stop_fd = ends[0];
    EXPECT_EQ(log_file_load(&log_, &map_, &parser_, logger_.get()), LOG_FILE_OK);
    harness::WriteFile(path_, content);
    ASSERT_EQ(os_write(ends[1], "x", 1), 1);
    EXPECT_EQ(log_file_load(&log_, &map_, &parser_, logger_.get()), LOG_FILE_STOPPED);
    EXPECT_EQ(harness::ReadFile(path_), content);
    os_close(ends[0]);
    os_close(ends[1]);
}

TEST_F(LogFileTest, ShortReadsLoadTheSame) {
    ASSERT_TRUE(os_faulty_plan("pread:*:short=7"));
    ASSERT_EQ(Load(NumberLines(0, 100) + "0000"), LOG_FILE_OK) << logger_.Text();
    EXPECT_EQ(harness::ReadFile(path_), NumberLines(0, 100));
}

TEST_F(LogFileTest, CutsATornLastLineOff) {
    const std::string line = "123456789";
    for (size_t size = 1; size <= line.size(); ++size) {
        ASSERT_EQ(Load(NumberLines(static_cast<uint32_t>(size) * 10, 3) + line.substr(0, size)),
                  LOG_FILE_OK)
            << logger_.Text();
        EXPECT_EQ(harness::ReadFile(path_), NumberLines(static_cast<uint32_t>(size) * 10, 3));
        EXPECT_EQ(logger_.Count(" warning cut a torn last line off " + path_), size);
        log_file_close(&log_);
        is_open_ = false;
    }
    EXPECT_FALSE(dedup_map_contains(&map_, 123456789)) << "a torn line is no number";
}

TEST_F(LogFileTest, SyncsTheFileAndItsDirectory) {
    ASSERT_EQ(Open(path_), LOG_FILE_OK);
    ASSERT_TRUE(os_faulty_plan(""));
    EXPECT_EQ(log_file_sync(&log_, logger_.get()), LOG_FILE_OK);
    EXPECT_EQ(os_faulty_call_count("fsync"), 2u);
    EXPECT_EQ(logger_.Text(), "");
}

TEST_F(LogFileTest, AFailedSyncIsAFailureAndThatOfTheDirectoryAWarning) {
    ASSERT_EQ(Open(path_), LOG_FILE_OK);
    ASSERT_TRUE(os_faulty_plan("fsync:1:EIO"));
    EXPECT_EQ(log_file_sync(&log_, logger_.get()), LOG_FILE_FAILED);
    EXPECT_EQ(logger_.Count(" error cannot sync " + path_), 1u) << logger_.Text();
    for (const char *plan : {"fsync:2:EIO", "open:1:EACCES"}) {
        ASSERT_TRUE(os_faulty_plan(plan));
        EXPECT_EQ(log_file_sync(&log_, logger_.get()), LOG_FILE_OK);
    }
    EXPECT_EQ(logger_.Count(" warning cannot sync the directory of " + path_), 2u)
        << logger_.Text();
}

TEST_F(LogFileTest, NamesTheLineThatIsNoNumber) {
    ExpectRefused(NumberLines(0, 3) + "12345678x\n", "line 4 is not nine digits");
}

TEST_F(LogFileTest, RefusesAnyOtherFile) {
    ExpectRefused("hello, world\n", "line 1 is not nine digits");
}

TEST_F(LogFileTest, RefusesCarriageReturns) {
    ExpectRefused("123456789\r\n", "line 1 is not nine digits");
}

TEST_F(LogFileTest, RefusesTheWordTerminate) {
    ExpectRefused(NumberLines(0, 2) + "terminate\n" + NumberLine(5), "line 3 is not nine digits");
}

TEST_F(LogFileTest, RefusesTheTornWordTerminate) {
    ExpectRefused(NumberLines(0, 2) + "term", "line 3 is not nine digits");
}

TEST_F(LogFileTest, NamesTheLineThatWasThereBefore) {
    ExpectRefused(NumberLines(0, 5) + NumberLine(2) + NumberLines(10, 5),
                  "line 6 has a number that was there before");
}

TEST_F(LogFileTest, NamesTheFirstOfTwoFaults) {
    ExpectRefused(NumberLine(7) + NumberLine(7) + "x\n",
                  "line 2 has a number that was there before");
}

TEST_F(LogFileTest, NamesALineFarBehind) {
    constexpr size_t kCount = 2 * RECEIVE_SIZE / LINE_SIZE + 3;
    ExpectRefused(NumberLines(0, kCount) + "bad\n",
                  "line " + std::to_string(kCount + 1) + " is not nine digits");
}

TEST_F(LogFileTest, SaysWhyItCannotBeLoaded) {
    ASSERT_TRUE(os_faulty_plan("pread:1:EIO"));
    EXPECT_EQ(Load(NumberLines(0, 3)), LOG_FILE_FAILED);
    EXPECT_EQ(logger_.Count(" error cannot read " + path_), 1u) << logger_.Text();
    log_file_close(&log_);
    ASSERT_TRUE(os_faulty_plan("map_memory:1:ENOMEM"));
    EXPECT_EQ(Load(NumberLines(0, 3)), LOG_FILE_FAILED);
    EXPECT_EQ(logger_.Count(" error cannot load " + path_), 1u) << logger_.Text();
    log_file_close(&log_);
    ASSERT_TRUE(os_faulty_plan("ftruncate:1:EIO"));
    EXPECT_EQ(Load(NumberLines(0, 3) + "1"), LOG_FILE_FAILED);
    EXPECT_EQ(logger_.Count(" error cannot cut the torn last line of " + path_), 1u)
        << logger_.Text();
}

} // namespace
