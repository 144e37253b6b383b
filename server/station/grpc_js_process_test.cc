// The server beside a client by @grpc/grpc-js. What the client does and expects is in
// grpc_js_peer.js.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "server/station/station_harness.h"
#include "testing/daemon.h"
#include "testing/process.h"

namespace station {
namespace {

// The distribution has no package of it: whoever has installed it says where by NODE_PATH.
TEST(GrpcJs, StreamsResumesCancelsAndSeesStatusesAndDeadlines) {
    const char *folder = std::getenv("NODE_PATH");
    const std::string modules = folder != nullptr ? folder : "/usr/share/nodejs";
    if (access("/usr/bin/node", X_OK) != 0 ||
        access((modules + "/@grpc/grpc-js").c_str(), R_OK) != 0) {
        GTEST_SKIP()
            << "no package of the distribution has @grpc/grpc-js: install nodejs, npm install "
               "@grpc/grpc-js, and have NODE_PATH name its node_modules";
    }
    Server server({"--tick=0"});
    harness::ProcessOptions options;
    options.arguments = {"/usr/bin/node", harness::ProgramPath("GRPC_JS_PEER"),
                         std::to_string(server.port())};
    options.environment = {{"NODE_PATH", modules}};
    harness::Process peer(options);
    EXPECT_EQ(peer.WaitForExit(4 * harness::kPatience), harness::Exited(0)) << peer.errors();
}

} // namespace
} // namespace station
