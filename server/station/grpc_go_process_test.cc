// The server beside a client by grpc-go, which is built by the test. What the client does and
// expects is in grpc_go_peer.go.
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "server/station/station_harness.h"
#include "testing/daemon.h"
#include "testing/files.h"
#include "testing/process.h"

namespace station {
namespace {

class GrpcGo : public testing::Test {
  protected:
    void SetUp() override {
        if (access("/usr/bin/go", X_OK) != 0 ||
            access("/usr/share/gocode/src/google.golang.org/grpc", R_OK) != 0) {
            GTEST_SKIP() << "install golang-go and golang-google-grpc-dev for a client by grpc-go";
        }
        harness::ProcessOptions options;
        options.arguments = {"/usr/bin/go", "build", "-o", directory_.File("peer"),
                             harness::ProgramPath("GRPC_GO_PEER")};
        options.environment = {{"GO111MODULE", "off"},
                               {"CGO_ENABLED", "0"},
                               {"GOPATH", "/usr/share/gocode"},
                               {"GOCACHE", directory_.File("cache")}};
        harness::Process build(options);
        ASSERT_EQ(build.WaitForExit(20 * harness::kPatience), harness::Exited(0)) << build.errors();
    }

    void Run(const std::string &scenario, const std::vector<std::string> &arguments) {
        Server server(arguments);
        harness::ProcessOptions options;
        options.arguments = {directory_.File("peer"), std::to_string(server.port()), scenario};
        harness::Process peer(options);
        EXPECT_EQ(peer.WaitForExit(4 * harness::kPatience), harness::Exited(0)) << peer.errors();
    }

    harness::TemporaryDirectory directory_;
};

// One test, because the building takes long.
TEST_F(GrpcGo, StreamsResumesCancelsAndSeesStatusesAndDeadlines) {
    Run("fast", {"--tick=0"});
    Run("ticking", {"--tick=1"});
}

} // namespace
} // namespace station
