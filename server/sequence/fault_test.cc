// The server on an operating system that fails to order (server/runtime/os_faulty.h): what it
// cannot have at the start, or when it comes back from being offline.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "server/sequence/sequence_harness.h"
#include "testing/daemon.h"
#include "testing/process.h"

namespace {

using harness::CountLinesWith;
using sequence::Connection;
using sequence::kClientId;
using sequence::Server;

harness::ProcessOptions Faulty(const std::string &plan) {
    harness::ProcessOptions options;
    options.environment["OS_FAULT"] = plan;
    return options;
}

TEST(Fault, AStartThatFailsSaysWhy) {
    const struct {
        const char *plan, *reason;
    } cases[] = {
        {"epoll_control:1:ENOMEM", "cannot watch for signals: Cannot allocate memory"},
        {"socket:1:EMFILE", "cannot listen on 127.0.0.1 port 0: Too many open files"},
        {"epoll_control:2:ENOMEM", "cannot watch the port: Cannot allocate memory"},
        {"epoll_control:3:ENOMEM", "cannot watch the port: Cannot allocate memory"},
        {"eventfd:1:ENFILE", "cannot serve a single client: Too many open files in system"},
    };
    for (const auto &expected : cases) {
        SCOPED_TRACE(expected.plan);
        harness::ProcessOptions options = Faulty(expected.plan);
        options.arguments = {harness::ProgramPath("SEQUENCE_SERVER"), "--port=0",
                             "--bind=127.0.0.1", "--bind=127.0.0.2"};
        const harness::ProcessResult result = harness::RunToEnd(options);
        EXPECT_EQ(result.status, harness::Exited(1));
        EXPECT_EQ(CountLinesWith(result.errors, expected.reason), 1u) << result.errors;
        EXPECT_EQ(harness::SplitLines(result.errors).size(), 1u) << result.errors;
    }
}

// The calls before: epoll watches the signals, two ports and a client, and lets go of the last
// three.
TEST(Fault, TriesToComeBackAndSaysOnceWhyItCannot) {
    const struct {
        const char *plan, *reason;
    } cases[] = {
        {"socket:3:EADDRINUSE:3", "cannot listen on 127.0.0.1 port "},
        {"epoll_control:8:ENOMEM:3", "cannot watch the port: "},
        {"epoll_control:9:ENOMEM", "cannot watch the port: "},
    };
    const std::string id = kClientId;
    for (const auto &expected : cases) {
        SCOPED_TRACE(expected.plan);
        Server server({"--bind=127.0.0.1", "--bind=127.0.0.2", "--test-mode", "--fail-every=5",
                       "--offline-for=0.01"},
                      0, Faulty(expected.plan));
        Connection connection(server.port());
        connection.Send("INIT," + id + ",10,5;RECV,0;");
        EXPECT_EQ(connection.ReadToEnd(), "ACK;NUM,6:41:81:68:68;");
        ASSERT_TRUE(server.process().WaitForErrors(harness::HasLineWith("online again")));
        EXPECT_EQ(CountLinesWith(server.process().errors(), expected.reason), 1u)
            << server.process().errors();
        EXPECT_EQ(Connection(server.port()).Ask("CONT," + id + ";"), "ACK;");
    }
}

} // namespace
