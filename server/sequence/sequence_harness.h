// What process tests of the sequence service need: the server, the client, and a connection that
// speaks the protocol by hand.
//
// The environment variables of the programs' paths are SEQUENCE_SERVER and SEQUENCE_CLIENT
// (program_harness.h, also for ownership and threading).
#ifndef SERVER_SEQUENCE_SEQUENCE_HARNESS_H_
#define SERVER_SEQUENCE_SEQUENCE_HARNESS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "server/sessions/program_harness.h"
#include "testing/process.h"
#include "testing/tcp_client.h"

namespace sequence {

using sessions::ExpectDelivered;
using sessions::kClientId;

class Server : public sessions::Server {
  public:
    explicit Server(const std::vector<std::string> &arguments = {}, std::uint16_t port = 0,
                    harness::ProcessOptions base = {});
    ~Server();

    // Waits for the line that says that the session was purged; false if it does not come.
    bool WaitForPurge(const std::string &client_id);

    // The server's resident memory in bytes.
    size_t ResidentSize() const;
};

class Client : public sessions::Client {
  public:
    Client() : sessions::Client("SEQUENCE_CLIENT", "sequence.state") {}
};

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
