#include "server/runtime/output.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <string>
#include <thread>

#include "server/runtime/os_faulty.h"
#include "testing/patience.h"

namespace {

const std::string kLine = "a line\n";
constexpr int kPatienceMs = static_cast<int>(harness::kPatience.count());

// A pipe, at whose end a write without room would wait.
class OutputTest : public testing::Test {
  protected:
    void SetUp() override {
        ASSERT_TRUE(os_faulty_plan(""));
        ASSERT_EQ(pipe2(ends_.data(), O_CLOEXEC), 0);
        ASSERT_EQ(fcntl(ends_[0], F_SETFL, O_NONBLOCK), 0);
    }
    void TearDown() override {
        os_faulty_plan("");
        close(ends_[0]);
        close(ends_[1]);
    }

    // Fills the pipe to the last byte.
    void Fill() {
        fcntl(ends_[1], F_SETFL, O_NONBLOCK);
        while (write(ends_[1], "x", 1) == 1) {
        }
        fcntl(ends_[1], F_SETFL, 0);
    }
    std::string ReadAll() {
        std::string text;
        std::array<char, 65536> bytes;
        ssize_t size;
        while ((size = read(ends_[0], bytes.data(), bytes.size())) > 0) {
            text.append(bytes.data(), static_cast<size_t>(size));
        }
        return text;
    }
    ssize_t Write(const std::string &text) {
        return output_write_if_room(ends_[1], text.data(), text.size());
    }

    std::array<int, 2> ends_ = {-1, -1};
};

TEST_F(OutputTest, WritesWhereThereIsRoom) {
    EXPECT_TRUE(output_has_room(ends_[1], 0));
    EXPECT_EQ(Write(kLine), static_cast<ssize_t>(kLine.size()));
    EXPECT_EQ(ReadAll(), kLine);
}

TEST_F(OutputTest, LeavesOutWhatThereIsNoRoomFor) {
    Fill();
    EXPECT_FALSE(output_has_room(ends_[1], 0));
    EXPECT_EQ(Write(kLine), -EAGAIN);
    EXPECT_EQ(ReadAll().find(kLine), std::string::npos);
    EXPECT_EQ(Write(kLine), static_cast<ssize_t>(kLine.size()));
    EXPECT_EQ(ReadAll(), kLine);
}

// With the smallest pipe that there is: each of these writes returns.
TEST_F(OutputTest, RoomInAPipeIsEnoughForAWholeLine) {
    ASSERT_GE(fcntl(ends_[1], F_SETPIPE_SZ, PIPE_BUF), PIPE_BUF);
    const std::string line(PIPE_BUF, 'x');
    ssize_t size;
    size_t written_size = 0;
    ASSERT_EQ(Write("x"), 1);
    while ((size = Write(line)) > 0) {
        EXPECT_EQ(size, PIPE_BUF);
        written_size += static_cast<size_t>(size);
    }
    EXPECT_EQ(size, -EAGAIN);
    EXPECT_EQ(ReadAll().size(), written_size + 1);
}

TEST_F(OutputTest, WaitsForRoomIfToldTo) {
    Fill();
    EXPECT_FALSE(output_has_room(ends_[1], 1));
    const uint64_t call_count = os_faulty_call_count("poll");
    std::thread reader([&] {
        os_faulty_await_call("poll", call_count + 1);
        ReadAll();
    });
    EXPECT_TRUE(output_has_room(ends_[1], kPatienceMs));
    reader.join();
}

TEST_F(OutputTest, HandsErrorsOn) {
    ASSERT_TRUE(os_faulty_plan("write:1:EIO,write:2:short=3,poll:3:EINTR"));
    EXPECT_EQ(Write(kLine), -EIO);
    EXPECT_EQ(Write(kLine), 3);
    EXPECT_EQ(Write(kLine), -EAGAIN) << "that there is room is not known";
}

} // namespace
