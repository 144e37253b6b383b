#include "server/runtime/memory_limit.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <string>

#include "server/runtime/captured_logger.h"
#include "testing/files.h"
#include "gtest/gtest.h"

namespace {

// A machine of its own, as far as this part looks at it.
class MemoryLimitTest : public testing::Test {
  protected:
    void SetUp() override {
        MakeDirectory("proc/self");
        MakeDirectory("sys/fs/cgroup");
    }

    void MakeDirectory(const std::string &path) const {
        for (size_t slash = path.find('/'); slash != std::string::npos;
             slash = path.find('/', slash + 1)) {
            mkdir(root_.File(path.substr(0, slash)).c_str(), 0700);
        }
        mkdir(root_.File(path).c_str(), 0700);
    }

    void Write(const std::string &path, const std::string &text) const {
        MakeDirectory(path.substr(0, path.rfind('/')));
        harness::WriteFile(root_.File(path), text);
    }

    uint64_t Limit() {
        memory_limit_of_control_groups(&limit_, root_.path().c_str());
        return limit_.size;
    }

    const harness::TemporaryDirectory root_;
    memory_limit limit_{};
};

TEST_F(MemoryLimitTest, NoneWithoutControlGroups) {
    EXPECT_EQ(Limit(), UINT64_MAX);
    Write("proc/self/cgroup", "0::/\n");
    EXPECT_EQ(Limit(), UINT64_MAX);
}

TEST_F(MemoryLimitTest, LowestOneFromTheGroupToTheTop) {
    Write("proc/self/cgroup", "0::/a.slice/b.service\n");
    Write("sys/fs/cgroup/a.slice/b.service/memory.max", "max\n");
    EXPECT_EQ(Limit(), UINT64_MAX);
    Write("sys/fs/cgroup/a.slice/memory.max", "200\n");
    EXPECT_EQ(Limit(), 200u);
    EXPECT_EQ(limit_.source, root_.File("sys/fs/cgroup/a.slice/memory.max"));
    Write("sys/fs/cgroup/a.slice/b.service/memory.max", "300\n");
    EXPECT_EQ(Limit(), 200u);
    Write("sys/fs/cgroup/a.slice/b.service/memory.max", "100\n");
    EXPECT_EQ(Limit(), 100u);
    Write("sys/fs/cgroup/memory.max", "0\n");
    EXPECT_EQ(Limit(), 0u);
}

TEST_F(MemoryLimitTest, Version1) {
    Write("proc/self/cgroup", "9:name=memory:/no\n4:cpu,memory,io:/a/b\n3:memoryx:/no\n0::/\n");
    Write("sys/fs/cgroup/memory/no/memory.limit_in_bytes", "1\n");
    Write("sys/fs/cgroup/memory/a/b/memory.limit_in_bytes", "9223372036854771712\n");
    Write("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "5000\n");
    EXPECT_EQ(Limit(), 5000u);
}

TEST_F(MemoryLimitTest, Version2BesideVersion1) {
    Write("proc/self/cgroup", "4:memory:/a\n0::/b\n");
    Write("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "70\n");
    Write("sys/fs/cgroup/unified/b/memory.max", "60\n");
    EXPECT_EQ(Limit(), 60u);
}

// The host's name of the group means nothing there; what is at the top is the container's.
TEST_F(MemoryLimitTest, InAContainer) {
    Write("proc/self/cgroup", "4:memory:/docker/0123456789abcdef\n");
    Write("sys/fs/cgroup/memory/memory.limit_in_bytes", "4096\n");
    EXPECT_EQ(Limit(), 4096u);
    Write("proc/self/cgroup", "0::/../../elsewhere\n");
    Write("sys/fs/cgroup/memory.max", "8192\n");
    EXPECT_EQ(Limit(), 8192u);
}

TEST_F(MemoryLimitTest, WhatIsNoSizeIsNoLimit) {
    Write("proc/self/cgroup", "0::/\n");
    for (const char *text :
         {"", "\n", "max", "-1\n", "+1\n", " 1\n", "1", "1 \n", "1x\n", "0x1\n", "1\n2\n",
          "18446744073709551616\n", "11111111111111111111111111111111111111111111111\n"}) {
        Write("sys/fs/cgroup/memory.max", text);
        EXPECT_EQ(Limit(), UINT64_MAX) << text;
    }
    Write("sys/fs/cgroup/memory.max", "1\n");
    EXPECT_EQ(Limit(), 1u);
    for (const std::string &text :
         {std::string(), std::string("0"), std::string("0:"), std::string("0::"),
          std::string("0::relative"), std::string("::::"), std::string(100000, ':')}) {
        Write("proc/self/cgroup", text);
        EXPECT_EQ(Limit(), UINT64_MAX) << text.substr(0, 20);
    }
    Write("proc/self/cgroup", "0::/" + std::string(10000, 'x') + "\n");
    EXPECT_EQ(Limit(), 1u);
}

TEST(MemoryLimitCheckTest, SaysHowMuchIsNeededAndWhatAllowsLess) {
    CapturedLogger logger;
    EXPECT_TRUE(memory_limit_check(1, 0, logger.get()));
    EXPECT_EQ(logger.Text(), "");
    const rlimit limit{RLIM_INFINITY - 1, RLIM_INFINITY};
    ASSERT_EQ(setrlimit(RLIMIT_AS, &limit), 0);
    EXPECT_FALSE(memory_limit_check(UINT64_MAX, 0, logger.get()));
    EXPECT_EQ(logger.Count("17592186044416 MiB of address space are needed, and "
                           "RLIMIT_AS (ulimit -v) allows 17592186044415 MiB\n"),
              1u)
        << logger.Text();
}

} // namespace
