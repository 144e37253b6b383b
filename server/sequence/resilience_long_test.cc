// What resilience_test.cc does with compressed times, at the real ones: five minutes, most of them
// waiting.
//
//   bazel test //server/sequence:resilience_long_test
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "server/sequence/sequence_harness.h"
#include "server/sessions/redis_server.h"

namespace {

using sequence::Client;
using sequence::Connection;
using sequence::ExpectDelivered;
using sequence::kClientId;
using sequence::Server;
using sessions::RedisServer;

const std::string kId = kClientId;

TEST(ResilienceLong, GetsThroughAServerThatIsOfflineForASecondAtEverySeventhNumber) {
    Server server({"--fail-every=7", "--offline-for=1"});
    Client client;
    ExpectDelivered(client.Run({"NEW", "1000", std::to_string(server.port())}));
}

// The default time to live is 30 s.
void ExpectResumedAt29AndRefusedAt31Seconds(Server *server) {
    const auto cont_after = [server](std::chrono::seconds delay) {
        std::this_thread::sleep_for(delay);
        Connection connection(server->port());
        return connection.Ask("CONT," + kId + ";");
    };
    {
        Connection connection(server->port());
        EXPECT_EQ(connection.Ask("INIT," + kId + ",10,5;"), "ACK;");
    }
    EXPECT_EQ(cont_after(std::chrono::seconds(29)), "ACK;");
    EXPECT_EQ(cont_after(std::chrono::seconds(31)), "ERR,Client-id: " + kId + " does not exist;");
    EXPECT_EQ(server->process().output(), "Purging client info for: " + kId + "\n");
}

TEST(ResilienceLong, ResumesAt29SecondsAndRefusesAt31) {
    Server server;
    ExpectResumedAt29AndRefusedAt31Seconds(&server);
}

TEST(ResilienceLong, ResumesAt29SecondsAndRefusesAt31WithRedis) {
    if (!RedisServer::IsInstalled()) {
        GTEST_SKIP() << "no Redis server (package redis-tools)";
    }
    RedisServer redis;
    Server server({"--store=" + redis.url()});
    ExpectResumedAt29AndRefusedAt31Seconds(&server);
}

} // namespace
