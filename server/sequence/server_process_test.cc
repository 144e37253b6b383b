// The server as a process, spoken to by hand: what a connection may do, its limits and its times.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "server/sequence/sequence_harness.h"
#include "testing/daemon.h"
#include "testing/http_client.h"
#include "testing/patience.h"
#include "testing/sanitizer.h"

namespace {

using sequence::Connection;
using sequence::kClientId;
using sequence::Server;

const std::string kId = kClientId;
const std::string kInit10 = "INIT," + kId + ",10,5;";
const std::string kCont = "CONT," + kId + ";";
const std::string kWhole10 = "ACK;NUM,6:41:81:68:68;NUM,41:10:40:78:98;"
                             "FAC,9b14501c5359fb4eac96df9e874348b2;";

std::string OtherId(unsigned number) {
    char text[64];
    snprintf(text, sizeof text, "00000000-0000-0000-0000-%012u", number);
    return text;
}

TEST(ServerProcess, ClosesInOrderAfterTheChecksum) {
    Server server({"--test-mode"});
    Connection connection(server.port());
    connection.Send(kInit10 + "RECV,0;RECV,1;FIN;");
    EXPECT_EQ(connection.ReadToEnd(), kWhole10);
}

TEST(ServerProcess, TellsItsFigures) {
    Server server({"--test-mode", "--http-port=0"});
    const std::uint16_t http_port = harness::WaitForHttpPort(&server.process());
    Connection connection(server.port());
    connection.Send(kInit10 + "RECV,0;RECV,1;FIN;");
    EXPECT_EQ(connection.ReadToEnd(), kWhole10);
    Connection missing(server.port());
    missing.Send("CONT," + OtherId(1) + ";");
    missing.ReadToEnd();
    std::string metrics;
    ASSERT_TRUE(harness::Await([&] {
        metrics = harness::HttpGet(http_port, "/metrics").body;
        return harness::MetricValue(metrics, "sessions_missing_total") == 1;
    }));
    EXPECT_EQ(harness::MetricValue(metrics, "sequence_numbers_total"), 10);
    EXPECT_EQ(harness::MetricValue(metrics, "sequence_clients_accepted_total"), 2);
    EXPECT_EQ(harness::MetricValue(metrics, "sessions_created_total"), 1);
    EXPECT_GE(harness::MetricValue(metrics, "sessions_store_duration_seconds_count"), 2);
    EXPECT_EQ(harness::HttpGet(http_port, "/readyz").body, "ready\n");
    EXPECT_EQ(harness::HttpGet(http_port, "/").code, 200);
}

TEST(ServerProcess, TakesOneByteAtATime) {
    Server server({"--test-mode"});
    Connection connection(server.port());
    for (char byte : kInit10 + "RECV,0;RECV,1;FIN;") {
        connection.Send(std::string(1, byte));
    }
    EXPECT_EQ(connection.ReadToEnd(), kWhole10);
}

TEST(ServerProcess, AnswersAClientThatHasHalfClosed) {
    Server server({"--test-mode"});
    Connection whole(server.port());
    whole.Send(kInit10 + "STREAM,0;");
    whole.HalfClose();
    EXPECT_EQ(whole.ReadToEnd(), kWhole10);
    Connection part(server.port());
    part.Send(kCont + "RECV,0;REC");
    part.HalfClose();
    EXPECT_EQ(part.ReadToEnd(), "ACK;NUM,6:41:81:68:68;");
}

TEST(ServerProcess, TakesTheTestModeFromTheEnvironmentToo) {
    harness::ProcessOptions options;
    options.environment["TEST_MODE"] = "1";
    Server server({}, 0, options);
    Connection connection(server.port());
    EXPECT_EQ(connection.Ask(kInit10 + "RECV,0;"), "ACK;");
    EXPECT_EQ(connection.ReadMessage(), "NUM,6:41:81:68:68;");
}

// A client that sends requests without reading the answers is held back, and gets all of them
// later.
TEST(ServerProcess, HoldsBackAClientThatDoesNotRead) {
    Server server({"--test-mode"});
    Connection connection(server.port());
    constexpr int kRequestCount = 100;
    std::string requests = "INIT," + kId + ",65535,65535;";
    for (int i = 0; i < kRequestCount; i++) {
        requests += "RECV,0;";
    }
    connection.Send(requests + "FIN;");
    const std::string replies = connection.ReadToEnd();
    EXPECT_EQ(std::count(replies.begin(), replies.end(), ';'), kRequestCount + 2);
    EXPECT_EQ(replies.substr(replies.size() - 37), "FAC,8dce03696fa07301720e07daf62ca2fa;");
}

TEST(ServerProcess, EndsAfterAMalformedOrUnexpectedMessage) {
    Server server({"--test-mode"});
    const std::vector<std::pair<std::string, std::string>> cases = {
        {"HELLO;", "ERR,Unknown message;"},
        {"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n;", "ERR,Unknown message;"},
        {std::string("\0\0\0;", 4), "ERR,Unknown message;"},
        {"\xff\xfe;", "ERR,Unknown message;"},
        {"INIT,me,5,5;", "ERR,Client-id is not a UUID;"},
        {"INIT," + kId + ",70000,5;",
         "ERR,Count of numbers must be 0 to 65535 without leading zeros;"},
        {"INIT," + kId + ",5,0;", "ERR,Batch size must be 1 to 65535 without leading zeros;"},
        {"INIT," + kId + ",5;", "ERR,Wrong number of fields;"},
        {"RECV,0;", "ERR,Unexpected message;"},
        {"STREAM,0;", "ERR,Unexpected message;"},
        {"FIN;", "ERR,Unexpected message;"},
        {kInit10 + kInit10, "ACK;ERR,Unexpected message;"},
        {kCont + "RECV,2;RECV,x;FIN;", "ACK;ERR,Invalid batch index requested: 2;ERR,Batch index "
                                       "must be a number without leading zeros;"},
        {std::string(64, 'x'), "ERR,Message too long;"},
    };
    for (const auto &[sent, answer] : cases) {
        Connection connection(server.port());
        connection.Send(sent);
        EXPECT_EQ(connection.ReadToEnd(), answer) << sent;
    }
}

// Ten megabytes without a ';' are answered, thrown away, and cost no memory.
TEST(ServerProcess, StaysSmallUnderOversizedMessages) {
    Server server;
    const auto flood = [&server] {
        Connection connection(server.port());
        connection.Send(std::string(10 << 20, 'x'));
        connection.HalfClose();
        return connection.ReadToEnd();
    };
    EXPECT_EQ(flood(), "ERR,Message too long;");
    const size_t size_before = server.ResidentSize();
    for (int i = 0; i < 10; i++) {
        EXPECT_EQ(flood(), "ERR,Message too long;");
    }
    EXPECT_LE(server.ResidentSize(), size_before + (1 << 20));
}

TEST(ServerProcess, TellsAConnectionTooManySo) {
    Server server({"--max-connections=2", "--test-mode"});
    Connection first(server.port());
    auto second = std::make_unique<Connection>(server.port());
    EXPECT_EQ(first.Ask(kInit10), "ACK;");
    EXPECT_EQ(second->Ask("INIT," + OtherId(1) + ",1,1;"), "ACK;");
    Connection third(server.port());
    third.Send("INIT," + OtherId(2) + ",1,1;");
    EXPECT_EQ(third.ReadToEnd(), "ERR,Too many connections;");
    // The place is free when the server has seen the end of the second: it says so by closing too.
    second->HalfClose();
    EXPECT_EQ(second->ReadToEnd(), "");
    Connection fourth(server.port());
    EXPECT_EQ(fourth.Ask("INIT," + OtherId(3) + ",1,1;"), "ACK;");
    EXPECT_EQ(first.Ask("RECV,1;"), "NUM,41:10:40:78:98;");
}

TEST(ServerProcess, LetsOnePeerNotTakeEverything) {
    Server server({"--max-per-peer=2", "--test-mode"});
    Connection first(server.port());
    auto second = std::make_unique<Connection>(server.port());
    EXPECT_EQ(first.Ask(kInit10), "ACK;");
    EXPECT_EQ(second->Ask("INIT," + OtherId(1) + ",1,1;"), "ACK;");
    Connection third(server.port());
    EXPECT_EQ(third.ReadToEnd(), "ERR,Too many connections from your address;");
    second->HalfClose();
    EXPECT_EQ(second->ReadToEnd(), "");
    Connection fourth(server.port());
    EXPECT_EQ(fourth.Ask("INIT," + OtherId(3) + ",1,1;"), "ACK;");
}

// Sessions outlive the connections that made them, and are counted too.
TEST(ServerProcess, LetsOnePeerNotMakeEverySession) {
    Server server({"--max-per-peer=1", "--test-mode"});
    const auto ask = [&server](const std::string &request) {
        Connection connection(server.port());
        connection.Send(request);
        connection.HalfClose();
        return connection.ReadToEnd();
    };
    for (unsigned i = 0; i < 16; i++) {
        ASSERT_EQ(ask("INIT," + OtherId(i) + ",1,1;"), "ACK;");
    }
    EXPECT_EQ(ask("INIT," + OtherId(16) + ",1,1;"), "ERR,Too many sessions from your address;");
    EXPECT_EQ(ask("CONT," + OtherId(0) + ";RECV,0;").substr(0, 8), "ACK;NUM,");
}

// What it has not taken goes with it, and does not stay in the kernel.
TEST(ServerProcess, ResetsAConnectionThatTakesNothing) {
    Server server({"--idle-timeout=0.3", "--test-mode"});
    Connection silent(server.port());
    std::string requests = "INIT," + kId + ",65535,65535;";
    for (int i = 0; i < 200; i++) {
        requests += "RECV,0;";
    }
    ASSERT_TRUE(silent.Send(requests));
    // Nothing is read until others that came later, one after the other, were idle for as long.
    for (unsigned i = 1; i <= 2; i++) {
        Connection other(server.port());
        EXPECT_EQ(other.Ask("INIT," + OtherId(i) + ",1,1;"), "ACK;");
        EXPECT_EQ(other.ReadToEnd(), "");
    }
    const std::string received = silent.ReadToEnd();
    EXPECT_EQ(received.substr(received.size() - 5), "<RST>");
}

// Sixty clients and forty descriptors: some wait in the backlog until others have gone, and nobody
// is lost.
TEST(ServerProcess, GoesOnWhenTheDescriptorsRunOut) {
    if (harness::kIsUnderValgrind) {
        GTEST_SKIP() << "valgrind needs more descriptors than that to start a program";
    }
    constexpr unsigned kClientCount = 60;
    constexpr rlim_t kDescriptorCount = 40;
    harness::ProcessOptions options;
    options.limits = {{RLIMIT_NOFILE, {kDescriptorCount, kDescriptorCount}}};
    Server server({}, 0, options);
    std::vector<Connection> connections;
    for (unsigned i = 0; i < kClientCount; i++) {
        connections.emplace_back(server.port());
        connections.back().Send("INIT," + OtherId(i) + ",1,1;");
    }
    ASSERT_TRUE(server.process().WaitForErrors(harness::HasLineWith("cannot accept a client")));
    for (unsigned i = 0; i < kClientCount; i++) {
        EXPECT_EQ(connections[i].ReadMessage(), "ACK;") << "client " << i;
        connections[i].HalfClose();
    }
}

// A server with room for `count` descriptors. The shell sets the limit, because the harness needs
// more than that before the program runs; what it inherited below the limit is closed.
harness::ProcessOptions WithDescriptors(unsigned count) {
    harness::ProcessOptions options;
    options.arguments = {"/bin/sh",
                         "-c",
                         "exec 3>&- 4>&- 5>&- 6>&-; ulimit -n \"$0\" && exec \"$@\"",
                         std::to_string(count),
                         harness::ProgramPath("SEQUENCE_SERVER"),
                         "--port=0",
                         "--max-connections=1"};
    return options;
}

// With each limit something else is what there is no descriptor for; 7 let one client in.
TEST(ServerProcess, DoesNotStartWithoutADescriptorForAClient) {
    if (harness::kIsUnderValgrind) {
        GTEST_SKIP() << "valgrind needs more descriptors than that to start a program";
    }
    const std::vector<std::pair<unsigned, std::string>> cases = {
        {4, "cannot make room for 1 connections"},
        {5, "cannot listen on 127.0.0.1 port 0"},
        {6, "cannot serve a single client"},
    };
    for (const auto &[count, failure] : cases) {
        const harness::ProcessResult result = harness::RunToEnd(WithDescriptors(count));
        EXPECT_EQ(result.status, harness::Exited(1));
        EXPECT_EQ(harness::CountLinesWith(result.errors, failure + ": Too many open files"), 1u)
            << result.errors;
    }
    harness::Process server(WithDescriptors(7));
    ASSERT_TRUE(server.WaitForErrors(harness::HasLineWith("listening on 127.0.0.1:")))
        << server.errors();
    const std::uint16_t port = harness::FindListeningPort(server.errors(), "127.0.0.1");
    EXPECT_EQ(Connection(port).Ask(kInit10), "ACK;");
    server.Signal(SIGTERM);
    EXPECT_EQ(server.WaitForExit(), harness::Exited(0)) << server.errors();
    harness::ExpectNoSanitizerReport(server.errors());
}

TEST(ServerProcess, TellsASessionTooManySo) {
    Server server({"--max-sessions=3"});
    for (unsigned i = 0; i < 3; i++) {
        Connection connection(server.port());
        EXPECT_EQ(connection.Ask("INIT," + OtherId(i) + ",1,1;"), "ACK;");
    }
    Connection connection(server.port());
    connection.Send("INIT," + OtherId(3) + ",1,1;");
    EXPECT_EQ(connection.ReadToEnd(), "ERR,Too many sessions;");
}

TEST(ServerProcess, ClosesAnIdleConnection) {
    Server server({"--idle-timeout=0.1", "--test-mode"});
    Connection silent(server.port());
    EXPECT_EQ(silent.ReadToEnd(), "");
    Connection connection(server.port());
    EXPECT_EQ(connection.Ask(kInit10), "ACK;");
    EXPECT_EQ(connection.ReadToEnd(), "");
    Connection again(server.port());
    EXPECT_EQ(again.Ask(kCont), "ACK;");
}

// However busy it is.
TEST(ServerProcess, CutsASessionOffAfterItsTime) {
    Server server({"--session-timeout=0.2", "--test-mode"});
    Connection connection(server.port());
    EXPECT_EQ(connection.Ask(kInit10), "ACK;");
    std::string reply;
    int reply_count = 0;
    while ((reply = connection.Ask("RECV,0;")) == "NUM,6:41:81:68:68;") {
        reply_count++;
    }
    EXPECT_GT(reply_count, 0);
    EXPECT_EQ(reply, "");
    Connection again(server.port());
    EXPECT_EQ(again.Ask(kCont), "ACK;");
}

// The idle timeout does not count while it is the server that makes the client wait.
TEST(ServerProcess, PushesWithTheTick) {
    Server server({"--tick=0.15", "--idle-timeout=0.1", "--test-mode"});
    Connection connection(server.port());
    connection.Send(kInit10 + "STREAM,0;");
    EXPECT_EQ(connection.ReadToEnd(), kWhole10);
}

TEST(ServerProcess, LetsTwoConnectionsShareASession) {
    Server server({"--test-mode", "--session-ttl=0.1"});
    auto first = std::make_unique<Connection>(server.port());
    Connection second(server.port());
    EXPECT_EQ(first->Ask(kInit10), "ACK;");
    EXPECT_EQ(second.Ask(kCont), "ACK;");
    first->HalfClose();
    EXPECT_EQ(first->ReadToEnd(), "");
    // The session lives on with the second connection; another one shows that its time would be
    // over.
    Connection witness(server.port());
    EXPECT_EQ(witness.Ask("INIT," + OtherId(1) + ",1,1;"), "ACK;");
    witness.HalfClose();
    EXPECT_EQ(witness.ReadToEnd(), "");
    ASSERT_TRUE(server.WaitForPurge(OtherId(1)));
    EXPECT_EQ(second.Ask("RECV,1;"), "NUM,41:10:40:78:98;");
    second.HalfClose();
    EXPECT_EQ(second.ReadToEnd(), "");
    ASSERT_TRUE(server.WaitForPurge(kId));
}

// A closed standard stream leaves its number free: no socket may get it, or what the server prints
// ends up at a client or at Redis.
TEST(ServerProcess, ClosedStandardStreamsGoNowhere) {
    harness::ProcessOptions options;
    options.standard_input_is_closed = true;
    options.standard_output = harness::OutputMode::kClosed;
    Server server({}, 0, options);
    const std::string descriptors = "/proc/" + std::to_string(server.process().pid()) + "/fd/";
    for (const char *stream : {"0", "1"}) {
        EXPECT_EQ(std::filesystem::read_symlink(descriptors + stream), "/dev/null") << stream;
    }
}

// The line about the purged session is left out.
TEST(ServerProcess, GoesOnWhenNobodyReadsItsOutput) {
    harness::ProcessOptions options;
    options.standard_output = harness::OutputMode::kFullPipe;
    Server server({"--session-ttl=0.01"}, 0, options);
    const auto create = [&server] { return Connection(server.port()).Ask(kInit10); };
    EXPECT_EQ(create(), "ACK;");
    EXPECT_TRUE(harness::Await([&] { return create() == "ACK;"; })) << "it is not purged";
    server.Stop();
}

TEST(ServerProcess, EndsAtASignalWithClientsConnected) {
    Server server({"--test-mode"});
    Connection connection(server.port());
    EXPECT_EQ(connection.Ask(kInit10), "ACK;");
    server.Stop();
    EXPECT_EQ(connection.ReadToEnd(), "");
    EXPECT_EQ(harness::CountLinesWith(server.process().errors(), "shutting down: Terminated"), 1u)
        << server.process().errors();
}

} // namespace
