// What a listener's connections are like, and how they end.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <string>
#include <utility>

#include "server/runtime/listener.h"
#include "server/runtime/listener_fixture.h"
#include "server/runtime/os.h"
#include "testing/tcp_client.h"
#include "gtest/gtest.h"

namespace {

using harness::Ending;
using harness::TcpClient;

TEST_F(ListenerTest, ItsConnectionsAreTuned) {
    ASSERT_EQ(Open({"127.0.0.1"}), 0);
    TcpClient client(PortOf(listener_.fds[0]));
    const int fd = Accept();
    for (const auto &[level, name] : {std::pair{SOL_SOCKET, SO_KEEPALIVE},
                                      std::pair{static_cast<int>(IPPROTO_TCP), TCP_NODELAY}}) {
        int value = 0;
        socklen_t size = sizeof value;
        ASSERT_EQ(getsockopt(fd, level, name, &value, &size), 0);
        EXPECT_NE(value, 0);
    }
    os_close(fd);
}

TEST_F(ListenerTest, HasAPeerNoticedThatAnswersNothing) {
    const auto option = [](int fd, int level, int name) {
        int value = 0;
        socklen_t size = sizeof value;
        EXPECT_EQ(getsockopt(fd, level, name, &value, &size), 0);
        return value;
    };
    ASSERT_EQ(Open({"127.0.0.1"}), 0);
    TcpClient client(PortOf(listener_.fds[0]));
    const int fd = Accept();
    EXPECT_GT(option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 0) << "with data on its way too";
    listener_bound_connection(fd, 8000);
    EXPECT_EQ(option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 8000);
    EXPECT_EQ(option(fd, IPPROTO_TCP, TCP_KEEPIDLE), 4);
    EXPECT_EQ(option(fd, IPPROTO_TCP, TCP_KEEPINTVL), 2);
    EXPECT_LE(option(fd, SOL_SOCKET, SO_SNDBUF), 2 * 65536);
    listener_bound_connection(fd, 300);
    EXPECT_EQ(option(fd, IPPROTO_TCP, TCP_KEEPIDLE), 1);
    listener_bound_connection(fd, INT64_MAX);
    EXPECT_EQ(option(fd, IPPROTO_TCP, TCP_KEEPIDLE), 32767);
    os_close(fd);
}

TEST_F(ListenerTest, ResetsAConnection) {
    ASSERT_EQ(Open({"127.0.0.1"}), 0);
    TcpClient client(PortOf(listener_.fds[0]));
    listener_reset_connection(Accept());
    EXPECT_EQ(client.WaitForEnding(), Ending::kReset);
}

TEST_F(ListenerTest, ChoosesWhatACloseSends) {
    ASSERT_EQ(Open({"127.0.0.1"}), 0);
    for (const bool resets : {true, false}) {
        TcpClient client(PortOf(listener_.fds[0]));
        const int fd = Accept();
        listener_set_reset_on_close(fd, true);
        listener_set_reset_on_close(fd, resets);
        os_close(fd);
        EXPECT_EQ(client.WaitForEnding(), resets ? Ending::kReset : Ending::kFin);
    }
}

TEST_F(ListenerTest, KnowsItsOwnMachine) {
    for (const auto &[text, is_loopback] :
         {std::pair{"127.0.0.1", true}, std::pair{"127.255.255.254", true},
          std::pair{"126.0.0.1", false}, std::pair{"128.0.0.1", false},
          std::pair{"192.0.2.1", false}}) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        ASSERT_EQ(inet_pton(AF_INET, text, &address.sin_addr), 1);
        EXPECT_EQ(listener_is_loopback(reinterpret_cast<sockaddr *>(&address)), is_loopback)
            << text;
    }
    for (const auto &[text, is_loopback] :
         {std::pair{"::1", true}, std::pair{"::ffff:127.0.0.1", true}, std::pair{"::2", false},
          std::pair{"::ffff:192.0.2.1", false}, std::pair{"2001:db8::1", false}}) {
        sockaddr_in6 address{};
        address.sin6_family = AF_INET6;
        ASSERT_EQ(inet_pton(AF_INET6, text, &address.sin6_addr), 1);
        EXPECT_EQ(listener_is_loopback(reinterpret_cast<sockaddr *>(&address)), is_loopback)
            << text;
    }
    const sockaddr unix_address{AF_UNIX, {}};
    EXPECT_FALSE(listener_is_loopback(&unix_address));
}

TEST_F(ListenerTest, AcceptTellsWhoHasComeEvenIfItHasGone) {
    ASSERT_EQ(Open({"127.0.0.1"}), 0);
    TcpClient client(PortOf(listener_.fds[0]));
    const std::string address = "127.0.0.1:" + std::to_string(client.own_port());
    client.Reset();
    sockaddr_storage peer{};
    pollfd polled{listener_.fds[0], POLLIN, 0};
    ASSERT_EQ(os_poll(&polled, 1, 30000), 1);
    const int fd = os_accept(listener_.fds[0], &peer);
    ASSERT_GE(fd, 0);
    char text[LISTENER_ADDRESS_CAPACITY];
    EXPECT_EQ(listener_format_address(&peer, text), address);
    EXPECT_TRUE(listener_is_loopback(reinterpret_cast<sockaddr *>(&peer)));
    os_close(fd);
}

TEST_F(ListenerTest, FormatsAddresses) {
    char text[LISTENER_ADDRESS_CAPACITY];
    sockaddr_storage address{};
    auto *ipv6 = reinterpret_cast<sockaddr_in6 *>(&address);
    ipv6->sin6_family = AF_INET6;
    ipv6->sin6_port = htons(65535);
    ASSERT_EQ(inet_pton(AF_INET6, "fe80:1111:2222:3333:4444:5555:6666:7777", &ipv6->sin6_addr), 1);
    ipv6->sin6_scope_id = 4294967295;
    EXPECT_EQ(listener_format_address(&address, text),
              std::string("[fe80:1111:2222:3333:4444:5555:6666:7777%4294967295]:65535"));
    address = {};
    EXPECT_EQ(listener_format_address(&address, text), std::string("?:0"));
}

TEST_F(ListenerTest, FinishesWithFinThoughThePeerGoesOnSending) {
    ASSERT_EQ(Open({"127.0.0.1"}), 0);
    TcpClient client(PortOf(listener_.fds[0]));
    const int fd = Accept();
    EXPECT_TRUE(client.Send(std::string(100000, 'x')));
    listener_set_reset_on_close(fd, true);
    listener_finish_connection(fd);
    EXPECT_EQ(client.WaitForEnding(), Ending::kFin);
    EXPECT_TRUE(client.Send("x")) << "no RST had come with it";
}

} // namespace
