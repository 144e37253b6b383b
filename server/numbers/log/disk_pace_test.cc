#include "server/numbers/log/disk_pace.h"

#include "gtest/gtest.h"

namespace {

constexpr size_t kSize = 2000000;
constexpr int64_t kMillisecondNs = 1000000;
constexpr int64_t kPatienceMs = 50;
constexpr int64_t kRestMs = 10000;
constexpr int64_t kPatienceNs = kPatienceMs * kMillisecondNs;
constexpr int64_t kRestNs = kRestMs * kMillisecondNs;
// What a disk that is just fast enough takes for kSize.
constexpr int64_t kFairNs = kSize / DISK_PACE_RATE_MIN * 1000;

TEST(DiskPaceTest, IsNotSlowAtFirst) {
    const disk_pace pace{{kPatienceMs, kRestMs}, 0, 0};
    EXPECT_FALSE(disk_pace_is_slow(&pace));
}

TEST(DiskPaceTest, OneThatIsJustFastEnoughNeverIsSlow) {
    disk_pace pace{{kPatienceMs, kRestMs}, 0, 0};
    for (int write = 0; write < 1000000; ++write) {
        disk_pace_note(&pace, kSize, 0, kFairNs);
    }
    EXPECT_FALSE(disk_pace_is_slow(&pace));
}

TEST(DiskPaceTest, OneThatIsALittleTooSlowIsFoundOutInTime) {
    disk_pace pace{{kPatienceMs, kRestMs}, 0, 0};
    int64_t excess_ns = 0;
    while (!disk_pace_is_slow(&pace)) {
        disk_pace_note(&pace, kSize, 0, kFairNs + kMillisecondNs);
        excess_ns += kMillisecondNs;
    }
    EXPECT_EQ(excess_ns, kPatienceNs + kMillisecondNs);
}

TEST(DiskPaceTest, AVerySlowWriteDecides) {
    disk_pace pace{{kPatienceMs, kRestMs}, 0, 0};
    disk_pace_note(&pace, kSize, 0, 100 * kMillisecondNs);
    EXPECT_TRUE(disk_pace_is_slow(&pace));
}

// What Linux does where a control group may write 100 MB/s: ten at once, then none for a while.
TEST(DiskPaceTest, SomeFastWritesDoNotMakeUpForALongStop) {
    disk_pace pace{{kPatienceMs, kRestMs}, 0, 0};
    for (int write = 0; write < 10; ++write) {
        disk_pace_note(&pace, kSize, 0, kMillisecondNs);
    }
    disk_pace_note(&pace, kSize, 0, 70 * kMillisecondNs);
    EXPECT_TRUE(disk_pace_is_slow(&pace));
}

TEST(DiskPaceTest, AFastOneIsForgivenAStopOfASecondButNotOfTwo) {
    disk_pace pace{{kPatienceMs, kRestMs}, 0, 0};
    for (int write = 0; write < 10000; ++write) {
        disk_pace_note(&pace, kSize, 0, kMillisecondNs);
    }
    disk_pace_note(&pace, kSize, 0, 1000 * kMillisecondNs);
    EXPECT_FALSE(disk_pace_is_slow(&pace));
    disk_pace_note(&pace, kSize, 0, 1000 * kMillisecondNs);
    EXPECT_TRUE(disk_pace_is_slow(&pace));
}

TEST(DiskPaceTest, ASlowOneIsTriedAgainWhenItHasRested) {
    disk_pace pace{{kPatienceMs, kRestMs}, 0, 0};
    disk_pace_note(&pace, kSize, 0, 100 * kMillisecondNs);
    disk_pace_try_again(&pace, 100 * kMillisecondNs + kRestNs - 1);
    EXPECT_TRUE(disk_pace_is_slow(&pace));
    disk_pace_try_again(&pace, 100 * kMillisecondNs + kRestNs);
    EXPECT_FALSE(disk_pace_is_slow(&pace));
}

} // namespace
