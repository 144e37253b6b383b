// Who may connect to the numbers server, how many at a time, and how a place becomes free again.

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include "server/numbers/numbers_process.h"
#include "testing/sanitizer.h"
#include "gtest/gtest.h"

namespace harness {
namespace {

std::vector<TcpClient> FillPlaces(const NumbersServer &server, std::uint32_t count) {
    std::vector<TcpClient> clients;
    for (std::uint32_t number = 0; number < count && !testing::Test::HasFailure(); ++number) {
        clients.push_back(server.ConnectServed(NumberLine(number)));
    }
    return clients;
}

// Fills all places, expects the next client to be refused without a word, and the others to go on.
void ExpectPlaces(NumbersServer *server, std::uint32_t count) {
    std::vector<TcpClient> clients = FillPlaces(*server, count);
    ASSERT_EQ(clients.size(), count);
    ASSERT_FALSE(testing::Test::HasFailure());
    for (int attempt = 0; attempt < 3; ++attempt) {
        TcpClient beyond = server->Connect();
        beyond.Send(NumberLine(999999999));
        EXPECT_EQ(beyond.WaitForEnding(), Ending::kReset);
        EXPECT_EQ(beyond.received(), "");
    }
    std::uint32_t number = count;
    for (TcpClient &client : clients) {
        EXPECT_TRUE(client.Send(NumberLine(number++)));
        client.HalfClose();
        EXPECT_EQ(client.WaitForEnding(), Ending::kFin);
        EXPECT_EQ(client.received(), "");
    }
    EXPECT_EQ(server->Stop(), Exited(0));
    EXPECT_EQ(server->Log(), NumberRange(0, number));
}

TEST(ClientsTest, FiveAtATime) {
    NumbersServer server;
    ExpectPlaces(&server, 5);
}

TEST(ClientsTest, MaxClientsOne) {
    NumbersServer server({"--max-clients=1"});
    ExpectPlaces(&server, 1);
}

TEST(ClientsTest, ConcurrentConnectionsIsTheSameOption) {
    NumbersServer server({"--concurrent-connections", "7"});
    ExpectPlaces(&server, 7);
}

// The usual soft limit of 1024 descriptors must not stand in the way of the greatest number.
TEST(ClientsTest, MaxClients1024UnderTheUsualLimit) {
    constexpr rlim_t kUsualSoftLimit = 1024;
    constexpr rlim_t kNeeded = 2048;
    rlimit limit{};
    ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
    if (limit.rlim_max < kNeeded) {
        GTEST_SKIP() << "only " << limit.rlim_max << " descriptors are allowed here";
    }
    ProcessOptions options = NumbersServerCommand({});
    options.limits.emplace_back(RLIMIT_NOFILE, rlimit{kUsualSoftLimit, limit.rlim_max});
    NumbersServer server({"--max-clients=1024"}, options);
    limit.rlim_cur = std::max(limit.rlim_cur, kNeeded);
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
    ExpectPlaces(&server, 1024);
}

TEST(ClientsTest, ServesAsManyAsTheHardLimitAllows) {
    if (kIsUnderValgrind) {
        GTEST_SKIP() << "valgrind needs more descriptors than that to start a program";
    }
    ProcessOptions options = NumbersServerCommand({});
    options.limits.emplace_back(RLIMIT_NOFILE, rlimit{16, 100});
    NumbersServer server({"--max-clients=1024"}, options);
    EXPECT_TRUE(server.process().WaitForErrors(HasLineWith("ulimit -n")));
    std::vector<TcpClient> clients;
    for (std::uint32_t number = 0; number < 64; ++number) {
        clients.push_back(server.ConnectServed(NumberLine(number)));
    }
    EXPECT_EQ(server.Stop(), Exited(0));
    EXPECT_EQ(server.Log(), NumberRange(0, 64));
}

TEST(ClientsTest, PlaceIsFreeAfterAnOrderlyClose) {
    NumbersServer server;
    std::vector<TcpClient> clients = FillPlaces(server, 5);
    for (std::uint32_t round = 0; round < 100; ++round) {
        clients.back().HalfClose();
        ASSERT_EQ(clients.back().WaitForEnding(), Ending::kFin);
        clients.pop_back();
        // No second attempt: the FIN says that the place is free.
        clients.push_back(server.ConnectServed(NumberLine(5 + round)));
        ASSERT_FALSE(HasFailure());
    }
    EXPECT_EQ(server.Stop(), Exited(0));
    EXPECT_EQ(server.Log(), NumberRange(0, 105));
}

TEST(ClientsTest, PlaceIsFreeAfterARejection) {
    NumbersServer server({"--max-clients=1"});
    for (std::uint32_t round = 0; round < 100; ++round) {
        TcpClient client = server.Connect();
        ASSERT_TRUE(client.Send(NumberLine(round) + "x"));
        ASSERT_EQ(client.WaitForEnding(), Ending::kReset);
    }
    EXPECT_EQ(server.Stop(), Exited(0));
    EXPECT_EQ(server.Log(), NumberRange(0, 100));
}

// The server finds both at once, and the end must count first.
TEST(ClientsTest, PlaceIsFreeForWhoComesRightAfterAClientHasLeft) {
    NumbersServer server({"--max-clients=1"});
    for (std::uint32_t round = 0; round < 5; ++round) {
        auto leaving = std::make_unique<TcpClient>(server.ConnectServed("0"));
        server.process().Signal(SIGSTOP);
        leaving.reset();
        TcpClient next = server.Connect();
        next.Send(NumberLine(round));
        next.HalfClose();
        server.process().Signal(SIGCONT);
        ASSERT_EQ(next.WaitForEnding(), Ending::kFin);
    }
}

TEST(ClientsTest, ClientThatDisappearsKeepsItsWholeLinesAndFreesItsPlace) {
    NumbersServer server({"--max-clients=1"});
    for (std::uint32_t round = 0; round < 20; ++round) {
        TcpClient client = server.Connect();
        ASSERT_TRUE(client.Send(NumberLine(2 * round) + "12345"));
        ASSERT_TRUE(client.WaitUntilRead());
        client.Reset();
        ASSERT_EQ(server.DeliverWhenFree(NumberLine(2 * round + 1)), Ending::kFin);
    }
    EXPECT_EQ(server.Stop(), Exited(0));
    EXPECT_EQ(server.Log(), NumberRange(0, 40));
}

TEST(ClientsTest, WhenFullWaitLosesNothing) {
    NumbersServer server({"--max-clients=2", "--when-full=wait"});
    std::vector<TcpClient> clients;
    for (std::uint32_t number = 0; number < 10; ++number) {
        clients.push_back(server.Connect());
        ASSERT_TRUE(clients.back().Send(NumberLine(number)));
    }
    // The first two have places; the server takes nothing from the others meanwhile.
    ASSERT_TRUE(clients[0].WaitUntilRead());
    ASSERT_TRUE(clients[1].WaitUntilRead());
    for (size_t index = 2; index < clients.size(); ++index) {
        EXPECT_FALSE(clients[index].WaitUntilRead(std::chrono::milliseconds(0)));
        EXPECT_EQ(clients[index].WaitForEnding(std::chrono::milliseconds(0)), Ending::kNone);
    }
    for (TcpClient &client : clients) {
        client.HalfClose();
        EXPECT_EQ(client.WaitForEnding(), Ending::kFin);
    }
    EXPECT_EQ(server.Stop(), Exited(0));
    EXPECT_EQ(server.Log(), NumberRange(0, 10));
}

TEST(ClientsTest, IdleTimeoutFreesThePlaceOfASilentClient) {
    NumbersServer server({"--max-clients=1", "--idle-timeout=0.5"});
    TcpClient silent = server.ConnectServed(NumberLine(0));
    ASSERT_TRUE(silent.Send("00000"));
    EXPECT_EQ(silent.WaitForEnding(), Ending::kReset);
    EXPECT_EQ(silent.received(), "");
    EXPECT_EQ(server.DeliverWhenFree(NumberLine(1)), Ending::kFin);
    EXPECT_EQ(server.Stop(), Exited(0));
    EXPECT_EQ(server.Log(), NumberRange(0, 2));
}

// The silences are longer than half of the timeout: each byte must start it anew.
TEST(ClientsTest, IdleTimeoutSparesAClientThatSends) {
    constexpr std::chrono::milliseconds kTimeout{2000};
    constexpr std::chrono::milliseconds kSilence{1200};
    NumbersServer server({"--idle-timeout=2"});
    TcpClient client = server.Connect();
    // Bytes and not lines: a timer that counts whole lines would be wrong.
    for (const char *bytes : {"000", "000", "0", "00", "\n"}) {
        const Clock::time_point start = Clock::now();
        ASSERT_TRUE(client.Send(bytes));
        // Nothing can be awaited but the time: the silence is what is tested.
        const Ending ending = client.WaitForEnding(kSilence);
        if (Clock::now() - start > (kSilence + kTimeout) / 2) {
            GTEST_SKIP() << "this machine is too slow to keep up an even flow";
        }
        ASSERT_EQ(ending, Ending::kNone);
    }
    client.HalfClose();
    EXPECT_EQ(client.WaitForEnding(), Ending::kFin);
    EXPECT_EQ(server.Stop(), Exited(0));
    EXPECT_EQ(server.Log(), NumberRange(0, 1));
}

TEST(ClientsTest, KeepaliveIsOn) {
    NumbersServer server;
    TcpClient client = server.ConnectServed(NumberLine(0));
    EXPECT_TRUE(Await([&client] { return client.PeerKeepsAlive(); }));
}

TEST(ClientsTest, ListensOnTheGivenAddressesOnly) {
    NumbersServer server;
    EXPECT_THROW(TcpClient(server.port(), "127.0.0.2"), std::system_error);

    NumbersServer other({"--bind=127.0.0.1", "--bind=127.0.0.2"});
    TcpClient client(other.PortAt("127.0.0.2"), "127.0.0.2");
    EXPECT_TRUE(client.Send(NumberLine(1)));
    client.HalfClose();
    EXPECT_EQ(client.WaitForEnding(), Ending::kFin);
    EXPECT_EQ(other.Deliver(NumberLine(0)), Ending::kFin);
    EXPECT_EQ(other.Stop(), Exited(0));
    EXPECT_EQ(other.Log(), NumberRange(0, 2));
}

TEST(ClientsTest, PlacesAreCountedOverAllAddresses) {
    NumbersServer server({"--bind=127.0.0.1", "--bind=127.0.0.2", "--max-clients=1"});
    const TcpClient served = server.ConnectServed(NumberLine(0));
    TcpClient beyond(server.PortAt("127.0.0.2"), "127.0.0.2");
    EXPECT_EQ(beyond.WaitForEnding(), Ending::kReset);
}

TEST(ClientsTest, ListensOnIpv6) {
    std::unique_ptr<NumbersServer> server;
    try {
        server = std::make_unique<NumbersServer>(
            std::vector<std::string>{"--bind=127.0.0.1", "--bind=::1"});
    } catch (const std::runtime_error &error) {
        if (access("/proc/net/if_inet6", R_OK) != 0) {
            GTEST_SKIP() << "this machine has no IPv6";
        }
        FAIL() << error.what();
    }
    TcpClient client(server->PortAt("[::1]"), "::1");
    EXPECT_TRUE(client.Send(NumberLine(0)));
    client.HalfClose();
    EXPECT_EQ(client.WaitForEnding(), Ending::kFin);
    EXPECT_EQ(server->Stop(), Exited(0));
    EXPECT_EQ(server->Log(), NumberRange(0, 1));
}

} // namespace
} // namespace harness
