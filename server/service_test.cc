// Every daemon as a service manager meets it: it says when it serves, that its loop turns, and that
// it ends; and it takes the sockets that the manager has opened.
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "testing/daemon.h"
#include "testing/files.h"
#include "testing/loopback.h"
#include "testing/notify_socket.h"
#include "testing/process.h"
#include "testing/tcp_client.h"
#include "gtest/gtest.h"

namespace {

struct Daemon {
    const char *name;
    const char *variable; // has its path
    std::vector<std::string> arguments;
    std::vector<std::string> sockets; // what the manager calls them
    const char *status;               // a line that it says by itself
};

std::vector<Daemon> Daemons() {
    return {
        {"numbers",
         "NUMBERS_SERVER",
         {"--port=0", "--report-interval=0.05"},
         {"numbers"},
         "STATUS=Received 0 unique numbers, 0 duplicates. Unique total: 0"},
        {"sequence", "SEQUENCE_SERVER", {"--port=0"}, {"sequence"}, "STATUS=Serving."},
        {"records",
         "RECORDS_SERVER",
         {"--ingest-port=0", "--query-port=0"},
         {"ingest", "query"},
         "STATUS=Serving."},
        {"station", "STATION_SERVER", {"--port=0"}, {"station"}, "STATUS=Serving."},
    };
}

// A socket of 127.0.0.1 that listens, with a number above those of activation, for a child.
class ListeningSocket {
  public:
    ListeningSocket() {
        const int fd = harness::ListenOnLoopback();
        port_ = harness::PortOf(fd);
        descriptor_ = fcntl(fd, F_DUPFD, 64);
        close(fd);
    }
    ~ListeningSocket() {
        close(descriptor_);
    }
    ListeningSocket(const ListeningSocket &) = delete;
    ListeningSocket &operator=(const ListeningSocket &) = delete;

    int descriptor() const {
        return descriptor_;
    }
    std::uint16_t port() const {
        return port_;
    }

  private:
    int descriptor_;
    std::uint16_t port_;
};

class ServiceTest : public testing::TestWithParam<Daemon> {
  protected:
    harness::ProcessOptions Options() const {
        harness::ProcessOptions options;
        options.arguments = {harness::ProgramPath(GetParam().variable)};
        options.arguments.insert(options.arguments.end(), GetParam().arguments.begin(),
                                 GetParam().arguments.end());
        options.working_directory = directory_.path();
        return options;
    }

    // The same, started as a manager does that hands over `descriptors`.
    harness::ProcessOptions ActivatedOptions(const std::vector<int> &descriptors,
                                             const std::string &names) const {
        std::string script;
        for (size_t index = 0; index < descriptors.size(); ++index) {
            script += "exec " + std::to_string(3 + index) + "<&" +
                      std::to_string(descriptors[index]) + "; ";
        }
        script += "LISTEN_PID=$$ LISTEN_FDS=" + std::to_string(descriptors.size()) +
                  " LISTEN_FDNAMES=" + names + " exec \"$@\"";
        harness::ProcessOptions options = Options();
        options.arguments.insert(options.arguments.begin(), {"/bin/bash", "-c", script, "bash"});
        return options;
    }

    harness::TemporaryDirectory directory_;
};

TEST_P(ServiceTest, TellsTheManagerHowItIs) {
    harness::NotifySocket manager(harness::NotifySocket::FreshName());
    harness::ProcessOptions options = Options();
    options.environment = {{"NOTIFY_SOCKET", manager.name()}, {"WATCHDOG_USEC", "100000"}};
    harness::Process process(options);
    EXPECT_TRUE(manager.Await("READY=1")) << process.errors();
    ASSERT_EQ(manager.messages().size(), 1u) << "nothing comes before";
    harness::TcpClient client(harness::WaitForPort(&process));
    EXPECT_TRUE(manager.Await("WATCHDOG=1"));
    EXPECT_TRUE(manager.Await("WATCHDOG=1"));
    bool has_status = false;
    for (const std::string &message : manager.messages()) {
        has_status = has_status || message.find(GetParam().status) != std::string::npos;
    }
    EXPECT_TRUE(has_status || manager.Await(GetParam().status));
    process.Signal(SIGTERM);
    EXPECT_TRUE(manager.Await("STOPPING=1"));
    EXPECT_EQ(process.WaitForExit(), harness::Exited(0)) << process.errors();
    harness::ExpectNoSanitizerReport(process.errors());
}

TEST_P(ServiceTest, ServesAtTheSocketsOfTheManager) {
    const std::vector<std::string> &names = GetParam().sockets;
    std::vector<ListeningSocket> sockets(names.size());
    std::vector<int> descriptors;
    std::string list;
    for (size_t index = 0; index < names.size(); ++index) {
        descriptors.push_back(sockets[index].descriptor());
        list += (index == 0 ? "" : ":") + names[index];
    }
    // Who comes before the daemon is there waits for it.
    harness::TcpClient early(sockets[0].port());
    harness::Process process(ActivatedOptions(descriptors, list));
    for (const ListeningSocket &socket : sockets) {
        const std::string line = "listening on 127.0.0.1:" + std::to_string(socket.port());
        EXPECT_TRUE(process.WaitForErrors(harness::HasLineWith(line))) << process.errors();
    }
    early.HalfClose();
    EXPECT_NE(early.WaitForEnding(), harness::Ending::kNone) << "nobody has accepted it";
    process.Signal(SIGTERM);
    EXPECT_EQ(process.WaitForExit(), harness::Exited(0)) << process.errors();
    harness::ExpectNoSanitizerReport(process.errors());
}

TEST_P(ServiceTest, RefusesWhatIsNoSocket) {
    const int file = fcntl(STDIN_FILENO, F_DUPFD, 64);
    std::vector<int> descriptors(GetParam().sockets.size(), file);
    std::string list = GetParam().sockets[0];
    list += descriptors.size() > 1 ? ":" + GetParam().sockets[1] : "";
    const harness::ProcessResult result = harness::RunToEnd(ActivatedOptions(descriptors, list));
    close(file);
    EXPECT_EQ(result.status, harness::Exited(1)) << result.errors;
    EXPECT_EQ(harness::CountLinesWith(result.errors, "cannot use the sockets"), 1u)
        << result.errors;
}

INSTANTIATE_TEST_SUITE_P(Daemons, ServiceTest, testing::ValuesIn(Daemons()),
                         [](const auto &instance) { return std::string(instance.param.name); });

} // namespace
