#include "server/runtime/os_faulty.h"

#include <cerrno>
#include <string>
#include <thread>

#include "server/runtime/os.h"
#include "gtest/gtest.h"

namespace {

class OsFaultyTest : public testing::Test {
  protected:
    OsFaultyTest() : fd_(os_open("/dev/null", 2, 0)) {}
    ~OsFaultyTest() override {
        os_faulty_plan("");
        os_close(fd_);
    }

    ssize_t Write(const std::string &bytes) {
        return os_write(fd_, bytes.data(), bytes.size());
    }

    int fd_;
};

TEST_F(OsFaultyTest, WithoutAPlanNothingFails) {
    ASSERT_TRUE(os_faulty_plan(""));
    EXPECT_EQ(Write("abc"), 3);
    EXPECT_EQ(os_faulty_fault_count(), 0u);
    EXPECT_EQ(os_faulty_call_count("write"), 1u);
    EXPECT_EQ(os_faulty_call_count("read"), 0u);
}

TEST_F(OsFaultyTest, FailsOnceOrOftenOrForGood) {
    ASSERT_TRUE(os_faulty_plan("write:2:ENOSPC"));
    EXPECT_EQ(Write("abc"), 3);
    EXPECT_EQ(Write("abc"), -ENOSPC);
    EXPECT_EQ(Write("abc"), 3);
    EXPECT_EQ(os_faulty_fault_count(), 1u);

    ASSERT_TRUE(os_faulty_plan("write:1:EIO:2"));
    EXPECT_EQ(Write("abc"), -EIO);
    EXPECT_EQ(Write("abc"), -EIO);
    EXPECT_EQ(Write("abc"), 3);

    ASSERT_TRUE(os_faulty_plan("write:2:EIO:always"));
    EXPECT_EQ(Write("abc"), 3);
    for (int round = 0; round < 10; ++round) {
        EXPECT_EQ(Write("abc"), -EIO);
    }
}

TEST_F(OsFaultyTest, WritesShort) {
    ASSERT_TRUE(os_faulty_plan("write:*:short=2,write:2:EINVAL:once"));
    EXPECT_EQ(Write("abc"), 2);
    EXPECT_EQ(Write("abc"), -EINVAL);
    EXPECT_EQ(Write("a"), 1);
    EXPECT_EQ(os_faulty_fault_count(), 3u);
}

TEST_F(OsFaultyTest, MemoryFailsAsNull) {
    ASSERT_TRUE(os_faulty_plan("map_memory:1:ENOMEM"));
    EXPECT_EQ(os_map_memory(4096), nullptr);
    void *memory = os_map_memory(4096);
    EXPECT_NE(memory, nullptr);
    os_unmap_memory(memory, 4096);
}

TEST_F(OsFaultyTest, DelaysACall) {
    ASSERT_TRUE(os_faulty_plan("fdatasync:1:delay=20"));
    const int64_t start_ms = os_now_ms();
    os_fdatasync(fd_);
    EXPECT_GE(os_now_ms() - start_ms, 20);
}

TEST_F(OsFaultyTest, HoldsACallUntilItIsReleased) {
    ASSERT_TRUE(os_faulty_plan("write:1:hold:always"));
    ssize_t size = 0;
    std::thread writer([&] { size = Write("abc"); });
    os_faulty_await_call("write", 1);
    EXPECT_EQ(os_faulty_fault_count(), 0u); // it has not got any further
    os_faulty_release();
    writer.join();
    EXPECT_EQ(size, 3);
    EXPECT_EQ(Write("abc"), 3);
}

TEST_F(OsFaultyTest, RefusesWhatIsNoPlan) {
    for (const char *plan :
         {"write", "write:1", "nosuch:1:EIO", "write:0:EIO", "write:x:EIO", "write:1:ENOSUCH",
          "write:1:short=", "write:1:short=0", "write:1:EIO:never", "write:1:EIO:0",
          "write:*:EIO:once", "write:1:EIO:once:again", "write:1:EIO,", ",write:1:EIO"}) {
        EXPECT_FALSE(os_faulty_plan(plan)) << plan;
        EXPECT_EQ(Write("abc"), 3) << plan;
    }
}

} // namespace
