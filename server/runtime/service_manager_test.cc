#include "server/runtime/service_manager.h"

#include <poll.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "server/runtime/captured_logger.h"
#include "server/runtime/os.h"
#include "testing/notify_socket.h"
#include "gtest/gtest.h"

namespace {

using harness::NotifySocket;

class ServiceManagerTest : public testing::Test {
  protected:
    ServiceManagerTest() {
        for (const char *name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) {
            unsetenv(name);
        }
    }
    ~ServiceManagerTest() override {
        service_manager_close(&manager_);
    }

    void Open(const std::string &name) {
        setenv("NOTIFY_SOCKET", name.c_str(), 1);
        service_manager_open(&manager_, logger_.get());
    }

    const std::string abstract_ = NotifySocket::FreshName();
    CapturedLogger logger_;
    service_manager manager_{};
};

TEST_F(ServiceManagerTest, WithoutAManagerNothingHappens) {
    service_manager_open(&manager_, logger_.get());
    service_manager_say_ready(&manager_);
    service_manager_say_status(&manager_, "text");
    service_manager_say_stopping(&manager_);
    EXPECT_EQ(service_manager_timer_fd(&manager_), -1);
    EXPECT_EQ(logger_.Text(), "");
}

TEST_F(ServiceManagerTest, SpeaksToAPathAndToAnAbstractName) {
    char directory[] = "/tmp/notify.XXXXXX"; /* a socket's name is short */
    ASSERT_NE(mkdtemp(directory), nullptr);
    for (const std::string &name : {directory + std::string("/socket"), abstract_}) {
        NotifySocket socket(name);
        Open(name);
        service_manager_say_ready(&manager_);
        service_manager_say_status(&manager_, "so and so\nREADY=0");
        service_manager_say_stopping(&manager_);
        EXPECT_TRUE(socket.Await("STOPPING=1"));
        ASSERT_EQ(socket.messages().size(), 3u) << name;
        EXPECT_EQ(socket.messages()[0], "READY=1\nSTATUS=Serving.");
        EXPECT_EQ(socket.messages()[1], "STATUS=so and so");
        service_manager_close(&manager_);
    }
    rmdir(directory);
    EXPECT_EQ(logger_.Text(), "");
}

TEST_F(ServiceManagerTest, WarnsOfASocketThatCannotBeUsed) {
    for (const std::string &name : {std::string("relative"), std::string("@"), std::string("/"),
                                    std::string("/nonexistent/x"), "/" + std::string(200, 'x')}) {
        const size_t count = logger_.Count("the service manager cannot be told");
        Open(name);
        EXPECT_EQ(logger_.Count("the service manager cannot be told"), count + 1) << name;
        service_manager_say_ready(&manager_);
    }
}

TEST_F(ServiceManagerTest, SaysAgainAndAgainThatTheLoopTurns) {
    NotifySocket socket(abstract_);
    setenv("WATCHDOG_USEC", "20000", 1);
    setenv("WATCHDOG_PID", std::to_string(getpid()).c_str(), 1);
    Open(socket.name());
    for (int round = 0; round < 2; ++round) {
        pollfd polled{service_manager_timer_fd(&manager_), POLLIN, 0};
        ASSERT_EQ(os_poll(&polled, 1, 30000), 1);
        service_manager_handle_timer(&manager_, POLLIN);
        EXPECT_TRUE(socket.Await("WATCHDOG=1"));
    }
}

TEST_F(ServiceManagerTest, ReadsTheWatchdogStrictly) {
    NotifySocket socket(abstract_);
    struct Case {
        const char *microseconds, *process;
        bool has_timer;
        size_t warning_count;
    };
    const std::string own = std::to_string(getpid());
    const Case cases[] = {
        {"1", own.c_str(), true, 0},   {"1000000", nullptr, true, 0},
        {"1000000", "1", false, 0},    {"0", own.c_str(), false, 1},
        {"", own.c_str(), false, 1},   {"-5", own.c_str(), false, 1},
        {"5s", own.c_str(), false, 1}, {"99999999999999999999", own.c_str(), false, 1},
        {"1000000", "one", false, 1},
    };
    for (const Case &one : cases) {
        setenv("WATCHDOG_USEC", one.microseconds, 1);
        one.process == nullptr ? unsetenv("WATCHDOG_PID") : setenv("WATCHDOG_PID", one.process, 1);
        const size_t count = logger_.Count("watchdog");
        Open(socket.name());
        EXPECT_EQ(service_manager_timer_fd(&manager_) >= 0, one.has_timer) << one.microseconds;
        EXPECT_EQ(logger_.Count("watchdog"), count + one.warning_count) << one.microseconds;
        service_manager_close(&manager_);
    }
}

} // namespace
