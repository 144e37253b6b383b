#include "server/numbers/log/log_tail.h"

#include <fcntl.h>

#include <cerrno>
#include <string>

#include "server/runtime/os.h"
#include "server/runtime/os_faulty.h"
#include "testing/files.h"
#include "gtest/gtest.h"

namespace {

class LogTailTest : public testing::Test {
  protected:
    LogTailTest() : path_(directory_.File("log")) {}
    ~LogTailTest() override {
        os_faulty_plan("");
        os_close(fd_);
    }

    void Open(const std::string &content) {
        os_faulty_plan("");
        harness::WriteFile(path_, content);
        if (fd_ >= 0) {
            os_close(fd_);
        }
        fd_ = os_open(path_.c_str(), O_RDWR, 0);
        ASSERT_GE(fd_, 0);
    }

    harness::TemporaryDirectory directory_;
    std::string path_;
    int fd_ = -1;
};

TEST_F(LogTailTest, FindsTheLastNewlineHoweverFarItIsFromTheEnd) {
    for (const size_t size : {0, 1, 9, 10, 4095, 4096, 4097, 10000}) {
        const std::string tail(size, 'x');
        Open("0\n1\n" + tail);
        EXPECT_EQ(log_tail_find(fd_, static_cast<off_t>(4 + size)), 4) << size;
        Open(tail);
        EXPECT_EQ(log_tail_find(fd_, static_cast<off_t>(size)), 0) << size;
    }
}

TEST_F(LogTailTest, CutsOnlyWhatIsBehindIt) {
    Open("0\n1\n2");
    EXPECT_EQ(log_tail_cut(fd_), 4);
    EXPECT_EQ(harness::ReadFile(path_), "0\n1\n");
    EXPECT_EQ(log_tail_cut(fd_), 4);
    EXPECT_EQ(os_faulty_call_count("ftruncate"), 1u);
    Open("");
    EXPECT_EQ(log_tail_cut(fd_), 0);
}

TEST_F(LogTailTest, ShortReadsFindTheSame) {
    Open("0\n1\n" + std::string(50, 'x'));
    ASSERT_TRUE(os_faulty_plan("pread:*:short=7"));
    EXPECT_EQ(log_tail_find(fd_, 54), 4);
}

TEST_F(LogTailTest, AFileThatGetsShorterMeanwhileIsAnError) {
    Open("0\n1\n");
    EXPECT_EQ(log_tail_find(fd_, 100), -EAGAIN);
}

TEST_F(LogTailTest, HandsErrorsBack) {
    Open("0\n1");
    for (const char *plan : {"file_size:1:EIO", "pread:1:EIO", "ftruncate:1:EIO"}) {
        ASSERT_TRUE(os_faulty_plan(plan));
        EXPECT_EQ(log_tail_cut(fd_), -EIO) << plan;
    }
    EXPECT_EQ(harness::ReadFile(path_), "0\n1");
}

} // namespace
