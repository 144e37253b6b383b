#include "server/runtime/acceptor.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "server/runtime/captured_logger.h"
#include "server/runtime/os.h"
#include "server/runtime/os_faulty.h"
#include "testing/patience.h"
#include "testing/tcp_client.h"

namespace {

using harness::Ending;
using harness::TcpClient;

constexpr size_t kPlaceCount = 2;
constexpr size_t kListenerCount = 2;
constexpr int kPatienceMs = static_cast<int>(harness::kPatience.count());

// Takes the connections over and keeps them.
class AcceptorTest : public testing::Test {
  protected:
    void SetUp() override {
        const std::vector<const char *> addresses = {"127.0.0.1", "127.0.0.2"};
        ASSERT_TRUE(os_faulty_plan(""));
        ASSERT_EQ(listener_open(&listener_, addresses.data(), kListenerCount, 0, logger_.get()), 0);
        ASSERT_EQ(epoll_loop_init(&loop_, kListenerCount), 0);
        config_ = {
            .loop = &loop_,
            .listener = &listener_,
            .place_count = kPlaceCount,
            .open_connection =
                [](void *context, int fd) {
                    return static_cast<AcceptorTest *>(context)->Take(fd);
                },
            .context = this,
            .logger = logger_.get(),
        };
        ASSERT_EQ(acceptor_init(&acceptor_, &config_), 0);
    }
    void TearDown() override {
        os_faulty_plan("");
        acceptor_close(&acceptor_);
        epoll_loop_destroy(&loop_);
        listener_close(&listener_);
        for (const int fd : taken_) {
            close(fd);
        }
    }

    int Take(int fd) {
        const int error = on_take_();
        if (error != 0) {
            listener_reset_connection(fd);
            return error;
        }
        taken_.push_back(fd);
        take_count_++;
        return 0;
    }
    // Ends the connection that was taken first.
    void Release() {
        close(taken_.front());
        taken_.erase(taken_.begin());
        acceptor_release(&acceptor_);
    }
    // A client that is in the queue of the first listener, or of another.
    TcpClient Connect(const std::string &address = "127.0.0.1") {
        return TcpClient(listener_port(&listener_), address);
    }
    // Returns when a client waits in the queue of a listener.
    void AwaitQueue(size_t listener_index = 0) {
        pollfd polled = {.fd = listener_.fds[listener_index], .events = POLLIN, .revents = 0};
        ASSERT_EQ(poll(&polled, 1, kPatienceMs), 1);
    }
    // Returns when there was something to do at a listener.
    void RunOnce() {
        ASSERT_GT(epoll_loop_run_once(&loop_, kPatienceMs), 0);
    }
    // Returns when so many have been taken over, since the beginning.
    void RunUntilTaken(size_t count) {
        while (take_count_ < count) {
            ASSERT_GT(epoll_loop_run_once(&loop_, kPatienceMs), 0);
        }
        EXPECT_EQ(take_count_, count);
    }
    // Whether no listener with something to do is watched.
    bool IsQuiet() {
        return epoll_loop_run_once(&loop_, 0) == 0;
    }
    void Continue() {
        ASSERT_NE(acceptor_again_ms(&acceptor_), INT64_MAX);
        EXPECT_FALSE(acceptor_tick(&acceptor_, acceptor_again_ms(&acceptor_)));
        EXPECT_EQ(acceptor_again_ms(&acceptor_), INT64_MAX);
    }

    CapturedLogger logger_;
    listener listener_ = {};
    epoll_loop loop_ = {};
    acceptor_configuration config_ = {};
    acceptor acceptor_ = {};
    std::function<int()> on_take_ = [] { return 0; };
    std::vector<int> taken_;
    size_t take_count_ = 0;
};

TEST_F(AcceptorTest, AcceptsAtEveryListener) {
    EXPECT_TRUE(IsQuiet());
    const TcpClient first = Connect("127.0.0.1");
    const TcpClient second = Connect("127.0.0.2");
    RunUntilTaken(2);
    EXPECT_EQ(logger_.Text(), "");
}

TEST_F(AcceptorTest, LeavesThoseWithoutAPlaceInTheQueue) {
    std::vector<TcpClient> clients;
    for (size_t i = 0; i < kPlaceCount + 2; i++) {
        clients.push_back(Connect());
    }
    RunUntilTaken(kPlaceCount);
    AwaitQueue();
    EXPECT_TRUE(IsQuiet());
    EXPECT_EQ(acceptor_again_ms(&acceptor_), INT64_MAX);
    Release();
    EXPECT_EQ(clients[0].WaitForEnding(), Ending::kFin);
    RunUntilTaken(kPlaceCount + 1);
    EXPECT_TRUE(IsQuiet());
}

TEST_F(AcceptorTest, RestsWhenTheSystemLacksDescriptors) {
    const TcpClient first = Connect("127.0.0.1");
    const TcpClient second = Connect("127.0.0.2");
    AwaitQueue(0);
    AwaitQueue(1);
    ASSERT_TRUE(os_faulty_plan("accept:1:EMFILE:2"));
    const int64_t before_ms = os_now_ms();
    RunOnce();
    EXPECT_EQ(os_faulty_call_count("accept"), 1u) << "one failure is enough for both";
    EXPECT_EQ(logger_.Count(" warning cannot accept a client: Too many open files\n"), 1u);
    EXPECT_GT(acceptor_again_ms(&acceptor_), before_ms);
    EXPECT_TRUE(acceptor_tick(&acceptor_, before_ms)) << "it is not time yet";
    EXPECT_TRUE(IsQuiet());
    Continue();
    RunOnce();
    EXPECT_EQ(os_faulty_fault_count(), 2u);
    EXPECT_EQ(logger_.Count("cannot accept"), 1u) << "it is told once in a while";
    Continue();
    RunUntilTaken(2);
}

TEST_F(AcceptorTest, IsNotStoppedByAClientThatHasGivenUp) {
    const TcpClient client = Connect();
    ASSERT_TRUE(os_faulty_plan("accept:1:ECONNABORTED"));
    RunUntilTaken(1);
    EXPECT_EQ(os_faulty_fault_count(), 1u);
    EXPECT_EQ(logger_.Text(), "");
}

TEST_F(AcceptorTest, AConnectionThatIsNotTakenOverLeavesItsPlaceFree) {
    TcpClient unlucky = Connect();
    on_take_ = [] { return -ENOMEM; };
    RunOnce();
    EXPECT_EQ(unlucky.WaitForEnding(), Ending::kReset);
    EXPECT_EQ(logger_.Count("cannot accept a client: Cannot allocate memory\n"), 1u);
    std::vector<TcpClient> clients;
    for (size_t i = 0; i < kPlaceCount; i++) {
        clients.push_back(Connect());
    }
    AwaitQueue();
    EXPECT_TRUE(IsQuiet());
    on_take_ = [] { return 0; };
    Continue();
    RunUntilTaken(kPlaceCount);
}

// All places but one are taken, and the last one is given back each time before it counts.
TEST_F(AcceptorTest, AConnectionMayEndWhileItIsTakenOver) {
    std::vector<TcpClient> clients;
    for (size_t i = 0; i < kPlaceCount + 2; i++) {
        clients.push_back(Connect());
    }
    on_take_ = [&] {
        if (taken_.size() == kPlaceCount - 1) {
            Release();
        }
        return 0;
    };
    RunUntilTaken(kPlaceCount + 2);
    EXPECT_EQ(taken_.size(), kPlaceCount - 1);
}

// A place is free, but the system has no room to watch the second listener again.
TEST_F(AcceptorTest, RestsWhenItCannotBeWatchedAgain) {
    std::vector<TcpClient> clients;
    for (size_t i = 0; i < kPlaceCount + 1; i++) {
        clients.push_back(Connect());
    }
    RunUntilTaken(kPlaceCount);
    AwaitQueue();
    ASSERT_TRUE(os_faulty_plan("epoll_control:2:ENOSPC"));
    Release();
    EXPECT_EQ(logger_.Count("cannot accept a client: No space left on device\n"), 1u);
    EXPECT_TRUE(IsQuiet()) << "neither is watched meanwhile";
    Continue();
    RunUntilTaken(kPlaceCount + 1);
}

TEST_F(AcceptorTest, TakesInWhatIsWaitingWhenItStops) {
    const TcpClient waiting = Connect("127.0.0.2");
    AwaitQueue(1);
    acceptor_stop(&acceptor_);
    EXPECT_EQ(take_count_, 1u);
    const TcpClient late = Connect("127.0.0.2");
    AwaitQueue(1);
    EXPECT_TRUE(IsQuiet());
    Release();
    acceptor_stop(&acceptor_);
    EXPECT_TRUE(IsQuiet());
    EXPECT_EQ(take_count_, 1u);
}

TEST_F(AcceptorTest, LetsGoOfTheListener) {
    const TcpClient waiting = Connect();
    AwaitQueue();
    acceptor_close(&acceptor_);
    EXPECT_TRUE(IsQuiet());
    EXPECT_FALSE(acceptor_tick(&acceptor_, INT64_MAX - 1));
    acceptor_close(&acceptor_);
    ASSERT_EQ(acceptor_init(&acceptor_, &config_), 0) << "the loop has no room for more";
    RunUntilTaken(1);
}

TEST_F(AcceptorTest, AFailedStartLeavesNothingWatched) {
    acceptor_close(&acceptor_);
    ASSERT_TRUE(os_faulty_plan("epoll_control:2:ENOMEM"));
    EXPECT_EQ(acceptor_init(&acceptor_, &config_), -ENOMEM);
    const TcpClient waiting = Connect();
    AwaitQueue();
    EXPECT_TRUE(IsQuiet());
    ASSERT_EQ(acceptor_init(&acceptor_, &config_), 0);
    RunUntilTaken(1);
}

} // namespace
