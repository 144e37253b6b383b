// What process tests of the station need: the server, the client, and a connection that speaks
// HTTP/2 frame by frame.
//
// The environment variables of the programs' paths are STATION_SERVER and STATION_CLIENT
// (program_harness.h, also for ownership and threading).
#ifndef SERVER_STATION_STATION_HARNESS_H_
#define SERVER_STATION_STATION_HARNESS_H_

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "server/sessions/program_harness.h"
#include "testing/tcp_client.h"

namespace station {

using sessions::ExpectDelivered;
using sessions::kClientId;

class Server : public sessions::Server {
  public:
    explicit Server(const std::vector<std::string> &arguments = {}, std::uint16_t port = 0);
    ~Server();

    // Its resident memory in KiB: now, and at its highest.
    size_t ResidentKib() const;
    size_t HighestKib() const;
};

class Client : public sessions::Client {
  public:
    Client() : sessions::Client("STATION_CLIENT", "station.state") {}
};

enum FrameType : std::uint8_t {
    kData = 0,
    kHeaders = 1,
    kPriority = 2,
    kRstStream = 3,
    kSettings = 4,
    kPing = 6,
    kGoaway = 7,
    kWindowUpdate = 8,
    kContinuation = 9,
};

enum FrameFlag : std::uint8_t {
    kNoFlags = 0,
    kEndStream = 1,
    kAck = 1,
    kEndHeaders = 4,
    kPadded = 8
};

struct Frame {
    std::uint8_t type;
    std::uint8_t flags;
    std::uint32_t stream;
    std::string payload;
};

std::string MakeFrame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream,
                      const std::string &payload);

using Headers = std::vector<std::pair<std::string, std::string>>;

// A header block without compression.
std::string MakeHeaderBlock(const Headers &headers);

// The headers of a call of `path`.
Headers CallHeaders(const std::string &path);

// HEADERS and DATA of a call with one message.
std::string MakeCall(std::uint32_t stream, const std::string &path, const std::string &message);

// The messages of station.v1.
std::string SequenceRequest(const std::string &client_id, std::uint32_t argument);

// A connection that sends what it is told to, whatever that is.
class Connection {
  public:
    // Sends the preface and SETTINGS unless it is told not to.
    explicit Connection(std::uint16_t port, bool sends_preface = true);

    // False if the server has closed.
    bool Send(const std::string &bytes) {
        return client_.Send(bytes);
    }

    // Waits until a frame came that `matches`, and returns the first one. Fails the running test if
    // none comes.
    Frame Await(const std::function<bool(const Frame &)> &matches);

    // All frames that came.
    std::vector<Frame> Frames() const;

    // Waits for the end of the connection, whatever it looks like. False if it does not come.
    bool AwaitEnd();

    harness::TcpClient &tcp() {
        return client_;
    }

  private:
    harness::TcpClient client_;
};

// Whether the frame is HEADERS or RST_STREAM that ends `stream`.
bool Ends(const Frame &frame, std::uint32_t stream);

// That a server goes on serving: a health check on a connection of its own.
void ExpectServing(std::uint16_t port);

} // namespace station

#endif // SERVER_STATION_STATION_HARNESS_H_
