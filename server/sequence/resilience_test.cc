// Clients get through whatever happens: fault injection, killed servers, killed clients, a shared
// Redis.
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "server/sequence/sequence_harness.h"
#include "server/sessions/redis_server.h"
#include "testing/daemon.h"

namespace {

using harness::Exited;
using harness::ProcessResult;
using sequence::Client;
using sequence::Connection;
using sequence::ExpectDelivered;
using sequence::kClientId;
using sequence::Server;
using sessions::RedisServer;

const std::string kId = kClientId;

// Outcome of Python's random.seed(kId): the sum of the first 1000 numbers and the md5 of their
// list.
const char kVerdict1000[] = "The SUM of numbers is: 49492\n"
                            "Checksum (d1a824f4650ca0de08cb1b8543165117) is valid!\n";

std::vector<std::string> NewWithId(int number_count, std::uint16_t port,
                                   std::vector<std::string> more) {
    std::vector<std::string> arguments = {"NEW", std::to_string(number_count), std::to_string(port),
                                          "--client-id=" + kId};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
}

size_t Count(const std::string &text, const std::string &part) {
    size_t count = 0;
    for (size_t place = 0; (place = text.find(part, place)) != std::string::npos; place++) {
        count++;
    }
    return count;
}

std::string ReadStateFile(const Client &client) {
    std::ifstream file(client.StatePath(), std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
}

// Waits until the client has stored at least `count` batches.
bool WaitForBatches(const Client &client, size_t count) {
    return harness::Await([&] { return Count(ReadStateFile(client), "NUM,") >= count; });
}

// The batches of 5 are cut off at every second one or so: 142 times.
TEST(Resilience, GetsThroughAServerThatFailsAtEverySeventhNumber) {
    Server server({"--test-mode", "--fail-every=7"});
    Client client;
    const ProcessResult result =
        client.Run(NewWithId(1000, server.port(), {"--retry-delay=0.001", "--verbose"}));
    ExpectDelivered(result);
    EXPECT_EQ(result.output.substr(result.output.find("The SUM")), kVerdict1000);
    EXPECT_EQ(Count(result.output, "ERROR: "), 1000 / 7u);
}

TEST(Resilience, GetsThroughAServerThatGoesOfflineToo) {
    Server server({"--test-mode", "--fail-every=7", "--offline-for=0.02"});
    Client client;
    const ProcessResult result =
        client.Run(NewWithId(1000, server.port(), {"--retry-delay=0.01", "--verbose"}));
    ExpectDelivered(result);
    EXPECT_EQ(result.output.substr(result.output.find("The SUM")), kVerdict1000);
    // A slow client may come back when the server is there again already: not every time.
    EXPECT_GE(Count(result.output, "ERROR: [Errno 111] Connection refused"), 1000 / 7u / 2);
}

TEST(Resilience, StreamsThroughAServerThatFails) {
    Server server({"--test-mode", "--fail-every=70"});
    Client client;
    const ProcessResult result =
        client.Run(NewWithId(1000, server.port(), {"--retry-delay=0.001", "--stream"}));
    ExpectDelivered(result);
    EXPECT_EQ(result.output, kVerdict1000);
}

TEST(Resilience, GetsThroughASessionTimeout) {
    Server server({"--test-mode", "--session-timeout=0.05", "--tick=0.01"});
    Client client;
    const ProcessResult result = client.Run(NewWithId(
        1000, server.port(), {"--retry-delay=0.001", "--stream", "--batch-size=20", "--verbose"}));
    ExpectDelivered(result);
    EXPECT_GE(Count(result.output, "ERROR: "), 2u);
}

TEST(Resilience, GivesUpAfterItsRetries) {
    Client client;
    std::uint16_t port;
    {
        Server server;
        port = server.port();
    }
    const ProcessResult result =
        client.Run({"NEW", "5", std::to_string(port), "--max-retries=3", "--retry-delay=0.001"});
    EXPECT_EQ(result.status, Exited(1));
    const std::vector<std::string> lines = harness::SplitLines(result.errors);
    ASSERT_EQ(lines.size(), 4u) << result.errors;
    const std::string cause =
        "sequence-client: 127.0.0.1 port " + std::to_string(port) + ": Connection refused; ";
    for (size_t i = 0; i < 3; i++) {
        EXPECT_EQ(lines[i].find(cause + "retry " + std::to_string(i + 1) + " in "), 0u) << lines[i];
    }
    EXPECT_EQ(lines[3], cause + "giving up after 3 retries");
}

TEST(Resilience, SaysWhatTheServerSaid) {
    Server server({"--max-connections=1"});
    Connection connection(server.port());
    EXPECT_EQ(connection.Ask("INIT," + kId + ",1,1;"), "ACK;");
    Client client;
    const std::string port = std::to_string(server.port());
    const ProcessResult result = client.Run({"NEW", "5", port, "--max-retries=0"});
    EXPECT_EQ(result.status, Exited(1));
    EXPECT_EQ(result.errors, "sequence-client: 127.0.0.1 port " + port +
                                 ": Too many connections; giving up after 0 retries\n");
}

// What a terminal shows when all of `text` has been written to it: without the lines' contents
// that were cleared. Fails the running test if a line gets longer than it.
std::vector<std::string> ShownLines(const std::string &text, size_t column_count) {
    const std::string clear = "\r\033[K";
    std::vector<std::string> lines = {""};
    for (size_t place = 0; place < text.size(); place++) {
        if (text.compare(place, clear.size(), clear) == 0) {
            lines.back().clear();
            place += clear.size() - 1;
        } else if (text[place] == '\n') {
            lines.emplace_back();
        } else {
            lines.back() += text[place];
        }
        EXPECT_LT(lines.back().size(), column_count) << lines.back();
    }
    return lines;
}

// Messages take the bar's place, and in the end it stands for itself.
TEST(Resilience, DrawsItsBarOnATerminal) {
    constexpr unsigned short kColumnCount = 100;
    Server server({"--test-mode", "--fail-every=7"});
    harness::ProcessOptions options;
    options.terminal_columns = kColumnCount;
    Client client;
    const ProcessResult result =
        client.Run(NewWithId(50, server.port(), {"--retry-delay=0.001"}), options);
    ExpectDelivered(result);
    EXPECT_GE(Count(result.errors, "\r\033[K["), 2u) << "the bar moves: " << result.errors;
    const std::vector<std::string> lines = ShownLines(result.errors, kColumnCount);
    ASSERT_EQ(lines.size(), 50 / 7u + 2) << result.errors;
    for (size_t i = 0; i < 50 / 7u; i++) {
        EXPECT_EQ(lines[i].find("sequence-client: 127.0.0.1 port "), 0u) << lines[i];
    }
    EXPECT_EQ(lines[50 / 7u], "[" + std::string(40, '#') + "] 100 % (50/50)");
    EXPECT_EQ(lines.back(), "");
}

TEST(Resilience, DrawsAShorterBarOnANarrowTerminal) {
    constexpr unsigned short kColumnCount = 40;
    Server server({"--test-mode"});
    harness::ProcessOptions options;
    options.terminal_columns = kColumnCount;
    Client client;
    const ProcessResult result = client.Run(NewWithId(50, server.port(), {}), options);
    ExpectDelivered(result);
    const std::vector<std::string> lines = ShownLines(result.errors, kColumnCount);
    ASSERT_EQ(lines.size(), 2u) << result.errors;
    EXPECT_EQ(lines[0], "[" + std::string(23, '#') + "] 100 % (50/50)");
}

// No resolver is asked for a name that cannot be one.
TEST(Resilience, DoesNotTryAHostThatDoesNotExistAgain) {
    Client client;
    const ProcessResult result = client.Run({"NEW", "5", "5000", "--host=no..host"});
    EXPECT_EQ(result.status, Exited(1));
    EXPECT_EQ(result.errors.find("sequence-client: no..host port 5000: "), 0u) << result.errors;
    EXPECT_EQ(harness::SplitLines(result.errors).size(), 1u) << result.errors;
    EXPECT_EQ(Count(result.errors, "retry"), 0u) << result.errors;
}

TEST(Resilience, FallsBackFromAHostThatDoesNotExist) {
    Server server({"--test-mode"});
    Client client;
    const ProcessResult result = client.Run(
        {"NEW", "5", "5000", "--host=no..host",
         "--fallback=127.0.0.1:" + std::to_string(server.port()), "--retry-delay=0.001"});
    ExpectDelivered(result);
    EXPECT_EQ(Count(result.errors, "; retry 1 in "), 1u) << result.errors;
}

TEST(Resilience, ContinuesAfterTheClientWasKilled) {
    Server server({"--test-mode", "--tick=0.001"});
    Client client;
    auto killed = client.Start(NewWithId(1000, server.port(), {"--stream"}));
    ASSERT_TRUE(WaitForBatches(client, 20));
    killed->Signal(SIGKILL);
    EXPECT_EQ(killed->WaitForExit(), harness::Killed(SIGKILL));
    EXPECT_LT(Count(ReadStateFile(client), "NUM,"), 200u);
    const ProcessResult result = client.Run({"CONTINUE", std::to_string(server.port())});
    EXPECT_EQ(result.status, Exited(0)) << result.errors;
    EXPECT_EQ(result.output, kVerdict1000);
}

// A closed standard stream leaves its number free: neither the state file nor the connection may
// get it, or what the client prints ends up there.
TEST(Resilience, ClosedStandardStreamsGoNowhere) {
    Server server({"--test-mode"});
    for (const bool standard_input_is_closed : {false, true}) {
        SCOPED_TRACE(standard_input_is_closed);
        harness::ProcessOptions options;
        options.standard_input_is_closed = standard_input_is_closed;
        options.standard_output = harness::OutputMode::kClosed;
        Client client;
        const std::string port = std::to_string(server.port());
        EXPECT_EQ(client.Run({"NEW", "10", port, "--verbose"}, options).status, Exited(0));
        EXPECT_EQ(Count(ReadStateFile(client), "Received"), 0u) << ReadStateFile(client);
        ExpectDelivered(client.Run({"CONTINUE", port}));
    }
}

// Resumed within the time to live; refused after it, when the purge was logged.
TEST(Resilience, ResumesWithinTheTimeToLiveOnly) {
    Server server({"--test-mode", "--session-ttl=3"});
    const std::string cont = "CONT," + kId + ";";
    {
        Connection connection(server.port());
        EXPECT_EQ(connection.Ask("INIT," + kId + ",10,5;"), "ACK;");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    {
        Connection connection(server.port());
        EXPECT_EQ(connection.Ask(cont), "ACK;");
    }
    EXPECT_EQ(server.process().output(), "");
    ASSERT_TRUE(server.WaitForPurge(kId));
    Connection connection(server.port());
    EXPECT_EQ(connection.Ask(cont), "ERR,Client-id: " + kId + " does not exist;");
}

TEST(Resilience, TellsWhatIsWrongWithItsCommandLine) {
    Client client;
    const std::vector<std::vector<std::string>> cases = {
        {},
        {"OLD"},
        {"NEW", "65536"},
        {"NEW", "-1"},
        {"NEW", "x"},
        {"NEW", "5", "65536"},
        {"NEW", "5", "0"},
        {"CONTINUE", "0"},
        {"NEW", "5", "5000", "more"},
        {"CONTINUE", "5000", "more"},
        {"NEW", "--client-id=me"},
        {"NEW", "--batch-size=0"},
        {"NEW", "--fallback=localhost"},
        {"NEW", "--fallback=:5000"},
        {"NEW", "--fallback=localhost:0"},
        {"NEW", "--nonsense"},
    };
    for (const std::vector<std::string> &arguments : cases) {
        const ProcessResult result = client.Run(arguments);
        EXPECT_EQ(result.status, Exited(2)) << result.errors;
        EXPECT_EQ(Count(result.errors, "\n"), 1u) << result.errors;
        EXPECT_EQ(result.output, "");
    }
    EXPECT_EQ(client.Run({"CONTINUE"}).status, Exited(1)) << "there is nothing to continue";
    EXPECT_EQ(client.Run({"--help"}).status, Exited(0));
}

class ResilienceWithRedis : public testing::Test {
  protected:
    void SetUp() override {
        if (!RedisServer::IsInstalled()) {
            GTEST_SKIP() << "no Redis server (package redis-tools)";
        }
        redis_ = std::make_unique<RedisServer>();
    }

    std::vector<std::string> ServerArguments(std::vector<std::string> more = {}) const {
        more.insert(more.begin(), {"--test-mode", "--store=" + redis_->url()});
        return more;
    }

    std::unique_ptr<RedisServer> redis_;
};

TEST_F(ResilienceWithRedis, ContinuesAfterTheServerWasKilledAndRestarted) {
    auto server = std::make_unique<Server>(ServerArguments({"--tick=0.001"}));
    const std::uint16_t port = server->port();
    Client client;
    auto running = client.Start(
        NewWithId(1000, port, {"--stream", "--retry-delay=0.02", "--max-retries=1000"}));
    for (size_t batch_count : {20u, 80u, 140u}) {
        ASSERT_TRUE(WaitForBatches(client, batch_count));
        server->Kill();
        server = std::make_unique<Server>(ServerArguments({"--tick=0.001"}), port);
    }
    EXPECT_EQ(running->WaitForExit(), Exited(0)) << running->errors();
    EXPECT_EQ(running->output(), kVerdict1000);
    EXPECT_GE(Count(running->errors(), "; retry "), 3u);
}

TEST_F(ResilienceWithRedis, SaysOnceWhyItCannotStartWithIt) {
    harness::ProcessOptions options;
    options.arguments = {harness::ProgramPath("SEQUENCE_SERVER"), "--port=0",
                         "--store=" + redis_->url()};
    options.environment["REDIS_PASSWORD"] = "not asked for";
    const ProcessResult refused = harness::RunToEnd(options);
    EXPECT_EQ(refused.status, Exited(1));
    EXPECT_EQ(harness::SplitLines(refused.errors).size(), 1u) << refused.errors;
    EXPECT_EQ(harness::CountLinesWith(refused.errors, " error redis at 127.0.0.1:"), 1u);
    EXPECT_NE(refused.errors.find("AUTH"), std::string::npos) << refused.errors;
    redis_->Stop();
    const ProcessResult unreachable = harness::RunToEnd(options);
    EXPECT_EQ(unreachable.status, Exited(1));
    EXPECT_EQ(harness::SplitLines(unreachable.errors).size(), 1u) << unreachable.errors;
    EXPECT_NE(unreachable.errors.find(": Connection refused\n"), std::string::npos)
        << unreachable.errors;
}

TEST_F(ResilienceWithRedis, ContinuesAtAnotherServer) {
    Server first(ServerArguments({"--fail-every=300"}));
    Server second(ServerArguments());
    Client client;
    ProcessResult result = client.Run(NewWithId(1000, first.port(), {"--max-retries=0"}));
    EXPECT_EQ(result.status, Exited(1));
    result = client.Run({"CONTINUE", std::to_string(second.port())});
    EXPECT_EQ(result.status, Exited(0)) << result.errors;
    EXPECT_EQ(result.output, kVerdict1000);
}

TEST_F(ResilienceWithRedis, FallsBackToAnotherServerByItself) {
    Server first(ServerArguments({"--fail-every=300"}));
    Server second(ServerArguments({"--fail-every=200"}));
    Client client;
    const ProcessResult result = client.Run(NewWithId(
        1000, first.port(),
        {"--fallback=127.0.0.1:" + std::to_string(second.port()), "--retry-delay=0.001"}));
    EXPECT_EQ(result.status, Exited(0)) << result.errors;
    EXPECT_EQ(result.output, kVerdict1000);
}

TEST_F(ResilienceWithRedis, PurgesAsTheMemoryDoes) {
    Server server(ServerArguments({"--session-ttl=2"}));
    Client client;
    ExpectDelivered(client.Run(NewWithId(10, server.port(), {})));
    ExpectDelivered(client.Run({"CONTINUE", std::to_string(server.port())}));
    ASSERT_TRUE(server.WaitForPurge(kId));
    const ProcessResult result =
        client.Run({"CONTINUE", std::to_string(server.port()), "--verbose"});
    EXPECT_EQ(result.status, Exited(1));
    EXPECT_NE(result.output.find("ERR,Client-id: " + kId + " does not exist;"), std::string::npos);
    EXPECT_EQ(Count(server.process().output(), "Purging"), 1u);
}

// The connection lasts several times to live: the server must keep the session in Redis meanwhile.
TEST_F(ResilienceWithRedis, KeepsTheSessionOfALongConnection) {
    Server server(ServerArguments({"--session-ttl=1", "--tick=0.15"}));
    Connection connection(server.port());
    connection.Send("INIT," + kId + ",20,1;STREAM,0;");
    const std::string replies = connection.ReadToEnd();
    EXPECT_EQ(Count(replies, "NUM,"), 20u);
    Connection again(server.port());
    EXPECT_EQ(again.Ask("CONT," + kId + ";"), "ACK;");
}

TEST_F(ResilienceWithRedis, GoesOnWithoutRedisAndComesBack) {
    Server server(ServerArguments());
    Connection connected(server.port());
    EXPECT_EQ(connected.Ask("INIT," + kId + ",10,5;"), "ACK;");
    redis_->Stop();
    EXPECT_EQ(connected.Ask("RECV,0;"), "NUM,6:41:81:68:68;")
        << "a session needs no store meanwhile";
    Connection refused(server.port());
    refused.Send("INIT,00000000-0000-0000-0000-000000000001,1,1;");
    EXPECT_EQ(refused.ReadToEnd(), "ERR,Session store unavailable;");
    redis_->Restart();
    Client client;
    ExpectDelivered(client.Run({"NEW", "100", std::to_string(server.port())}));
}

} // namespace
