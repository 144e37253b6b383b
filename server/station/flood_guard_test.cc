#include "server/station/flood_guard.h"

#include <gtest/gtest.h>

#include "server/station/limits.h"

namespace {

int CountAllowed(struct flood_guard *guard, int64_t now_ms) {
    int count = 0;
    while (flood_guard_allows(guard, now_ms)) {
        count++;
    }
    return count;
}

TEST(FloodGuard, ABurstIsAllowedAndThenSoManyASecond) {
    struct flood_guard guard;
    flood_guard_begin(&guard, 1000);
    EXPECT_EQ(CountAllowed(&guard, 1000), LIMIT_IDLE_FRAME_BURST);
    EXPECT_EQ(CountAllowed(&guard, 2000), LIMIT_IDLE_FRAMES_PER_SECOND);
    EXPECT_EQ(CountAllowed(&guard, 1000000000), LIMIT_IDLE_FRAME_BURST) << "never more at once";
}

TEST(FloodGuard, NoTimeIsLostInSmallSteps) {
    struct flood_guard guard;
    flood_guard_begin(&guard, 0);
    CountAllowed(&guard, 0);
    int count = 0;
    for (int64_t now_ms = 1; now_ms <= 1000; now_ms++) {
        count += CountAllowed(&guard, now_ms);
    }
    EXPECT_EQ(count, LIMIT_IDLE_FRAMES_PER_SECOND);
}

TEST(FloodGuard, DataBringsFrames) {
    struct flood_guard guard;
    flood_guard_begin(&guard, 0);
    CountAllowed(&guard, 0);
    flood_guard_note_data(&guard);
    EXPECT_EQ(CountAllowed(&guard, 0), LIMIT_IDLE_FRAMES_PER_DATA);
}

} // namespace
