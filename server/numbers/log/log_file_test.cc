#include "server/numbers/log/log_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <vector>

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
    }
    ~LogFileTest() override {
        os_faulty_plan("");
        if (is_open_) {
            log_file_close(&log_);
        }
    }

    log_file_status Open(const std::string &path) {
        const log_file_status status = log_file_open(&log_, path.c_str(), logger_.get());
        is_open_ = status == LOG_FILE_OK;
        return status;
    }

    harness::TemporaryDirectory directory_;
    std::string path_;
    CapturedLogger logger_;
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
    EXPECT_EQ(log_file_cut(&log_, 0, logger_.get()), LOG_FILE_OK);
    EXPECT_EQ(harness::ReadFile(path_), "");
}

TEST_F(LogFileTest, AFileThatIsLockedIsRefused) {
    ASSERT_EQ(Open(path_), LOG_FILE_OK);
    log_file second{};
    EXPECT_EQ(log_file_open(&second, path_.c_str(), logger_.get()), LOG_FILE_FAILED);
    EXPECT_EQ(logger_.Count(" error " + path_ + " is locked through descriptor "), 1u)
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
    ASSERT_TRUE(os_faulty_plan("lock_exclusive:1:EIO,ftruncate:1:EIO"));
    EXPECT_EQ(Open(path_), LOG_FILE_FAILED);
    EXPECT_EQ(logger_.Count(" error cannot lock " + path_), 1u) << logger_.Text();
    harness::WriteFile(path_, "old");
    ASSERT_EQ(Open(path_), LOG_FILE_OK);
    EXPECT_EQ(log_file_cut(&log_, 0, logger_.get()), LOG_FILE_FAILED);
    EXPECT_EQ(logger_.Count(" error cannot clear " + path_), 1u) << logger_.Text();
}

TEST_F(LogFileTest, ADeviceHasNothingToClearOrOpenAnew) {
    ASSERT_EQ(Open("/dev/null"), LOG_FILE_OK);
    EXPECT_FALSE(log_.is_regular);
    EXPECT_EQ(log_file_cut(&log_, 0, logger_.get()), LOG_FILE_OK);
    EXPECT_EQ(log_file_reopen(&log_, true, logger_.get()), 0);
    EXPECT_TRUE(log_file_is_in_place(&log_));
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

TEST_F(LogFileTest, AFileSystemWithoutLocksIsWarnedOf) {
    for (const char *error : {"ENOLCK", "ENOSYS", "EOPNOTSUPP", "EINVAL"}) {
        ASSERT_TRUE(os_faulty_plan((std::string("lock_exclusive:1:") + error).c_str()));
        EXPECT_EQ(Open(path_), LOG_FILE_OK) << error;
        log_file_close(&log_);
    }
    is_open_ = false;
    EXPECT_EQ(logger_.Count(" warning cannot lock " + path_), 4u) << logger_.Text();
}

class ReopenTest : public LogFileTest {
  protected:
    ReopenTest() {
        EXPECT_EQ(Open(path_), LOG_FILE_OK);
        EXPECT_EQ(os_append(log_.fd, "old\n", 4), 4);
    }

    // Opens the log anew and tells whether another file is behind the descriptor now.
    bool Reopen() {
        const int fd = log_.fd;
        EXPECT_EQ(log_file_reopen(&log_, true, logger_.get()), 0);
        EXPECT_EQ(log_.fd, fd);
        return os_file_size(log_.fd) == 0;
    }
    void Rename() {
        EXPECT_EQ(rename(path_.c_str(), moved_path_.c_str()), 0);
    }

    std::string moved_path_ = path_ + ".1";
};

TEST_F(ReopenTest, ARenamedLogIsOpenedAnew) {
    EXPECT_TRUE(log_file_is_in_place(&log_));
    Rename();
    EXPECT_FALSE(log_file_is_in_place(&log_));
    EXPECT_TRUE(Reopen());
    EXPECT_TRUE(log_file_is_in_place(&log_));
    EXPECT_EQ(os_append(log_.fd, "new\n", 4), 4);
    EXPECT_EQ(harness::ReadFile(path_), "new\n");
    EXPECT_EQ(harness::ReadFile(moved_path_), "old\n");
    log_file second{};
    EXPECT_EQ(log_file_open(&second, path_.c_str(), logger_.get()), LOG_FILE_FAILED) << "locked";
    EXPECT_EQ(log_file_open(&second, moved_path_.c_str(), logger_.get()), LOG_FILE_OK);
    log_file_close(&second);
}

TEST_F(ReopenTest, WhatIsThereStaysTheLogWhereItWasNotMoved) {
    EXPECT_FALSE(Reopen());
    EXPECT_EQ(logger_.Count("was not moved"), 1u) << logger_.Text();
}

TEST_F(ReopenTest, AFileWithSomethingInItDoesNotBecomeTheLog) {
    Rename();
    harness::WriteFile(path_, "something");
    EXPECT_FALSE(Reopen());
    EXPECT_EQ(logger_.Count(" error cannot open " + path_ + " anew"), 1u) << logger_.Text();
    EXPECT_EQ(harness::ReadFile(path_), "something");
}

TEST_F(ReopenTest, WhateverFailsTheOldFileStaysTheLog) {
    for (const char *plan :
         {"open:1:EACCES", "lock_exclusive:1:EIO", "fsync:1:EIO", "replace_descriptor:1:EMFILE"}) {
        ASSERT_EQ(rename(path_.c_str(), moved_path_.c_str()) == 0, true);
        ASSERT_TRUE(os_faulty_plan(plan));
        EXPECT_FALSE(Reopen()) << plan;
        ASSERT_TRUE(os_faulty_plan(""));
        EXPECT_EQ(os_append(log_.fd, "old\n", 4), 4);
        ASSERT_EQ(rename(moved_path_.c_str(), path_.c_str()), 0);
        EXPECT_TRUE(log_file_is_in_place(&log_));
    }
    EXPECT_EQ(logger_.Count(" error "), 4u) << logger_.Text();
}

TEST_F(ReopenTest, AnOldFileThatCannotBeMadeDurableIsAnError) {
    Rename();
    ASSERT_TRUE(os_faulty_plan("fdatasync:1:EIO"));
    EXPECT_EQ(log_file_reopen(&log_, true, logger_.get()), -EIO);
}

} // namespace
