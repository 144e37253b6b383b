// When the file is synced, by the durability policy, and what a failed sync means.
#include <cerrno>

#include "server/numbers/log/log_writer_fixture.h"

namespace {

class LogWriterSyncTest : public LogWriterTest {
  protected:
    // Twenty blocks, all but the first one while that is synced, which the plan holds.
    void SubmitDuringASync() {
        ASSERT_TRUE(Submit(Records(0, 10)));
        os_faulty_await_call("fdatasync", 1);
        for (uint32_t block = 1; block < 20; ++block) {
            ASSERT_TRUE(Submit(Records(block * 10, 10)));
        }
    }
};

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

// One call serves all that was written while the one before was under way.
TEST_F(LogWriterSyncTest, UnderAlwaysWritingGoesOnDuringASlowSync) {
    config_.durability = DURABILITY_ALWAYS;
    Start("fdatasync:1:hold");
    SubmitDuringASync();
    os_faulty_await_call("append", 20);
    EXPECT_EQ(log_writer_stored_position(&writer_), 0u);
    os_faulty_release();
    AwaitStored(20 * kBlockSize);
    Finish();
    EXPECT_LE(os_faulty_call_count("fdatasync"), 3u);
    EXPECT_EQ(File(), Records(0, 200));
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

TEST_F(LogWriterSyncTest, UnderIntervalWritingGoesOnDuringASlowSync) {
    config_.durability = DURABILITY_INTERVAL;
    config_.sync_interval_ms = 1;
    Start("fdatasync:1:hold");
    SubmitDuringASync();
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

} // namespace
