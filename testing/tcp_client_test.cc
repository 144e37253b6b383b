#include "testing/tcp_client.h"

#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "testing/loopback.h"
#include "gtest/gtest.h"

namespace harness {
namespace {

// A listening socket on a free loopback port, and the one connection that a test accepts from it.
class TcpClientTest : public testing::Test {
  protected:
    TcpClientTest() : listener_(ListenOnLoopback(0, 1)), port_(PortOf(listener_)) {}
    ~TcpClientTest() override {
        close(listener_);
    }

    int Accept() {
        const int connection = accept(listener_, nullptr, nullptr);
        EXPECT_GE(connection, 0);
        return connection;
    }

    static void CloseWithReset(int connection) {
        const linger at_once{1, 0};
        EXPECT_EQ(setsockopt(connection, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
        close(connection);
    }

    static std::string ReceiveExactly(int connection, size_t size) {
        std::string bytes(size, '\0');
        EXPECT_EQ(recv(connection, bytes.data(), size, MSG_WAITALL), static_cast<ssize_t>(size));
        return bytes;
    }

    int listener_;
    std::uint16_t port_ = 0;
};

TEST_F(TcpClientTest, TellsFinFromResetFromNothing) {
    TcpClient client(port_);
    int connection = Accept();
    EXPECT_EQ(client.WaitForEnding(std::chrono::milliseconds(1)), Ending::kNone);
    close(connection);
    EXPECT_EQ(client.WaitForEnding(), Ending::kFin);

    TcpClient other(port_);
    connection = Accept();
    CloseWithReset(connection);
    EXPECT_EQ(other.WaitForEnding(), Ending::kReset);
    EXPECT_EQ(other.WaitForEnding(), Ending::kReset);
}

TEST_F(TcpClientTest, RemembersAResetThatASendHasSeen) {
    TcpClient client(port_);
    CloseWithReset(Accept());
    EXPECT_TRUE(Await([&client] { return !client.Send("x"); }));
    EXPECT_EQ(client.WaitForEnding(), Ending::kReset);
}

TEST_F(TcpClientTest, KeepsWhatTheServerSays) {
    TcpClient client(port_);
    const int connection = Accept();
    EXPECT_EQ(send(connection, "word", 4, 0), 4);
    close(connection);
    EXPECT_EQ(client.WaitForEnding(), Ending::kFin);
    EXPECT_EQ(client.received(), "word");
}

TEST_F(TcpClientTest, HalfCloseLeavesTheOtherDirectionOpen) {
    TcpClient client(port_);
    const int connection = Accept();
    EXPECT_TRUE(client.Send("question"));
    client.HalfClose();
    EXPECT_EQ(ReceiveExactly(connection, 8), "question");
    char byte = 0;
    EXPECT_EQ(recv(connection, &byte, 1, 0), 0);
    EXPECT_EQ(send(connection, "answer", 6, 0), 6);
    close(connection);
    EXPECT_EQ(client.WaitForEnding(), Ending::kFin);
    EXPECT_EQ(client.received(), "answer");
}

TEST_F(TcpClientTest, ResetReachesTheServer) {
    TcpClient client(port_);
    const int connection = Accept();
    client.Reset();
    char byte = 0;
    EXPECT_EQ(recv(connection, &byte, 1, 0), -1);
    EXPECT_EQ(errno, ECONNRESET);
    close(connection);
}

TEST_F(TcpClientTest, SendGivesUpWhenNobodyReads) {
    TcpClient client(port_);
    const int connection = Accept();
    const std::string block(1 << 20, 'x');
    while (client.Send(block, std::chrono::milliseconds(10))) {
    }
    EXPECT_GT(client.sent_size(), 0u);
    EXPECT_EQ(client.WaitForEnding(std::chrono::milliseconds(1)), Ending::kNone);
    close(connection);
}

TEST_F(TcpClientTest, KnowsWhatTheServerHasRead) {
    TcpClient client(port_);
    const int connection = Accept();
    EXPECT_TRUE(client.WaitUntilRead());
    EXPECT_TRUE(client.Send("12345"));
    EXPECT_FALSE(client.WaitUntilRead(std::chrono::milliseconds(1)));
    EXPECT_EQ(ReceiveExactly(connection, 4), "1234");
    EXPECT_FALSE(client.WaitUntilRead(std::chrono::milliseconds(1)));
    EXPECT_EQ(ReceiveExactly(connection, 1), "5");
    EXPECT_TRUE(client.WaitUntilRead());
    close(connection);
}

TEST_F(TcpClientTest, NobodyReadsAfterAReset) {
    TcpClient client(port_);
    const int connection = Accept();
    // More than the server's kernel takes: the rest is never acknowledged.
    const std::string block(1 << 20, 'x');
    while (client.Send(block, std::chrono::milliseconds(10))) {
    }
    EXPECT_FALSE(client.WaitUntilRead(std::chrono::milliseconds(1)));
    CloseWithReset(connection);
    EXPECT_TRUE(client.WaitUntilRead());
    EXPECT_EQ(client.WaitForEnding(), Ending::kReset);
}

TEST_F(TcpClientTest, BytesOfAConnectionNotYetAcceptedAreUnread) {
    TcpClient client(port_);
    EXPECT_TRUE(client.Send("12345"));
    EXPECT_FALSE(client.WaitUntilRead(std::chrono::milliseconds(1)));
}

TEST_F(TcpClientTest, SeesTheKeepaliveOfTheServer) {
    TcpClient client(port_);
    const int connection = Accept();
    EXPECT_FALSE(client.PeerKeepsAlive());
    const int on = 1;
    EXPECT_EQ(setsockopt(connection, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on), 0);
    EXPECT_TRUE(client.PeerKeepsAlive());
    close(connection);
}

TEST_F(TcpClientTest, ThrowsWhenNobodyListens) {
    close(listener_);
    listener_ = -1;
    EXPECT_THROW(TcpClient{port_}, std::system_error);
}

} // namespace
} // namespace harness
