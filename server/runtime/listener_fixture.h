// What the tests of a listener and of its connections share.
#ifndef SERVER_RUNTIME_LISTENER_FIXTURE_H_
#define SERVER_RUNTIME_LISTENER_FIXTURE_H_

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <vector>

#include "server/runtime/captured_logger.h"
#include "server/runtime/listener.h"
#include "server/runtime/os.h"
#include "server/runtime/os_faulty.h"
#include "gtest/gtest.h"

inline uint16_t PortOf(int fd) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    EXPECT_EQ(getsockname(fd, reinterpret_cast<sockaddr *>(&address), &size), 0);
    return ntohs(address.ss_family == AF_INET6
                     ? reinterpret_cast<sockaddr_in6 *>(&address)->sin6_port
                     : reinterpret_cast<sockaddr_in *>(&address)->sin_port);
}

class ListenerTest : public testing::Test {
  protected:
    ListenerTest() {
        os_faulty_plan("");
    }
    ~ListenerTest() override {
        os_faulty_plan("");
        listener_close(&listener_);
    }

    int Open(const std::vector<const char *> &addresses, uint16_t port = 0) {
        return listener_open(&listener_, addresses.data(), addresses.size(), port, logger_.get());
    }

    // The connection that a client has made.
    int Accept(size_t index = 0) {
        pollfd polled{listener_.fds[index], POLLIN, 0};
        EXPECT_EQ(os_poll(&polled, 1, 30000), 1);
        return os_accept(listener_.fds[index], nullptr);
    }

    CapturedLogger logger_;
    listener listener_{};
};

#endif // SERVER_RUNTIME_LISTENER_FIXTURE_H_
