// The server beside a client by gRPC's own library. What the client does and expects is in
// grpcio_peer.py.
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <memory>
#include <string>
#include <vector>

#include "server/sessions/redis_server.h"
#include "server/station/station_harness.h"
#include "testing/daemon.h"
#include "testing/files.h"
#include "testing/patience.h"

namespace station {
namespace {

class Grpcio : public testing::Test {
  protected:
    void SetUp() override {
        harness::ProcessOptions probe;
        probe.arguments = {"/usr/bin/python3", "-c", "import grpc, google.protobuf"};
        const harness::ProcessResult result = harness::RunToEnd(probe);
        if (result.status != harness::Exited(0)) {
            GTEST_SKIP() << "install python3-grpcio and python3-protobuf for gRPC's own client";
        }
    }

    static std::unique_ptr<harness::Process> Start(const std::string &scenario, std::uint16_t port,
                                                   std::uint16_t other_port = 0) {
        harness::ProcessOptions options;
        options.arguments = {"/usr/bin/python3",
                             harness::ProgramPath("GRPCIO_PEER"),
                             harness::ProgramPath("STATION_PROTOS"),
                             std::to_string(port),
                             scenario,
                             std::to_string(other_port)};
        return std::make_unique<harness::Process>(options);
    }

    static void ExpectSuccess(harness::Process *peer) {
        EXPECT_EQ(peer->WaitForExit(4 * harness::kPatience), harness::Exited(0)) << peer->errors();
    }

    // Runs a scenario against a server of its own.
    static void Run(const std::string &scenario, const std::vector<std::string> &arguments) {
        Server server(arguments);
        ExpectSuccess(Start(scenario, server.port()).get());
    }

    // Ends the server while the peer's scenario is under way.
    static void RunAndDrain(const std::string &scenario,
                            const std::vector<std::string> &arguments) {
        Server server(arguments);
        const std::unique_ptr<harness::Process> peer = Start(scenario, server.port());
        ASSERT_TRUE(peer->WaitForOutput(harness::HasLineWith("READY"))) << peer->errors();
        server.Stop();
        ExpectSuccess(peer.get());
    }
};

TEST_F(Grpcio, StreamsAndResumes) {
    Run("stream", {"--tick=0"});
}

TEST_F(Grpcio, GetsNumbersAsTheOriginalClientDoes) {
    Run("get_numbers", {"--tick=0"});
}

TEST_F(Grpcio, GetNumbersGoesOnAtTheServersPosition) {
    Run("position", {"--tick=0.5"});
}

TEST_F(Grpcio, SeesEachStatus) {
    Run("statuses", {"--tick=0"});
}

TEST_F(Grpcio, SeesALimitReached) {
    Run("exhausted", {"--tick=0", "--max-sessions=2"});
}

TEST_F(Grpcio, CancelsAtEachMessage) {
    Run("cancel", {"--tick=0"});
}

TEST_F(Grpcio, ADeadlineEndsAStreamThatWaits) {
    Run("deadline", {"--tick=1"});
}

TEST_F(Grpcio, AThousandCallsOnOneConnection) {
    Run("many", {"--tick=0"});
}

TEST_F(Grpcio, ManyConnectionsAtOnce) {
    Run("concurrent", {"--tick=0"});
}

TEST_F(Grpcio, ChecksAndWatchesHealth) {
    Run("health", {});
}

TEST_F(Grpcio, CallsWithoutAProtoFile) {
    Run("reflection", {"--tick=0"});
}

TEST_F(Grpcio, AStreamIsDrained) {
    RunAndDrain("drain", {"--tick=0.2", "--drain=3"});
}

TEST_F(Grpcio, AStreamThatIsTooLongIsEnded) {
    RunAndDrain("drain_late", {"--tick=0.2", "--drain=0.6"});
}

TEST_F(Grpcio, FailsAtEachNthMessage) {
    Run("fail_every", {"--tick=0", "-failEvery", "7"});
}

TEST_F(Grpcio, IsOfflineAndComesBack) {
    Run("offline", {"--tick=0", "-failEvery=3", "-goOfflineFor", "1"});
}

TEST_F(Grpcio, AStaleSessionIsRefused) {
    Server server({"--tick=0.05", "--session-ttl=0.2", "--tombstone-ttl=600"});
    harness::ProcessOptions options;
    const std::string go = "while ! test -e go; do sleep 0.02; done; echo";
    harness::TemporaryDirectory directory;
    options.working_directory = directory.path();
    options.arguments = {"/bin/sh", "-c",
                         "(" + go + ") | exec /usr/bin/python3 " +
                             harness::ProgramPath("GRPCIO_PEER") + " " +
                             harness::ProgramPath("STATION_PROTOS") + " " +
                             std::to_string(server.port()) + " stale"};
    harness::Process peer(options);
    ASSERT_TRUE(peer.WaitForOutput(harness::HasLineWith("READY"))) << peer.errors();
    ASSERT_TRUE(server.process().WaitForOutput(harness::HasLineWith("Purging client info for: ")));
    harness::WriteFile(directory.File("go"), "");
    ExpectSuccess(&peer);
}

TEST_F(Grpcio, ThroughNginx) {
    if (access("/usr/sbin/nginx", X_OK) != 0) {
        GTEST_SKIP() << "install nginx-light for a proxy (grpc_pass)";
    }
    Server server({"--tick=0"});
    harness::TemporaryDirectory directory;
    harness::WriteFile(directory.File("nginx.conf"),
                       "daemon off; master_process off; user root root; pid nginx.pid;\n"
                       "error_log stderr;\n"
                       "events {}\n"
                       "http { access_log off; client_body_temp_path a; proxy_temp_path b;\n"
                       "fastcgi_temp_path c; uwsgi_temp_path d; scgi_temp_path e;\n"
                       "server { listen unix:./nginx.sock http2; keepalive_requests 100000;\n"
                       "location / { grpc_pass grpc://127.0.0.1:" +
                           std::to_string(server.port()) + "; } } }\n");
    harness::ProcessOptions options;
    options.working_directory = directory.path();
    options.arguments = {"/usr/sbin/nginx", "-p", ".", "-c", "nginx.conf"};
    harness::Process nginx(options);
    ASSERT_TRUE(harness::Await([&directory] {
        return access(directory.File("nginx.sock").c_str(), F_OK) == 0;
    })) << nginx.errors();
    for (const char *scenario : {"stream", "get_numbers", "cancel", "health"}) {
        options.arguments = {"/usr/bin/python3", harness::ProgramPath("GRPCIO_PEER"),
                             harness::ProgramPath("STATION_PROTOS"), "./nginx.sock", scenario};
        harness::Process peer(options);
        ExpectSuccess(&peer);
    }
}

TEST_F(Grpcio, TwoServersShareTheirSessions) {
    if (!sessions::RedisServer::IsInstalled()) {
        GTEST_SKIP() << "install redis-tools for a Redis of the test's own";
    }
    sessions::RedisServer redis;
    Server one({"--tick=0.2", "--store=" + redis.url()});
    Server other({"--tick=0.2", "--store=" + redis.url()});
    ExpectSuccess(Start("two_servers", one.port(), other.port()).get());
}

} // namespace
} // namespace station
