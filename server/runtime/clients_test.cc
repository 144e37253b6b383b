#include "server/runtime/clients.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <cerrno>
#include <cstdint>
#include <list>
#include <map>
#include <vector>

#include "server/runtime/captured_logger.h"
#include "server/runtime/os.h"
#include "server/runtime/os_faulty.h"
#include "testing/patience.h"
#include "testing/tcp_client.h"

namespace {

using harness::Ending;
using harness::TcpClient;

constexpr size_t kServedMax = 2;
constexpr int kPatienceMs = static_cast<int>(harness::kPatience.count());

// A service that keeps its clients until they send something.
class ClientsTest : public testing::Test {
  protected:
    void SetUp() override {
        const char *const address = "127.0.0.1";
        ASSERT_TRUE(os_faulty_plan(""));
        ASSERT_EQ(listener_open(&listener_, &address, 1, 0, logger_.get()), 0);
    }
    void TearDown() override {
        os_faulty_plan("");
        clients_destroy(&clients_);
        epoll_loop_destroy(&loop_);
        listener_close(&listener_);
        EXPECT_TRUE(open_.empty());
    }

    void Begin(size_t refused_max, int64_t peer_max) {
        static const clients_handlers handlers = {
            .open =
                [](void *context, uint32_t index, int fd, clients_admission admission) {
                    return static_cast<ClientsTest *>(context)->Open(index, fd, admission);
                },
            .handle_events =
                [](void *context, uint32_t index, short) {
                    clients_end(&static_cast<ClientsTest *>(context)->clients_, index);
                },
            .handle_time =
                [](void *context, uint32_t index) {
                    static_cast<ClientsTest *>(context)->due_.push_back(index);
                },
            .close =
                [](void *context, uint32_t index) {
                    auto *test = static_cast<ClientsTest *>(context);
                    listener_finish_connection(test->open_.at(index));
                    test->open_.erase(index);
                },
        };
        const clients_configuration configuration = {
            .handlers = &handlers,
            .context = this,
            .loop = &loop_,
            .served_max = kServedMax,
            .refused_max = refused_max,
            .peer_max = peer_max,
            .logger = logger_.get(),
        };
        ASSERT_EQ(epoll_loop_init(&loop_, clients_watch_count_max(kServedMax, refused_max)), 0);
        ASSERT_EQ(clients_init(&clients_, &configuration), 0);
        ASSERT_EQ(clients_listen(&clients_, &listener_), 0);
    }
    int Open(uint32_t index, int fd, clients_admission admission) {
        if (open_error_ != 0) {
            return open_error_;
        }
        open_[index] = fd;
        admissions_.push_back(admission);
        clients_await(&clients_, index, POLLIN, INT64_MAX);
        return 0;
    }
    TcpClient &Connect() {
        peers_.emplace_back(listener_port(&listener_));
        return peers_.back();
    }
    void RunOnce() {
        ASSERT_GT(epoll_loop_run_once(&loop_, kPatienceMs), 0);
    }
    // Returns when so many have come, since the beginning.
    void RunUntilOpened(size_t count) {
        while (admissions_.size() < count) {
            RunOnce();
        }
    }

    CapturedLogger logger_;
    listener listener_ = {};
    epoll_loop loop_ = {};
    clients clients_ = {};
    int open_error_ = 0;
    std::map<uint32_t, int> open_;
    std::vector<clients_admission> admissions_;
    std::vector<uint32_t> due_;
    std::list<TcpClient> peers_;
};

TEST_F(ClientsTest, ThoseAboveTheLimitMayBeToldSo) {
    Begin(1, 0);
    for (size_t i = 0; i < kServedMax + 2; i++) {
        Connect();
    }
    RunUntilOpened(kServedMax + 1);
    EXPECT_EQ(admissions_,
              (std::vector<clients_admission>{CLIENTS_ADMITTED, CLIENTS_ADMITTED, CLIENTS_FULL}));
    EXPECT_EQ(epoll_loop_run_once(&loop_, 0), 0) << "the last one waits in the queue";
    clients_stop_serving(&clients_, 0);
    clients_end(&clients_, 2);
    RunUntilOpened(kServedMax + 2);
    EXPECT_EQ(admissions_.back(), CLIENTS_ADMITTED);
    EXPECT_EQ(open_.size(), kServedMax + 1);
    EXPECT_EQ(open_.count(2), 1u) << "the place that is free";
}

TEST_F(ClientsTest, APeerHasItsShare) {
    Begin(1, 1);
    Connect();
    Connect();
    RunUntilOpened(2);
    EXPECT_EQ(admissions_, (std::vector<clients_admission>{CLIENTS_ADMITTED, CLIENTS_PEER_FULL}));
    EXPECT_NE(clients_peer(&clients_, 0), 0u);
    clients_end_all(&clients_);
    EXPECT_TRUE(clients_are_none(&clients_));
    Connect();
    RunUntilOpened(3);
    EXPECT_EQ(admissions_.back(), CLIENTS_ADMITTED);
}

TEST_F(ClientsTest, ThisMachineHasNoShareUnlessOneIsGiven) {
    Begin(0, -1);
    Connect();
    RunUntilOpened(1);
    EXPECT_EQ(clients_peer(&clients_, 0), 0u);
}

TEST_F(ClientsTest, APeerAboveItsShareIsClosedWhereNobodyIsTold) {
    Begin(0, 1);
    Connect();
    TcpClient &refused = Connect();
    RunOnce();
    EXPECT_EQ(admissions_.size(), 1u);
    EXPECT_EQ(refused.WaitForEnding(), Ending::kFin);
}

TEST_F(ClientsTest, WhoIsNotTakenOverLeavesAFreePlace) {
    Begin(0, 1);
    open_error_ = -ENOMEM;
    TcpClient &unlucky = Connect();
    RunOnce();
    EXPECT_NE(unlucky.WaitForEnding(), Ending::kNone);
    EXPECT_TRUE(clients_are_none(&clients_));
    EXPECT_EQ(logger_.Count("cannot accept a client: Cannot allocate memory\n"), 1u);
    open_error_ = 0;
    Connect();
    clients_handle_due(&clients_, clients_due_ms(&clients_));
    RunUntilOpened(1);
}

TEST_F(ClientsTest, ADeadlineComesOnceAndMayMove) {
    Begin(0, 0);
    Connect();
    RunUntilOpened(1);
    EXPECT_EQ(clients_due_ms(&clients_), INT64_MAX);
    clients_await(&clients_, 0, POLLIN, 100);
    EXPECT_EQ(clients_due_ms(&clients_), 100);
    clients_await(&clients_, 0, POLLIN, 50);
    EXPECT_EQ(clients_due_ms(&clients_), 50);
    clients_await(&clients_, 0, POLLIN, 200);
    clients_handle_due(&clients_, 49);
    EXPECT_TRUE(due_.empty());
    clients_handle_due(&clients_, 50);
    clients_handle_due(&clients_, 300);
    EXPECT_EQ(due_, std::vector<uint32_t>{0}) << "whoever it came for says what is next";
    clients_await(&clients_, 0, POLLIN, 200);
    clients_end(&clients_, 0);
    EXPECT_EQ(clients_due_ms(&clients_), INT64_MAX);
}

TEST_F(ClientsTest, WhoCannotBeWatchedIsEnded) {
    Begin(0, 0);
    TcpClient &peer = Connect();
    RunUntilOpened(1);
    clients_await(&clients_, 0, 0, INT64_MAX);
    ASSERT_TRUE(os_faulty_plan("epoll_control:1:ENOSPC"));
    clients_await(&clients_, 0, POLLIN, INT64_MAX);
    EXPECT_EQ(peer.WaitForEnding(), Ending::kFin);
    EXPECT_FALSE(clients_is_open(&clients_, 0));
}

TEST_F(ClientsTest, TheLastOnesAreThoseThatWait) {
    Begin(0, 0);
    Connect();
    clients_listen_last(&clients_);
    EXPECT_EQ(open_.size(), 1u);
    Connect();
    EXPECT_EQ(epoll_loop_run_once(&loop_, 0), 0);
}

TEST_F(ClientsTest, AnEventEndsAClient) {
    Begin(0, 0);
    TcpClient &peer = Connect();
    RunUntilOpened(1);
    peer.Send("x");
    RunOnce();
    EXPECT_TRUE(clients_are_none(&clients_));
    EXPECT_EQ(peer.WaitForEnding(), Ending::kFin);
}

} // namespace
