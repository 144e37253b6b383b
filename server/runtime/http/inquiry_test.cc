#include "server/runtime/http/inquiry.h"

#include <gtest/gtest.h>

#include <thread>

#include "server/runtime/os.h"

namespace {

constexpr std::int64_t kPatienceMs = 60 * 1000;

class Inquiry : public testing::Test {
  protected:
    void SetUp() override {
        ASSERT_EQ(inquiry_init(&inquiry_), 0);
        status_source source = {};
        source.tell = [](void *context, daemon_status *told) {
            told->series[0] = ++*static_cast<std::uint64_t *>(context);
        };
        source.context = &tell_count_;
        inquiry_set_source(&inquiry_, &source);
    }

    void TearDown() override {
        inquiry_destroy(&inquiry_);
    }

    void WaitUntilAsked() const {
        pollfd polled = {inquiry_.asked.fd, POLLIN, 0};
        ASSERT_EQ(os_poll(&polled, 1, static_cast<int>(kPatienceMs)), 1);
    }

    std::uint64_t tell_count_ = 0;
    inquiry inquiry_ = {};
    daemon_status told_ = {};
};

TEST_F(Inquiry, TheLoopTellsOnceAndIsNotAskedAnyMore) {
    std::thread loop([this] {
        WaitUntilAsked();
        inquiry_on_asked(&inquiry_, POLLIN);
    });
    EXPECT_TRUE(inquiry_ask(&inquiry_, &told_, os_now_ms() + kPatienceMs));
    loop.join();
    EXPECT_EQ(told_.series[0], 1u);
    pollfd polled = {inquiry_.asked.fd, POLLIN, 0};
    EXPECT_EQ(os_poll(&polled, 1, 0), 0);
}

TEST_F(Inquiry, ALoopThatIsSilentIsNotWaitedFor) {
    told_.series[0] = 42;
    EXPECT_FALSE(inquiry_ask(&inquiry_, &told_, os_now_ms()));
    EXPECT_EQ(told_.series[0], 42u);
}

TEST_F(Inquiry, ClosingEndsTheWaiting) {
    std::thread owner([this] {
        WaitUntilAsked();
        inquiry_close(&inquiry_);
    });
    EXPECT_FALSE(inquiry_ask(&inquiry_, &told_, os_now_ms() + kPatienceMs));
    owner.join();
}

} // namespace
