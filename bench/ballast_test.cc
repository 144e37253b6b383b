#include "bench/ballast.h"

#include <poll.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

namespace {

const uint64_t kMebibyte = 1024 * 1024;

uint64_t ResidentSize() {
    uint64_t total_pages = 0, resident_pages = 0;
    std::ifstream("/proc/self/statm") >> total_pages >> resident_pages;
    return resident_pages * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

// Waits as long as the test may run.
void AwaitResidentSizeBelow(uint64_t size) {
    while (ResidentSize() >= size) {
        (void)poll(nullptr, 0, 1);
    }
}

TEST(Ballast, IsFreedAheadOfTheFileAndWhole) {
    const std::string path = std::string(std::getenv("TEST_TMPDIR")) + "/growing";
    ballast ballast;
    const uint64_t before = ResidentSize();
    ballast_start(&ballast, path.c_str(), 64 * kMebibyte, 16 * kMebibyte);
    if (ballast.memory == nullptr) {
        GTEST_SKIP() << "this machine has less than 1 GiB of memory to spare";
    }
    // What is far ahead of the file stays; the lead goes at once, although there is no file yet.
    AwaitResidentSizeBelow(before + 65 * kMebibyte);
    EXPECT_GE(ResidentSize(), before + 60 * kMebibyte);
    std::ofstream(path) << "";
    ASSERT_EQ(truncate(path.c_str(), 40 * kMebibyte), 0);
    AwaitResidentSizeBelow(before + 25 * kMebibyte);
    EXPECT_GE(ResidentSize(), before + 20 * kMebibyte);
    ballast_stop(&ballast);
    EXPECT_LT(ResidentSize(), before + 4 * kMebibyte);
    EXPECT_EQ(ballast.memory, nullptr);
}

TEST(Ballast, IsNotTakenWhereTheMachineHasTooLittle) {
    ballast ballast;
    ballast_start(&ballast, "/nonexistent", UINT64_C(1) << 50, 0);
    EXPECT_EQ(ballast.memory, nullptr);
    ballast_stop(&ballast);
}

} // namespace
