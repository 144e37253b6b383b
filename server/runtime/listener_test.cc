#include "server/runtime/listener.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <vector>

#include "server/runtime/listener_fixture.h"
#include "server/runtime/os.h"
#include "server/runtime/os_faulty.h"
#include "testing/tcp_client.h"
#include "gtest/gtest.h"

namespace {

using harness::Ending;
using harness::TcpClient;

bool HasIpv6() {
    const int fd = os_socket(AF_INET6, SOCK_STREAM, 0);
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_addr = in6addr_loopback;
    const bool has_ipv6 =
        fd >= 0 && bind(fd, reinterpret_cast<sockaddr *>(&address), sizeof address) == 0;
    os_close(fd);
    return has_ipv6;
}

// A bare root directory has no /etc/hosts.
bool HasLocalhost() {
    addrinfo *found = nullptr;
    const bool has_localhost = getaddrinfo("localhost", nullptr, nullptr, &found) == 0;
    if (has_localhost) {
        freeaddrinfo(found);
    }
    return has_localhost;
}

TEST_F(ListenerTest, TakesAFreePortAndSaysWhich) {
    ASSERT_EQ(Open({"127.0.0.1"}), 0);
    ASSERT_EQ(listener_.count, 1u);
    const uint16_t port = PortOf(listener_.fds[0]);
    EXPECT_NE(port, 0);
    EXPECT_EQ(listener_port(&listener_), port);
    listener_announce(&listener_, logger_.get());
    EXPECT_EQ(logger_.Count(" info listening on 127.0.0.1:" + std::to_string(port) + "\n"), 1u);
    TcpClient client(port);
    const int fd = Accept();
    EXPECT_GE(fd, 0);
    EXPECT_EQ(os_accept(listener_.fds[0], nullptr), -EAGAIN);
    os_close(fd);
    EXPECT_EQ(client.WaitForEnding(), Ending::kFin);
}

TEST_F(ListenerTest, TakesThePortThatItIsTold) {
    ASSERT_EQ(Open({"127.0.0.1"}), 0);
    const uint16_t port = PortOf(listener_.fds[0]);
    listener_close(&listener_);
    EXPECT_EQ(listener_.count, 0u);
    EXPECT_EQ(listener_port(&listener_), 0);
    ASSERT_EQ(Open({"127.0.0.1"}, port), 0) << "a port is free again at once";
    EXPECT_EQ(PortOf(listener_.fds[0]), port);
}

TEST_F(ListenerTest, RefusesATakenPort) {
    ASSERT_EQ(Open({"127.0.0.1"}), 0);
    const uint16_t port = PortOf(listener_.fds[0]);
    listener second{};
    const char *address = "127.0.0.1";
    EXPECT_EQ(listener_open(&second, &address, 1, port, logger_.get()), -EADDRINUSE);
    EXPECT_EQ(second.count, 0u);
    EXPECT_EQ(logger_.Count(" error cannot listen on 127.0.0.1 port " + std::to_string(port) +
                            ": Address already in use\n"),
              1u)
        << logger_.Text();
}

TEST_F(ListenerTest, ServesIpv4AndIpv6AtOnePort) {
    if (!HasIpv6()) {
        GTEST_SKIP() << "no IPv6 here";
    }
    ASSERT_EQ(Open({"127.0.0.1", "::1"}), 0);
    ASSERT_EQ(listener_.count, 2u);
    const uint16_t port = PortOf(listener_.fds[0]);
    EXPECT_EQ(PortOf(listener_.fds[1]), port);
    EXPECT_EQ(listener_port(&listener_), port);
    listener_announce(&listener_, logger_.get());
    EXPECT_EQ(logger_.Count("listening on [::1]:" + std::to_string(port) + "\n"), 1u);
    TcpClient client(port, "::1");
    const int fd = Accept(1);
    EXPECT_GE(fd, 0);
    os_close(fd);
}

TEST_F(ListenerTest, TheWildcardsGoSideBySide) {
    if (!HasIpv6()) {
        GTEST_SKIP() << "no IPv6 here";
    }
    EXPECT_EQ(Open({"0.0.0.0", "::"}), 0);
    EXPECT_EQ(listener_.count, 2u);
}

TEST_F(ListenerTest, AnAddressGivenTwiceIsOne) {
    ASSERT_EQ(Open({"127.0.0.1", "127.0.0.1", "127.0.0.2", "127.0.0.1"}), 0) << logger_.Text();
    EXPECT_EQ(listener_.count, 2u);
}

TEST_F(ListenerTest, AnAddressThatANameStandsForIsOne) {
    if (!HasLocalhost()) {
        GTEST_SKIP() << "localhost has no address here (/etc/hosts)";
    }
    ASSERT_EQ(Open({"localhost"}), 0);
    const size_t count = listener_.count;
    listener_close(&listener_);
    ASSERT_EQ(Open({"localhost", "127.0.0.1", "localhost"}), 0) << logger_.Text();
    EXPECT_EQ(listener_.count, count);
}

TEST_F(ListenerTest, AnIpv4AddressInTheWritingOfIpv6IsOfIpv4) {
    ASSERT_EQ(Open({"::ffff:127.0.0.1", "127.0.0.1", "[::ffff:7f00:1]"}), 0) << logger_.Text();
    EXPECT_EQ(listener_.count, 1u);
    listener_announce(&listener_, logger_.get());
    EXPECT_NE(logger_.Text().find("listening on 127.0.0.1:"), std::string::npos) << logger_.Text();
}

// [::] is of IPv6 only, so it does not take that address's peers.
TEST_F(ListenerTest, TheWildcardOfIpv6IncludesNoIpv4AddressInItsWriting) {
    if (!HasIpv6()) {
        GTEST_SKIP() << "no IPv6 here";
    }
    ASSERT_EQ(Open({"::", "::ffff:127.0.0.1"}), 0) << logger_.Text();
    EXPECT_EQ(listener_.count, 2u);
}

TEST_F(ListenerTest, TheWildcardIncludesTheOthersOfItsProtocol) {
    for (const auto &addresses :
         {std::vector<const char *>{"0.0.0.0", "127.0.0.1", "0.0.0.0", "127.0.0.2"},
          std::vector<const char *>{"127.0.0.1", "127.0.0.2", "0.0.0.0"}}) {
        ASSERT_EQ(Open(addresses), 0) << logger_.Text();
        EXPECT_EQ(listener_.count, 1u);
        listener_announce(&listener_, logger_.get());
        EXPECT_EQ(logger_.Count("listening on 127"), 0u) << logger_.Text();
        listener_close(&listener_);
    }
}

TEST_F(ListenerTest, AStarIsBothProtocols) {
    if (!HasIpv6()) {
        GTEST_SKIP() << "no IPv6 here";
    }
    ASSERT_EQ(Open({"*", "::1", "::", "127.0.0.1"}), 0) << logger_.Text();
    EXPECT_EQ(listener_.count, 2u);
    listener_announce(&listener_, logger_.get());
    EXPECT_EQ(logger_.Count("listening on 0.0.0.0:"), 1u) << logger_.Text();
    EXPECT_EQ(logger_.Count("listening on [::]:"), 1u) << logger_.Text();
    EXPECT_EQ(logger_.Count("IPv6 only"), 0u) << logger_.Text();
}

TEST_F(ListenerTest, TheWildcardOfIpv6SaysThatItIsNoMore) {
    if (!HasIpv6()) {
        GTEST_SKIP() << "no IPv6 here";
    }
    ASSERT_EQ(Open({"::"}), 0) << logger_.Text();
    listener_announce(&listener_, logger_.get());
    EXPECT_EQ(logger_.Count(" info [::] takes IPv6 only; --bind='*' takes IPv4, too\n"), 1u)
        << logger_.Text();
}

TEST_F(ListenerTest, KnowsLocalhost) {
    if (!HasLocalhost()) {
        GTEST_SKIP() << "localhost has no address here (/etc/hosts)";
    }
    ASSERT_EQ(Open({"localhost"}), 0) << logger_.Text();
    EXPECT_GE(listener_.count, 1u);
}

TEST_F(ListenerTest, OneOfANamesAddressesIsEnough) {
    if (!HasLocalhost()) {
        GTEST_SKIP() << "localhost has no address here (/etc/hosts)";
    }
    ASSERT_EQ(Open({"localhost"}), 0) << logger_.Text();
    const size_t count = listener_.count;
    listener_close(&listener_);
    for (const char *error : {"EAFNOSUPPORT", "EADDRNOTAVAIL"}) {
        ASSERT_TRUE(os_faulty_plan((std::string("socket:1:") + error).c_str()));
        if (count == 1) {
            EXPECT_NE(Open({"localhost"}), 0) << "none is not enough";
        } else {
            EXPECT_EQ(Open({"localhost"}), 0);
        }
        EXPECT_EQ(listener_.count, count - 1);
        listener_close(&listener_);
    }
    ASSERT_TRUE(os_faulty_plan("socket:*:EAFNOSUPPORT"));
    EXPECT_EQ(Open({"localhost"}), -EAFNOSUPPORT);
}

TEST_F(ListenerTest, NamesAnAddressThatDoesNotExist) {
    EXPECT_EQ(Open({"127.0.0.1", "999.1.1.1"}), -EADDRNOTAVAIL);
    EXPECT_EQ(listener_.count, 0u) << "nothing is left open";
    EXPECT_EQ(logger_.Count(" error cannot listen on 999.1.1.1: "), 1u) << logger_.Text();
}

TEST_F(ListenerTest, TakesAnAddressAsItAnnouncesIt) {
    if (!HasIpv6()) {
        GTEST_SKIP() << "no IPv6 here";
    }
    ASSERT_EQ(Open({"[::1]"}), 0);
    EXPECT_EQ(listener_.count, 1u);
}

TEST(FindNonsenseTest, WhatNamesNothingIsFound) {
    const char *const good[] = {"127.0.0.1", "::1", "[::1]", "0.0.0.0", "*", "192.0.2.1"};
    EXPECT_EQ(listener_find_nonsense(good, std::size(good)), nullptr);
    for (const char *bad : {"300.1.1.1", "[::1", "[]", "[", "1.2.3.4.5", "."}) {
        const char *const addresses[] = {"127.0.0.1", bad};
        EXPECT_EQ(listener_find_nonsense(addresses, std::size(addresses)), bad);
    }
}

TEST_F(ListenerTest, RefusesAnAddressOfAnotherMachine) {
    EXPECT_EQ(Open({"192.0.2.1"}), -EADDRNOTAVAIL);
    EXPECT_EQ(logger_.Count(" error cannot listen on 192.0.2.1 port 0: "), 1u) << logger_.Text();
}

TEST_F(ListenerTest, RefusesMoreAddressesThanItHasRoomFor) {
    std::vector<std::string> texts;
    std::vector<const char *> addresses;
    for (int index = 0; index <= LISTENER_CAPACITY; ++index) {
        texts.push_back("127.0.0." + std::to_string(index + 1));
    }
    for (const std::string &text : texts) {
        addresses.push_back(text.c_str());
    }
    EXPECT_EQ(Open(addresses), -ENOSPC);
    EXPECT_EQ(logger_.Count(": too many addresses\n"), 1u) << logger_.Text();
    addresses.pop_back();
    EXPECT_EQ(Open(addresses), 0) << logger_.Text();
    EXPECT_EQ(listener_.count, static_cast<size_t>(LISTENER_CAPACITY));
}

TEST_F(ListenerTest, ReportsThatThereIsNoSocket) {
    ASSERT_TRUE(os_faulty_plan("socket:2:EMFILE"));
    EXPECT_EQ(Open({"127.0.0.1", "127.0.0.2"}), -EMFILE);
    EXPECT_EQ(listener_.count, 0u);
    EXPECT_EQ(os_faulty_call_count("close"), 1u);
}

} // namespace
