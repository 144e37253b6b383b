// A TCP client of a test: it sends what it is told to and sees how the server ends the connection.
//
// Ownership: the object owns its socket; the destructor closes it (FIN, or RST if unread bytes are
// left, as the kernel does). Threading: an object belongs to one thread at a time.
#ifndef TESTING_TCP_CLIENT_H_
#define TESTING_TCP_CLIENT_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <ostream>
#include <string>
#include <string_view>

#include "testing/patience.h"

namespace harness {

// How a server ended a connection.
enum class Ending {
    kFin,   // an orderly close
    kReset, // RST
    kNone,  // it is still open
};
std::ostream &operator<<(std::ostream &stream, Ending ending);

class TcpClient {
  public:
    // Connects to `port` at `address` (numeric, IPv4 or IPv6) on this machine. A server that
    // resets the connection at once may do so before connect() returns: that is no error, but is
    // the connection's ending. Throws std::system_error when there is no connection.
    explicit TcpClient(std::uint16_t port, const std::string &address = "127.0.0.1");
    ~TcpClient();
    TcpClient(TcpClient &&other) noexcept;
    TcpClient(const TcpClient &) = delete;
    TcpClient &operator=(const TcpClient &) = delete;
    TcpClient &operator=(TcpClient &&) = delete;

    // Sends all of `bytes`, each call as a segment of its own (Nagle's algorithm is off). False
    // when the server has ended the connection, or when nothing could be sent for `patience`.
    bool Send(std::string_view bytes, std::chrono::milliseconds patience = kPatience);

    // Sends one byte as TCP's urgent data (MSG_OOB). False when the server has ended the
    // connection.
    bool SendUrgent(char byte);

    // The number of bytes of all calls of Send that the kernel has accepted.
    size_t sent_size() const {
        return sent_size_;
    }

    // The port of this end of the connection; 0 when the server reset it before connect() returned.
    std::uint16_t own_port() const {
        return own_port_;
    }

    // Sends FIN: no more bytes will come. The other direction stays open.
    void HalfClose();

    // Ends the connection with RST.
    void Reset();

    // Reads until `enough` is true of all that was received, the server ends the connection, or
    // `patience` has passed. kNone: there may be more to come.
    using TextCondition = std::function<bool(const std::string &received)>;
    Ending ReceiveUntil(const TextCondition &enough,
                        std::chrono::milliseconds patience = kPatience);

    // Reads until the server ends the connection or `patience` has passed.
    Ending WaitForEnding(std::chrono::milliseconds patience = kPatience);

    // What the server has said up to now, as far as it has been read.
    const std::string &received() const {
        return received_;
    }

    // Waits until the server's program has read every byte sent so far (or has ended the
    // connection), as the kernel's table of sockets shows: the way to know, without a word from
    // the server, that it has seen them. False when that takes longer than `patience`.
    bool WaitUntilRead(std::chrono::milliseconds patience = kPatience) const;

    // True when the server's end of the connection has a keepalive timer running now, which it
    // has while nothing is under way to the client.
    bool PeerKeepsAlive() const;

  private:
    bool HasUnreadBytes() const;

    int socket_ = -1;
    std::uint16_t peer_port_ = 0;
    std::uint16_t own_port_ = 0;
    size_t sent_size_ = 0;
    // An error is reported once by the kernel, by send or by recv, and so kept here.
    bool is_reset_ = false;
    std::string received_;
};

} // namespace harness

#endif // TESTING_TCP_CLIENT_H_
