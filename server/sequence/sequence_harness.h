// What process tests of the sequence service need: the server, the client, and a connection that
// speaks the protocol by hand.
//
// The programs' paths come from the environment variables SEQUENCE_SERVER and SEQUENCE_CLIENT,
// which the tests' targets set. Ownership: the objects own their processes and directories, which
// are gone after the destructor. Threading: as harness::Process.
#ifndef SERVER_SEQUENCE_SEQUENCE_HARNESS_H_
#define SERVER_SEQUENCE_SEQUENCE_HARNESS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "testing/files.h"
#include "testing/process.h"
#include "testing/tcp_client.h"

namespace sequence {

// The client-id of the published vectors.
extern const char kClientId[];

// A server on a port of 127.0.0.1. A sanitizer's report on its standard error fails the running
// test.
class Server {
  public:
    // Starts it with `arguments`, and waits until it listens. Port 0: any free one. `base` brings
    // everything else: environment, limits.
    explicit Server(const std::vector<std::string> &arguments = {}, std::uint16_t port = 0,
                    harness::ProcessOptions base = {});
    ~Server();

    std::uint16_t port() const {
        return port_;
    }
    harness::Process &process() {
        return *process_;
    }

    // Ends it by SIGTERM or SIGKILL and waits for its end.
    void Stop();
    void Kill();

    // Waits for the line that says that the session was purged; false if it does not come.
    bool WaitForPurge(const std::string &client_id);

    // The server's resident memory in bytes.
    size_t ResidentSize() const;

  private:
    std::unique_ptr<harness::Process> process_;
    std::uint16_t port_ = 0;
};

// A client and the directory that it runs in, so that CONTINUE finds the state of the run before.
class Client {
  public:
    // Runs it to its end with `arguments`; one that does not end is killed after ten minutes.
    // `base` brings everything else: its standard streams.
    harness::ProcessResult Run(const std::vector<std::string> &arguments,
                               const harness::ProcessOptions &base = {});

    // Starts it only.
    std::unique_ptr<harness::Process> Start(const std::vector<std::string> &arguments,
                                            const harness::ProcessOptions &base = {});

    std::string StatePath() const {
        return directory_.File("sequence.state");
    }

  private:
    harness::TemporaryDirectory directory_;
};

// Fails the running test unless the client succeeded: exit code 0 and a valid checksum.
void ExpectDelivered(const harness::ProcessResult &result);

// A connection to a server for tests that speak for themselves.
class Connection {
  public:
    explicit Connection(std::uint16_t port) : client_(port) {}

    // Sends all of it; false if the server has closed.
    bool Send(std::string_view bytes) {
        return client_.Send(bytes);
    }
    void HalfClose() {
        client_.HalfClose();
    }

    // The next message with its ';'; what there is, if the connection ends before.
    std::string ReadMessage();

    // Everything up to the server's orderly close; what came before it and "<RST>" or "<open>" if
    // it did not come.
    std::string ReadToEnd();

    // Send, then ReadMessage.
    std::string Ask(std::string_view request);

  private:
    harness::TcpClient client_;
    size_t read_size_ = 0; // of what was received, how much has been handed out
};

// Raises the soft limit of descriptors to the hard one; the processes started later inherit it.
void RaiseDescriptorLimit();

} // namespace sequence

#endif // SERVER_SEQUENCE_SEQUENCE_HARNESS_H_
