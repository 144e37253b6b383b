#include "server/runtime/wakeup.h"

#include <cerrno>
#include <thread>

#include "server/runtime/os.h"
#include "server/runtime/os_faulty.h"
#include "gtest/gtest.h"

namespace {

bool IsAwake(const wakeup &wakeup) {
    pollfd polled{wakeup.fd, POLLIN, 0};
    return os_poll(&polled, 1, 0) == 1;
}

TEST(WakeupTest, OneClearTakesAllSignalsBack) {
    os_faulty_plan("");
    wakeup wakeup;
    ASSERT_EQ(wakeup_init(&wakeup), 0);
    EXPECT_FALSE(IsAwake(wakeup));
    wakeup_signal(&wakeup);
    wakeup_signal(&wakeup);
    EXPECT_TRUE(IsAwake(wakeup));
    wakeup_clear(&wakeup);
    EXPECT_FALSE(IsAwake(wakeup));
    wakeup_clear(&wakeup); // does not block
    wakeup_signal(&wakeup);
    EXPECT_TRUE(IsAwake(wakeup));
    wakeup_destroy(&wakeup);
    EXPECT_EQ(wakeup.fd, -1);
}

TEST(WakeupTest, WakesAPollInAnotherThread) {
    os_faulty_plan("");
    wakeup wakeup;
    ASSERT_EQ(wakeup_init(&wakeup), 0);
    std::thread waker([&] { wakeup_signal(&wakeup); });
    pollfd polled{wakeup.fd, POLLIN, 0};
    EXPECT_EQ(os_poll(&polled, 1, 30000), 1);
    waker.join();
    wakeup_destroy(&wakeup);
}

TEST(WakeupTest, AFullCounterIsAwakeAndDoesNotBlock) {
    os_faulty_plan("");
    wakeup wakeup;
    ASSERT_EQ(wakeup_init(&wakeup), 0);
    const uint64_t nearly_full = UINT64_MAX - 1;
    ASSERT_EQ(os_write(wakeup.fd, &nearly_full, sizeof nearly_full), 8);
    wakeup_signal(&wakeup);
    EXPECT_TRUE(IsAwake(wakeup));
    wakeup_clear(&wakeup);
    EXPECT_FALSE(IsAwake(wakeup));
    wakeup_destroy(&wakeup);
}

TEST(WakeupTest, ReportsThatItCannotStart) {
    ASSERT_TRUE(os_faulty_plan("eventfd:1:EMFILE"));
    wakeup wakeup;
    EXPECT_EQ(wakeup_init(&wakeup), -EMFILE);
    os_faulty_plan("");
}

} // namespace
