// The ends of the numbers server: a client's "terminate", SIGTERM and SIGINT.

#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <string>
#include <vector>

#include "server/numbers/numbers_process.h"
#include "gtest/gtest.h"

namespace harness {
namespace {

enum class End { kTerminate, kSigterm, kSigint };

class ShutdownTest : public testing::TestWithParam<End> {
  protected:
    // Sends what ends the server. For End::kTerminate `client` sends it.
    void Trigger(NumbersServer *server, TcpClient *client) {
        switch (GetParam()) {
        case End::kTerminate:
            EXPECT_TRUE(client->Send("terminate\n"));
            break;
        case End::kSigterm:
            EXPECT_TRUE(server->process().Signal(SIGTERM));
            break;
        case End::kSigint:
            EXPECT_TRUE(server->process().Signal(SIGINT));
            break;
        }
    }
};

std::string NameOf(const testing::TestParamInfo<End> &information) {
    switch (information.param) {
    case End::kTerminate:
        return "Terminate";
    case End::kSigterm:
        return "Sigterm";
    case End::kSigint:
        return "Sigint";
    }
    return "Unknown";
}

INSTANTIATE_TEST_SUITE_P(Ends, ShutdownTest,
                         testing::Values(End::kTerminate, End::kSigterm, End::kSigint), NameOf);

TEST_P(ShutdownTest, KeepsEverythingThatWasRead) {
    constexpr size_t kLineCount = 10000;
    NumbersServer server;
    std::vector<TcpClient> clients;
    for (std::uint32_t index = 0; index < 5; ++index) {
        // Each ends in mid-line, and has sent nothing that says so.
        clients.push_back(server.ConnectServed(
            NumberLines(index * static_cast<std::uint32_t>(kLineCount), kLineCount) +
            (index == 0 ? "" : "99999")));
    }
    Trigger(&server, &clients[0]);
    EXPECT_EQ(server.process().WaitForExit(), Exited(0));
    EXPECT_EQ(server.Log(), NumberRange(0, 5 * kLineCount));
    EXPECT_EQ(SumReports(server.Reports()), (Report{5 * kLineCount, 0, 5 * kLineCount}));
}

// Only an orderly close says that everything is safe. These clients have not said that they are
// done, and more of theirs may be under way: they must not see one.
TEST_P(ShutdownTest, DisconnectsEveryClientWithoutAWord) {
    NumbersServer server;
    std::vector<TcpClient> clients;
    for (std::uint32_t number = 0; number < 5; ++number) {
        clients.push_back(server.ConnectServed(NumberLine(number)));
    }
    Trigger(&server, &clients[0]);
    for (size_t index = 1; index < clients.size(); ++index) {
        EXPECT_EQ(clients[index].WaitForEnding(), Ending::kReset);
        EXPECT_EQ(clients[index].received(), "");
    }
    EXPECT_NE(clients[0].WaitForEnding(), Ending::kNone);
    EXPECT_EQ(clients[0].received(), "");
    EXPECT_EQ(server.process().WaitForExit(), Exited(0));
}

TEST_P(ShutdownTest, WorksWithoutOtherClients) {
    NumbersServer server;
    TcpClient client = server.Connect();
    Trigger(&server, &client);
    EXPECT_EQ(server.process().WaitForExit(), Exited(0));
    EXPECT_EQ(ReadFile(server.log_path()), "");
}

TEST_P(ShutdownTest, SecondSignalChangesNothing) {
    NumbersServer server;
    TcpClient client = server.ConnectServed(NumberLines(0, 100000));
    Trigger(&server, &client);
    server.process().Signal(SIGTERM);
    server.process().Signal(SIGINT);
    EXPECT_EQ(server.process().WaitForExit(), Exited(0));
    EXPECT_EQ(server.Log(), NumberRange(0, 100000));
}

TEST_P(ShutdownTest, PortAndLogAreFreeAfterwards) {
    NumbersServer first;
    // The server closes first, so that the port is left in the state TIME_WAIT.
    EXPECT_EQ(first.Deliver(NumberLine(0)), Ending::kFin);
    TcpClient client = first.ConnectServed(NumberLine(1));
    Trigger(&first, &client);
    EXPECT_EQ(first.process().WaitForExit(), Exited(0));
    NumbersServer second({"--port=" + std::to_string(first.port()), "--log=" + first.log_path()});
    EXPECT_EQ(second.port(), first.port());
    EXPECT_EQ(second.Stop(), Exited(0));
}

TEST_P(ShutdownTest, WaitingClientsAreNotToldThatTheirDataIsSafe) {
    NumbersServer server({"--max-clients=1", "--when-full=wait"});
    TcpClient served = server.ConnectServed(NumberLine(0));
    std::vector<TcpClient> waiting;
    for (std::uint32_t number = 1; number < 4; ++number) {
        waiting.push_back(server.Connect());
        EXPECT_TRUE(waiting.back().Send(NumberLine(number)));
        waiting.back().HalfClose();
    }
    Trigger(&server, &served);
    EXPECT_EQ(server.process().WaitForExit(), Exited(0));
    const std::vector<std::uint32_t> log = server.Log();
    for (std::uint32_t number = 1; number < 4; ++number) {
        const bool is_logged = number < log.size();
        EXPECT_EQ(waiting[number - 1].WaitForEnding(), is_logged ? Ending::kFin : Ending::kReset);
    }
}

TEST(SignalTest, SigquitEndsInOrderAndSigusr2IsIgnored) {
    NumbersServer server;
    TcpClient client = server.ConnectServed(NumberLines(0, 1000));
    server.process().Signal(SIGUSR2);
    EXPECT_EQ(server.Deliver(NumberLines(1000, 10)), Ending::kFin);
    server.process().Signal(SIGQUIT);
    EXPECT_EQ(server.process().WaitForExit(), Exited(0));
    EXPECT_EQ(server.Log(), NumberRange(0, 1010));
}

TEST(TerminateTest, NothingAfterItCounts) {
    NumbersServer server;
    TcpClient client = server.Connect();
    client.Send("000000000\nterminate\n" + NumberLines(1, 10));
    EXPECT_EQ(server.process().WaitForExit(), Exited(0));
    EXPECT_EQ(server.Log(), NumberRange(0, 1));
    EXPECT_EQ(SumReports(server.Reports()), (Report{1, 0, 1}));
}

// Its FIN says what every FIN says: all lines before it are stored.
TEST(TerminateTest, WhoSentItGetsFinAndTheOthersReset) {
    const std::string lines = NumberLines(0, 1000);
    for (const bool half_closes : {false, true}) {
        for (const std::string &after :
             {std::string(), std::string("x"), NumberLines(2000, 50000)}) {
            SCOPED_TRACE(std::to_string(half_closes) + " " + std::to_string(after.size()));
            NumbersServer server;
            TcpClient other = server.ConnectServed(NumberLine(1000));
            TcpClient client = server.Connect();
            client.Send(lines + "terminate\n" + after);
            if (half_closes) {
                client.HalfClose();
            }
            EXPECT_EQ(client.WaitForEnding(), Ending::kFin);
            EXPECT_EQ(client.received(), "");
            EXPECT_EQ(server.Log(), NumberRange(0, 1001));
            EXPECT_EQ(other.WaitForEnding(), Ending::kReset);
            EXPECT_EQ(server.process().WaitForExit(), Exited(0));
            EXPECT_EQ(server.Log(), NumberRange(0, 1001));
        }
    }
}

// Several may say it before the server hears the first.
TEST(TerminateTest, EveryoneWhoSentItGetsFin) {
    NumbersServer server;
    std::vector<TcpClient> clients;
    for (std::uint32_t number = 0; number < 5; ++number) {
        clients.push_back(server.ConnectServed(NumberLine(number)));
    }
    server.process().Signal(SIGSTOP);
    for (TcpClient &client : clients) {
        EXPECT_TRUE(client.Send("terminate\n"));
    }
    server.process().Signal(SIGCONT);
    for (TcpClient &client : clients) {
        EXPECT_EQ(client.WaitForEnding(), Ending::kFin);
    }
    EXPECT_EQ(server.process().WaitForExit(), Exited(0));
    EXPECT_EQ(server.Log(), NumberRange(0, 5));
}

// It came before the signal and is read when the disk has room again, long after: that is no second
// request, which would end the server at once.
TEST(TerminateTest, OneThatIsReadLateInAShutdownAbandonsNothing) {
    constexpr size_t kLineCount = 4000000; // more than the writer's blocks hold
    NumbersServer server;
    const rlimit limit{1005, RLIM_INFINITY};
    ASSERT_EQ(prlimit(server.process().pid(), RLIMIT_FSIZE, &limit, nullptr), 0);
    const std::string lines = NumberLines(0, kLineCount);
    TcpClient held = server.Connect();
    while (held.Send(lines, std::chrono::milliseconds(2000))) {
    }
    TcpClient client = server.Connect();
    EXPECT_TRUE(client.Send(NumberLine(kLineCount) + "terminate\n"));
    client.HalfClose();
    server.process().Signal(SIGTERM);
    EXPECT_TRUE(server.process().WaitForErrors(HasLineWith("still storing what was received")));
    const rlimit no_limit{RLIM_INFINITY, RLIM_INFINITY};
    ASSERT_EQ(prlimit(server.process().pid(), RLIMIT_FSIZE, &no_limit, nullptr), 0);
    EXPECT_EQ(client.WaitForEnding(), Ending::kFin);
    EXPECT_EQ(server.process().WaitForExit(), Exited(0));
    const std::vector<std::uint32_t> log = server.Log();
    EXPECT_EQ(std::count(log.begin(), log.end(), kLineCount), 1);
}

// Its bytes are read away before its FIN, but only so many of them.
TEST(TerminateTest, WhoGoesOnSendingHoldsNothingUp) {
    NumbersServer server;
    TcpClient client = server.ConnectServed(NumberLine(0));
    EXPECT_TRUE(client.Send("terminate\n"));
    while (client.Send(NumberLines(1, 10000), std::chrono::milliseconds(100))) {
    }
    EXPECT_EQ(server.process().WaitForExit(), Exited(0));
    EXPECT_EQ(server.Log(), NumberRange(0, 1));
}

TEST(TerminateTest, MayArriveByteByByte) {
    NumbersServer server;
    TcpClient client = server.Connect();
    for (const char byte : std::string("000000000\nterminate")) {
        ASSERT_TRUE(client.Send(std::string(1, byte)));
        ASSERT_TRUE(client.WaitUntilRead());
    }
    EXPECT_EQ(server.Deliver(NumberLine(1)), Ending::kFin);
    EXPECT_TRUE(client.Send("\n"));
    EXPECT_EQ(server.process().WaitForExit(), Exited(0));
    EXPECT_EQ(server.Log(), NumberRange(0, 2));
}

TEST(TerminateTest, MayBeCutAnywhere) {
    const std::string text = NumberLine(0) + "terminate\n";
    for (size_t cut = 1; cut < text.size(); ++cut) {
        NumbersServer server;
        TcpClient client = server.ConnectServed(text.substr(0, cut));
        EXPECT_TRUE(client.Send(text.substr(cut)));
        EXPECT_EQ(server.process().WaitForExit(), Exited(0)) << cut;
        EXPECT_EQ(server.Log(), NumberRange(0, 1));
    }
}

TEST(TerminateTest, ClientMayBeGoneAlready) {
    NumbersServer server;
    {
        TcpClient client = server.Connect();
        EXPECT_TRUE(client.Send("000000000\nterminate\n"));
    }
    EXPECT_EQ(server.process().WaitForExit(), Exited(0));
    EXPECT_EQ(server.Log(), NumberRange(0, 1));
}

TEST(TerminateTest, RefusedClientCannotTerminate) {
    NumbersServer server({"--max-clients=1"});
    TcpClient served = server.ConnectServed(NumberLine(0));
    TcpClient refused = server.Connect();
    refused.Send("terminate\n");
    EXPECT_EQ(refused.WaitForEnding(), Ending::kReset);
    EXPECT_TRUE(served.Send(NumberLine(1)));
    served.HalfClose();
    EXPECT_EQ(served.WaitForEnding(), Ending::kFin);
    EXPECT_EQ(server.Stop(), Exited(0));
    EXPECT_EQ(server.Log(), NumberRange(0, 2));
}

} // namespace
} // namespace harness
