// What process tests of the services of sessions share: a server and its client.
//
// The programs' paths come from the environment variables that the tests' targets set. Ownership:
// the objects own their processes and directories, which are gone after the destructor. Threading:
// as harness::Process.
#ifndef SERVER_SESSIONS_PROGRAM_HARNESS_H_
#define SERVER_SESSIONS_PROGRAM_HARNESS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "testing/files.h"
#include "testing/process.h"

namespace sessions {

// The client-id of the published vectors.
inline constexpr char kClientId[] = "123e4567-e89b-12d3-a456-426614174000";

// A server on a port of 127.0.0.1. A sanitizer's report on its standard error fails the running
// test.
class Server {
  public:
    // Starts the program that `variable` names with `arguments`, and waits until it listens. Port
    // 0: any free one. `base` brings everything else: environment, limits.
    Server(const char *variable, const std::vector<std::string> &arguments, std::uint16_t port,
           harness::ProcessOptions base = {});
    // Waits for its end, which a derived class has asked for.
    ~Server();

    std::uint16_t port() const {
        return port_;
    }
    harness::Process &process() {
        return process_;
    }

    // Ends it by SIGTERM or SIGKILL and waits for its end.
    void Stop();
    void Kill();

  protected:
    harness::Process process_;
    std::uint16_t port_;
};

// A client and the directory that it runs in, so that CONTINUE finds the state of the run before.
class Client {
  public:
    Client(const char *variable, const char *state_name)
        : variable_(variable), state_name_(state_name) {}

    // Runs it to its end with `arguments`; one that does not end is killed after ten minutes.
    // `base` brings everything else: its standard streams.
    harness::ProcessResult Run(const std::vector<std::string> &arguments,
                               const harness::ProcessOptions &base = {});

    // Starts it only.
    std::unique_ptr<harness::Process> Start(const std::vector<std::string> &arguments,
                                            const harness::ProcessOptions &base = {});

    std::string StatePath() const {
        return directory_.File(state_name_);
    }

  private:
    const char *variable_;
    const char *state_name_;
    harness::TemporaryDirectory directory_;
};

// Fails the running test unless the client succeeded: exit code 0 and a valid checksum.
void ExpectDelivered(const harness::ProcessResult &result);

} // namespace sessions

#endif // SERVER_SESSIONS_PROGRAM_HARNESS_H_
