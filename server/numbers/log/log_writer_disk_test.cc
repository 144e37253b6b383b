// Disks that are full, and disks that fail.
#include <atomic>
#include <cerrno>
#include <string>
#include <thread>

#include "server/numbers/log/log_writer_fixture.h"

namespace {

class FullDiskTest : public LogWriterTest, public testing::WithParamInterface<const char *> {};

INSTANTIATE_TEST_SUITE_P(Errors, FullDiskTest, testing::Values("ENOSPC", "EDQUOT", "EFBIG"));

// 23 bytes fit, then nothing for a while: the torn line is finished when there is room. To cut it
// off would take room, too, on a file system that copies on write.
TEST_P(FullDiskTest, FinishesATornLineWhenThereIsRoom) {
    Start("append:1:short=23,append:2:" + std::string(GetParam()) + ":3,append:5:hold");
    ASSERT_TRUE(Submit(Records(0, 10)));
    os_faulty_await_call("append", 5);
    EXPECT_EQ(File(), Records(0, 10).substr(0, 23));
    EXPECT_EQ(log_writer_stored_position(&writer_), 0u);
    EXPECT_EQ(log_writer_error(&writer_), 0);
    EXPECT_EQ(logger_.Count(" warning "), 1u) << logger_.Text();
    os_faulty_release();
    AwaitStored(kBlockSize);
    EXPECT_EQ(File(), Records(0, 10));
    ASSERT_TRUE(Submit(Records(10, 5)));
    Finish();
    EXPECT_EQ(File(), Records(0, 15));
    EXPECT_EQ(os_faulty_call_count("ftruncate"), 0u);
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

TEST_F(LogWriterTest, AFileWhoseSizeIsUnknownIsNotWrittenTo) {
    Start("file_size:1:EIO");
    ASSERT_TRUE(Submit(Records(0, 10)));
    AwaitError(-EIO);
    Finish();
    EXPECT_EQ(os_faulty_call_count("append"), 0u);
}

// What --resume could not cut off for want of room: it must not become part of the next line.
TEST_P(FullDiskTest, ATornLineOfAnEarlierRunIsCutWhenThereIsRoom) {
    ASSERT_EQ(os_append(fd_, "000000007\n0000", 14), 14);
    Start("ftruncate:1:" + std::string(GetParam()) + ":3");
    ASSERT_TRUE(Submit(Records(0, 10)));
    Finish();
    EXPECT_EQ(File(), Record(7) + Records(0, 10));
    EXPECT_EQ(os_faulty_call_count("ftruncate"), 4u);
    EXPECT_EQ(logger_.Count(" warning cannot write the log: "), 1u) << logger_.Text();
}

TEST_F(LogWriterTest, ATornLineInAFileThatSomebodyEmptiesIsWrittenAgain) {
    Start("append:1:short=23,append:2:hold,append:2:ENOSPC");
    ASSERT_TRUE(Submit(Records(0, 10)));
    os_faulty_await_call("append", 2);
    ASSERT_EQ(os_ftruncate(fd_, 0), 0);
    os_faulty_release();
    AwaitStored(kBlockSize);
    Finish();
    EXPECT_EQ(log_writer_error(&writer_), 0);
    EXPECT_EQ(File(), Records(2, 8));
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

} // namespace
