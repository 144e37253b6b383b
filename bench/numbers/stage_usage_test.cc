#include "bench/numbers/stage_usage.h"

#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include <thread>

#include <gtest/gtest.h>

namespace {

// Uses so much CPU time in the calling thread, outside the kernel for the most part.
void Burn(double seconds) {
    timespec used;
    do {
        (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    } while (static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9 < seconds);
}

TEST(StageUsage, TellsTheThreadsApartByTheirNames) {
    const stage_usage before = stage_usage_read(getpid());
    double seconds[STAGE_KIND_COUNT] = {};
    const auto run = [&](const char *name, stage_kind stage) {
        std::thread([&] {
            pthread_setname_np(pthread_self(), name);
            Burn(0.2);
            seconds[stage] = stage_usage_read(getpid()).cpu_seconds[stage];
        }).join();
    };
    run("worker", STAGE_INSERT);
    run("log-writer", STAGE_WRITE);
    EXPECT_GE(seconds[STAGE_INSERT], 0.1);
    EXPECT_GE(seconds[STAGE_WRITE], 0.1);
    Burn(0.4);
    const stage_usage after = stage_usage_read(getpid());
    EXPECT_GE(after.cpu_seconds[STAGE_PARSE] + after.cpu_seconds[STAGE_RECEIVE], 0.2);
    EXPECT_EQ(before.cpu_seconds[STAGE_INSERT], 0);
    EXPECT_GT(after.peak_memory_size, 0u);
}

TEST(StageUsage, IsNothingForAProcessThatIsNotThere) {
    const stage_usage usage = stage_usage_read(-1);
    for (double seconds : usage.cpu_seconds) {
        EXPECT_EQ(seconds, 0);
    }
    EXPECT_EQ(usage.peak_memory_size, 0u);
}

} // namespace
