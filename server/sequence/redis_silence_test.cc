// A Redis that says nothing: it hangs with its connections open, what is sent to it vanishes, or
// its answer has no end. A call of the server ends by itself then, so that others are served and a
// signal is heard.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "server/sequence/sequence_harness.h"
#include "server/sessions/redis_server.h"
#include "testing/daemon.h"
#include "testing/loopback.h"

namespace {

using sequence::Client;
using sequence::Connection;
using sequence::ExpectDelivered;
using sequence::kClientId;
using sequence::Server;
using sessions::RedisServer;

const std::string kId = kClientId;

// A port where connections are neither made nor refused: its queue is full, and nobody accepts.
class BlackHole {
  public:
    explicit BlackHole(std::uint16_t port) : fds_{harness::ListenOnLoopback(port, 0)} {
        const sockaddr_in address = harness::LoopbackAddress(port);
        // Until one is not connected, as nothing is from then on.
        pollfd polled{};
        do {
            const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
            fds_.push_back(fd);
            connect(fd, reinterpret_cast<const sockaddr *>(&address), sizeof address);
            polled = {.fd = fd, .events = POLLOUT, .revents = 0};
        } while (poll(&polled, 1, kConnectedMs) > 0);
    }
    ~BlackHole() {
        for (const int fd : fds_) {
            close(fd);
        }
    }

    // Whether a server has tried to speak with it; here there is no telling.
    bool was_tried() const {
        return true;
    }

  private:
    // On this machine a connection is made at once, or never.
    static constexpr int kConnectedMs = 100;

    std::vector<int> fds_;
};

// A port where an answer begins that never ends, a byte at a time.
class Dripper {
  public:
    explicit Dripper(std::uint16_t port) : listening_(harness::ListenOnLoopback(port)) {
        thread_ = std::thread([this] { Drip(); });
    }
    ~Dripper() {
        is_stopping_ = true;
        thread_.join();
        close(listening_);
    }

    bool was_tried() const {
        return was_tried_;
    }

  private:
    static constexpr int kPauseMs = 50;

    void Drip() {
        std::vector<int> fds;
        while (!is_stopping_) {
            pollfd polled = {.fd = listening_, .events = POLLIN, .revents = 0};
            if (poll(&polled, 1, kPauseMs) > 0) {
                fds.push_back(accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC));
                was_tried_ = true;
                send(fds.back(), "$100000\r\n", 9, MSG_NOSIGNAL);
            }
            for (const int fd : fds) {
                send(fd, "1", 1, MSG_NOSIGNAL);
            }
        }
        for (const int fd : fds) {
            close(fd);
        }
    }

    const int listening_;
    std::atomic<bool> is_stopping_{false};
    std::atomic<bool> was_tried_{false};
    std::thread thread_;
};

// What holds while Redis is silent, for a server with `connected` to a session of 10 numbers.
void ExpectServing(Server *server, Connection *connected) {
    for (int i = 1; i <= 2; i++) {
        Connection refused(server->port());
        refused.Send("INIT,00000000-0000-0000-0000-00000000000" + std::to_string(i) + ",1,1;");
        EXPECT_EQ(refused.ReadToEnd(), "ERR,Session store unavailable;");
        EXPECT_EQ(connected->Ask("RECV,0;"), "NUM,6:41:81:68:68;");
    }
}

class RedisSilenceTest : public sessions::RedisTest {};

TEST_F(RedisSilenceTest, AServerWhoseRedisHangsGoesOn) {
    RedisServer redis;
    Server server({"--test-mode", "--store=" + redis.url()});
    Server other({"--test-mode", "--store=" + redis.url()});
    Connection connected(server.port());
    Connection last(other.port());
    ASSERT_EQ(connected.Ask("INIT," + kId + ",10,5;"), "ACK;");
    ASSERT_EQ(last.Ask("CONT," + kId + ";"), "ACK;");
    redis.Pause();
    ExpectServing(&server, &connected);
    ExpectServing(&other, &last);
    other.Stop(); // with a session that Redis is to be told of
    redis.Resume();
    Client client;
    ExpectDelivered(client.Run({"NEW", "100", std::to_string(server.port())}));
}

// Two servers and their clients while something else is at the place of Redis.
template <typename Other> void ExpectServingBeside() {
    RedisServer redis;
    Server server({"--test-mode", "--store=" + redis.url()});
    Server other({"--test-mode", "--store=" + redis.url()});
    Connection connected(server.port());
    Connection last(other.port());
    ASSERT_EQ(connected.Ask("INIT," + kId + ",10,5;"), "ACK;");
    ASSERT_EQ(last.Ask("CONT," + kId + ";"), "ACK;");
    redis.Stop();
    {
        const Other stranger(redis.port());
        do {
            ExpectServing(&server, &connected);
            ExpectServing(&other, &last);
        } while (!stranger.was_tried() && !testing::Test::HasFailure());
        other.Stop();
    }
    redis.Restart();
    Client client;
    ExpectDelivered(client.Run({"NEW", "100", std::to_string(server.port())}));
}

TEST_F(RedisSilenceTest, AServerWhoseRedisVanishesGoesOn) {
    ExpectServingBeside<BlackHole>();
}

TEST_F(RedisSilenceTest, AServerWhoseRedisDripsGoesOn) {
    ExpectServingBeside<Dripper>();
}

TEST_F(RedisSilenceTest, AStartWithNothingAtTheOtherEndFails) {
    const std::uint16_t port = harness::FindFreePort();
    const BlackHole hole(port);
    harness::ProcessOptions options;
    options.arguments = {harness::ProgramPath("SEQUENCE_SERVER"), "--port=0",
                         "--store=redis://127.0.0.1:" + std::to_string(port)};
    const harness::ProcessResult result = harness::RunToEnd(options);
    EXPECT_EQ(result.status, harness::Exited(1));
    EXPECT_EQ(harness::CountLinesWith(result.errors, "it does not answer in time"), 1u)
        << result.errors;
}

} // namespace
