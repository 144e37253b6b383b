#include "server/numbers/log/disk_watch.h"

#include "server/runtime/captured_logger.h"
#include "gtest/gtest.h"

namespace {

class DiskWatchTest : public testing::Test {
  protected:
    // Looks every half second for so long, at a call that has begun call_ms ago.
    void Look(int64_t call_ms, int64_t duration_ms) {
        for (int64_t passed_ms = 0; passed_ms < duration_ms; passed_ms += 500) {
            disk_watch_look(&watch_, call_ms == 0 ? 0 : call_ms + passed_ms, now_ms_ + passed_ms,
                            logger_.get());
        }
        now_ms_ += duration_ms;
    }

    CapturedLogger logger_;
    disk_watch watch_{};
    int64_t now_ms_ = 1000000;
};

TEST_F(DiskWatchTest, ACallOfAFewSecondsIsNotWarnedOf) {
    Look(1, 4500);
    Look(0, 60000);
    EXPECT_EQ(logger_.Text(), "");
}

TEST_F(DiskWatchTest, WarnsAfterFiveSecondsAndThenEveryThirty) {
    Look(1, 5000);
    EXPECT_EQ(logger_.Count(" warning "), 0u);
    Look(5000, 500);
    EXPECT_EQ(logger_.Count(" warning the disk of the log has not answered for 5 s"), 1u)
        << logger_.Text();
    Look(5500, 61000);
    EXPECT_EQ(logger_.Count(" warning "), 3u) << logger_.Text();
}

TEST_F(DiskWatchTest, SaysOnceThatTheDiskAnswersAgain) {
    Look(1, 6000);
    Look(0, 10000);
    Look(1, 1000);
    EXPECT_EQ(logger_.Count(" info the disk of the log answers again"), 1u) << logger_.Text();
}

} // namespace
