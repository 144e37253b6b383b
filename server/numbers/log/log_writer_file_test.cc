// A log that others truncate, add to, rename and remove while it is written.
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string>

#include "server/numbers/log/log_writer_fixture.h"

namespace {

// What somebody else leaves behind a newline must not become part of a line of ours.
TEST_F(LogWriterTest, ATruncationInMidLineCostsNoLineThatComesLater) {
    for (const off_t size : {0, 1, 9, 10, 25, 99}) {
        Start();
        ASSERT_TRUE(Submit(Records(0, 10)));
        AwaitStored(kBlockSize);
        ASSERT_EQ(os_ftruncate(fd_, size), 0);
        ASSERT_TRUE(Submit(Records(10, 5)));
        Finish();
        EXPECT_EQ(File(), Records(0, static_cast<uint32_t>(size / 10)) + Records(10, 5)) << size;
        log_writer_destroy(&writer_);
        is_started_ = false;
        ASSERT_EQ(os_ftruncate(fd_, 0), 0);
    }
    EXPECT_EQ(logger_.Count(" warning somebody else has changed the size of "), 6u)
        << logger_.Text();
}

TEST_F(LogWriterTest, AForeignByteIsCutOff) {
    Start();
    ASSERT_TRUE(Submit(Records(0, 10)));
    AwaitStored(kBlockSize);
    ASSERT_EQ(os_append(fd_, "x", 1), 1);
    ASSERT_TRUE(Submit(Records(10, 5)));
    Finish();
    EXPECT_EQ(File(), Records(0, 15));
}

TEST_F(LogWriterTest, AForeignLineStays) {
    Start();
    ASSERT_TRUE(Submit(Records(0, 10)));
    AwaitStored(kBlockSize);
    ASSERT_EQ(os_append(fd_, "hello\n", 6), 6);
    ASSERT_TRUE(Submit(Records(10, 5)));
    ASSERT_TRUE(Submit(Records(15, 5)));
    Finish();
    EXPECT_EQ(File(), Records(0, 10) + "hello\n" + Records(10, 10));
    EXPECT_EQ(os_faulty_call_count("ftruncate"), 0u);
}

TEST_F(LogWriterTest, IsOpenedAnewBetweenBlocks) {
    Start("append:1:hold");
    ASSERT_TRUE(Submit(Records(0, 10)));
    os_faulty_await_call("append", 1);
    ASSERT_EQ(rename(path_.c_str(), (path_ + ".1").c_str()), 0);
    log_writer_reopen(&writer_);
    os_faulty_release();
    AwaitStored(kBlockSize);
    ASSERT_TRUE(Submit(Records(10, 10)));
    Finish();
    EXPECT_EQ(harness::ReadFile(path_ + ".1"), Records(0, 10));
    EXPECT_EQ(File(), Records(10, 10));
}

// On a full disk somebody may well move the log to where there is room.
TEST_F(LogWriterTest, IsOpenedAnewWhileTheDiskIsFull) {
    Start("append:1:short=23,append:2:ENOSPC:2,append:4:hold");
    ASSERT_EQ(rename(path_.c_str(), (path_ + ".1").c_str()), 0);
    ASSERT_TRUE(Submit(Records(0, 10)));
    os_faulty_await_call("append", 2);
    log_writer_reopen(&writer_);
    os_faulty_await_call("append", 4);
    EXPECT_EQ(harness::ReadFile(path_ + ".1"), Records(0, 2)) << "the torn line is gone";
    EXPECT_EQ(File(), "");
    os_faulty_release();
    Finish();
    EXPECT_EQ(File(), Records(2, 8));
}

TEST_F(LogWriterTest, TheOldFileIsDurableBeforeTheNewOneIsWrittenTo) {
    config_.durability = DURABILITY_INTERVAL;
    Start("fdatasync:1:EIO");
    ASSERT_TRUE(Submit(Records(0, 10)));
    AwaitStored(kBlockSize);
    ASSERT_EQ(rename(path_.c_str(), (path_ + ".1").c_str()), 0);
    log_writer_reopen(&writer_);
    AwaitError(-EIO);
    Finish();
    EXPECT_EQ(os_faulty_call_count("fdatasync"), 1u);
}

class PlaceTest : public LogWriterTest {
  protected:
    void AwaitWarning() {
        while (logger_.Count(" was removed or renamed") == 0) {
            usleep(10000); // The writer looks once a second, and tells nobody but the logger.
        }
    }
};

TEST_F(PlaceTest, ALogThatIsRemovedIsWarnedOfOnce) {
    Start();
    ASSERT_TRUE(Submit(Records(0, 10)));
    AwaitStored(kBlockSize);
    ASSERT_EQ(unlink(path_.c_str()), 0);
    AwaitWarning();
    ASSERT_TRUE(Submit(Records(10, 10)));
    ASSERT_TRUE(Submit(Records(20, 10)));
    Finish();
    EXPECT_EQ(logger_.Count(" warning " + path_ + " was removed or renamed"), 1u) << logger_.Text();
    EXPECT_EQ(os_file_size(fd_), off_t{30 * kRecordSize});
}

TEST_F(LogWriterTest, TellsHowLongACallTakes) {
    Start("append:1:hold");
    const int64_t now_ms = os_now_ms();
    EXPECT_EQ(log_writer_call_ms(&writer_, now_ms), 0);
    ASSERT_TRUE(Submit(Records(0, 10)));
    os_faulty_await_call("append", 1);
    EXPECT_GT(log_writer_call_ms(&writer_, now_ms + 100000), 0);
    os_faulty_release();
    Finish();
    EXPECT_EQ(log_writer_call_ms(&writer_, now_ms + 100000), 0);
}

} // namespace
