// The numbers server as a process: started on a free port with its log in a fresh directory.
//
// The program's path comes from the environment variable NUMBERS_SERVER, which the test's target
// sets. Ownership: a NumbersServer owns its process and its directory; both are gone after the
// destructor. A sanitizer's report on the server's standard error fails the running test.
// Threading: as Process.
#ifndef SERVER_NUMBERS_NUMBERS_PROCESS_H_
#define SERVER_NUMBERS_NUMBERS_PROCESS_H_

#include <chrono>
#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/numbers/number_log.h"
#include "testing/daemon.h"
#include "testing/files.h"
#include "testing/patience.h"
#include "testing/process.h"
#include "testing/tcp_client.h"

namespace harness {

// Options of a process that runs the server's program with `arguments` and nothing else, in a
// known environment: without BUILD_WORKING_DIRECTORY and the variables that choose kernels.
ProcessOptions NumbersServerCommand(const std::vector<std::string> &arguments);

// The figures of one report line.
struct Report {
    std::uint64_t unique_count = 0;
    std::uint64_t duplicate_count = 0;
    std::uint64_t unique_total = 0;
};
inline bool operator==(const Report &left, const Report &right) {
    return left.unique_count == right.unique_count &&
           left.duplicate_count == right.duplicate_count && left.unique_total == right.unique_total;
}
std::ostream &operator<<(std::ostream &stream, const Report &report);

// The reports among the complete lines of `output`. A line that is no report, to the letter, fails
// the running test.
std::vector<Report> ParseReports(const std::string &output);

// The sums of the reports' counts, and the last total.
Report SumReports(const std::vector<Report> &reports);

class NumbersServer {
  public:
    // Starts the server with --port=0, --log in a fresh directory and then `arguments` (a later
    // --log or --port wins), and waits until it says that it listens. `base` brings everything
    // else: environment, limits, streams. Throws std::runtime_error with what the server wrote
    // when it does not start.
    explicit NumbersServer(const std::vector<std::string> &arguments = {},
                           ProcessOptions base = NumbersServerCommand({}));
    ~NumbersServer();

    Process &process() {
        return *process_;
    }
    const std::string &log_path() const {
        return log_path_;
    }
    const TemporaryDirectory &directory() const {
        return directory_;
    }
    std::uint16_t port() const {
        return port_;
    }

    // The port at another address that the arguments told it to bind to (in brackets for IPv6).
    std::uint16_t PortAt(const std::string &address) {
        return WaitForPort(process_.get(), address);
    }

    TcpClient Connect() const {
        return TcpClient(port_);
    }

    // A connection that has a place for certain: the server has read `bytes` from it.
    TcpClient ConnectServed(std::string_view bytes) const;

    // Sends `bytes` on a connection of its own, half-closes it, and waits for the server's answer,
    // with `patience` in each step.
    Ending Deliver(std::string_view bytes, std::chrono::milliseconds patience = kPatience) const;

    // The same from a thread of its own, for a server that holds the client back. The future waits
    // for that thread at its end, and so has to end before the server.
    std::future<Ending> DeliverMeanwhile(std::string bytes,
                                         std::chrono::milliseconds patience = kPatience) const;

    // Delivers until the server does not refuse it for want of a place.
    Ending DeliverWhenFree(std::string_view bytes) const;

    // Ends the server by SIGTERM or by a client's "terminate", and waits for its end.
    std::optional<ExitStatus> Stop();
    std::optional<ExitStatus> Terminate();

    // What the log holds now.
    std::vector<std::uint32_t> Log() const {
        return ReadNumberLog(log_path_);
    }

    // All reports up to now.
    std::vector<Report> Reports() const {
        return ParseReports(process_->output());
    }

  private:
    TemporaryDirectory directory_;
    std::string log_path_;
    std::unique_ptr<Process> process_;
    std::uint16_t port_ = 0;
};

} // namespace harness

#endif // SERVER_NUMBERS_NUMBERS_PROCESS_H_
