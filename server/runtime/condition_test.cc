#include "server/runtime/condition.h"

#include <thread>

#include "server/runtime/os.h"
#include "gtest/gtest.h"

namespace {

class ConditionTest : public testing::Test {
  protected:
    ConditionTest() {
        EXPECT_EQ(condition_init(&condition_), 0);
    }
    ~ConditionTest() override {
        pthread_cond_destroy(&condition_);
        pthread_mutex_destroy(&mutex_);
    }

    pthread_mutex_t mutex_ = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t condition_;
};

TEST_F(ConditionTest, WaitsForTheDeadlineAndNotLess) {
    const int64_t deadline_ms = os_now_ms() + 20;
    pthread_mutex_lock(&mutex_);
    while (!condition_wait_until(&condition_, &mutex_, deadline_ms)) {
    }
    pthread_mutex_unlock(&mutex_);
    EXPECT_GE(os_now_ms(), deadline_ms);
}

TEST_F(ConditionTest, ADeadlineInThePastDoesNotWait) {
    pthread_mutex_lock(&mutex_);
    EXPECT_TRUE(condition_wait_until(&condition_, &mutex_, os_now_ms() - 1000));
    EXPECT_TRUE(condition_wait_until(&condition_, &mutex_, 0));
    pthread_mutex_unlock(&mutex_);
}

TEST_F(ConditionTest, ASignalComesBeforeTheDeadline) {
    bool is_ready = false;
    bool is_late = false;
    pthread_mutex_lock(&mutex_);
    std::thread waker([&] {
        pthread_mutex_lock(&mutex_);
        is_ready = true;
        pthread_cond_signal(&condition_);
        pthread_mutex_unlock(&mutex_);
    });
    while (!is_ready && !is_late) {
        is_late = condition_wait_until(&condition_, &mutex_, os_now_ms() + 30000);
    }
    pthread_mutex_unlock(&mutex_);
    waker.join();
    EXPECT_FALSE(is_late);
}

} // namespace
