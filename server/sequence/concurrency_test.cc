// A thousand clients at a time, each with a thousand numbers and a checksum of its own.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "server/sequence/sequence_harness.h"
#include "server/sessions/redis_server.h"

namespace {

using sequence::Server;
using sessions::RedisServer;

// Runs the load generator, which compares the checksums, against the server.
void ExpectAllDelivered(const Server &server, int client_count) {
    harness::ProcessOptions options;
    const char *path = std::getenv("SEQUENCE_LOAD");
    ASSERT_NE(path, nullptr);
    options.arguments = {path, "--port=" + std::to_string(server.port()),
                         "--clients=" + std::to_string(client_count), "--numbers=1000"};
    harness::Process load(options);
    EXPECT_EQ(load.WaitForExit(std::chrono::minutes(4)), harness::Exited(0)) << load.errors();
    EXPECT_EQ(load.output().find(std::to_string(client_count) + " clients done"), 0u)
        << load.output();
    printf("%s", load.output().c_str());
}

TEST(Concurrency, AThousandClientsInMemory) {
    sequence::RaiseDescriptorLimit();
    Server server;
    ExpectAllDelivered(server, 1000);
}

// Memory that was used once is used again: the second thousand costs nothing.
TEST(Concurrency, MemoryStaysFlat) {
    sequence::RaiseDescriptorLimit();
    Server server({"--max-connections=1000", "--max-sessions=2000", "--session-ttl=0.001"});
    ExpectAllDelivered(server, 1000);
    const size_t size_before = server.ResidentSize();
    ExpectAllDelivered(server, 1000);
    EXPECT_LE(server.ResidentSize(), size_before + (2 << 20));
}

TEST(Concurrency, AThousandClientsInRedis) {
    if (!RedisServer::IsInstalled()) {
        GTEST_SKIP() << "no Redis server (package redis-tools)";
    }
    sequence::RaiseDescriptorLimit();
    RedisServer redis;
    Server server({"--store=" + redis.url()});
    ExpectAllDelivered(server, 1000);
}

} // namespace
