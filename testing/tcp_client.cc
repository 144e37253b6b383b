#include "testing/tcp_client.h"

#include <linux/sockios.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <utility>

namespace harness {
namespace {

using AddressList = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

AddressList Resolve(std::uint16_t port, const std::string &address) {
    addrinfo hints{};
    hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo *list = nullptr;
    if (getaddrinfo(address.c_str(), std::to_string(port).c_str(), &hints, &list) != 0) {
        throw std::invalid_argument("not a numeric address: " + address);
    }
    return AddressList(list, &freeaddrinfo);
}

std::uint16_t OwnPort(int socket_descriptor) {
    sockaddr_storage own{};
    socklen_t own_size = sizeof own;
    if (getsockname(socket_descriptor, reinterpret_cast<sockaddr *>(&own), &own_size) != 0) {
        ThrowErrno("getsockname");
    }
    return ntohs(own.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6 *>(&own)->sin6_port
                                           : reinterpret_cast<sockaddr_in *>(&own)->sin_port);
}

bool IsReset(int error) {
    return error == ECONNRESET || error == EPIPE;
}

// A socket as the kernel's table of TCP sockets lists it.
struct SocketRow {
    unsigned long receive_queue_size = 0; // in bytes
    unsigned timer = 0;
};

// The timer of a socket that has nothing to send and SO_KEEPALIVE set.
constexpr unsigned kKeepaliveTimer = 2;

// The row of the socket at `local_port` whose peer is at `remote_port`; all zeros when there is
// none (any more).
SocketRow FindSocketRow(unsigned local_port, unsigned remote_port) {
    for (const char *table : {"/proc/net/tcp", "/proc/net/tcp6"}) {
        std::ifstream rows(table);
        std::string text;
        while (std::getline(rows, text)) {
            unsigned row_local_port = 0;
            unsigned row_remote_port = 0;
            SocketRow row;
            if (std::sscanf(text.c_str(),
                            " %*d: %*[0-9A-F]:%x %*[0-9A-F]:%x %*x %*x:%lx %x:", &row_local_port,
                            &row_remote_port, &row.receive_queue_size, &row.timer) == 4 &&
                row_local_port == local_port && row_remote_port == remote_port) {
                return row;
            }
        }
    }
    return SocketRow{};
}

} // namespace

std::ostream &operator<<(std::ostream &stream, Ending ending) {
    switch (ending) {
    case Ending::kFin:
        return stream << "FIN";
    case Ending::kReset:
        return stream << "RST";
    case Ending::kNone:
        break;
    }
    return stream << "still open";
}

TcpClient::TcpClient(std::uint16_t port, const std::string &address) : peer_port_(port) {
    const AddressList list = Resolve(port, address);
    socket_ = socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (socket_ < 0) {
        ThrowErrno("socket");
    }
    int result = 0;
    do {
        result = connect(socket_, list->ai_addr, list->ai_addrlen);
    } while (result != 0 && errno == EINTR);
    if (result != 0 && IsReset(errno)) {
        is_reset_ = true;
        return;
    }
    const int on = 1;
    if (result != 0 || setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0) {
        const int error = errno;
        close(socket_);
        errno = error;
        ThrowErrno("connect");
    }
    own_port_ = OwnPort(socket_);
}

TcpClient::~TcpClient() {
    if (socket_ >= 0) {
        close(socket_);
    }
}

TcpClient::TcpClient(TcpClient &&other) noexcept
    : socket_(std::exchange(other.socket_, -1)), peer_port_(other.peer_port_),
      own_port_(other.own_port_), sent_size_(other.sent_size_), is_reset_(other.is_reset_),
      received_(std::move(other.received_)) {}

bool TcpClient::Send(std::string_view bytes, std::chrono::milliseconds patience) {
    while (!bytes.empty() && !is_reset_) {
        const ssize_t size = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (size >= 0) {
            sent_size_ += static_cast<size_t>(size);
            bytes.remove_prefix(static_cast<size_t>(size));
        } else if (IsReset(errno)) {
            is_reset_ = true;
        } else if (errno == EAGAIN) {
            pollfd writable{socket_, POLLOUT, 0};
            if (poll(&writable, 1, static_cast<int>(patience.count())) == 0) {
                return false;
            }
        } else if (errno != EINTR) {
            ThrowErrno("send");
        }
    }
    return bytes.empty();
}

bool TcpClient::SendUrgent(char byte) {
    ssize_t size = 0;
    do {
        size = send(socket_, &byte, 1, MSG_NOSIGNAL | MSG_OOB);
    } while (size < 0 && errno == EINTR);
    sent_size_ += size == 1 ? 1 : 0;
    return size == 1;
}

void TcpClient::HalfClose() {
    // A connection that the server has reset meanwhile is not connected any more.
    if (shutdown(socket_, SHUT_WR) != 0 && errno != ENOTCONN) {
        ThrowErrno("shutdown");
    }
}

void TcpClient::Reset() {
    const linger at_once{1, 0};
    if (setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) != 0) {
        ThrowErrno("SO_LINGER");
    }
    close(std::exchange(socket_, -1));
}

Ending TcpClient::WaitForEnding(std::chrono::milliseconds patience) {
    return ReceiveUntil([](const std::string &) { return false; }, patience);
}

Ending TcpClient::ReceiveUntil(const TextCondition &enough, std::chrono::milliseconds patience) {
    const Clock::time_point deadline = Clock::now() + patience;
    while (!is_reset_) {
        if (enough(received_)) {
            return Ending::kNone;
        }
        std::array<char, 4096> buffer;
        const ssize_t size = recv(socket_, buffer.data(), buffer.size(), MSG_DONTWAIT);
        if (size > 0) {
            received_.append(buffer.data(), static_cast<size_t>(size));
        } else if (size == 0) {
            return Ending::kFin;
        } else if (IsReset(errno)) {
            is_reset_ = true;
        } else if (errno == EAGAIN) {
            pollfd readable{socket_, POLLIN, 0};
            if (poll(&readable, 1, MillisecondsUntil(deadline)) == 0) {
                return Ending::kNone;
            }
        } else if (errno != EINTR) {
            ThrowErrno("recv");
        }
    }
    return Ending::kReset;
}

bool TcpClient::HasUnreadBytes() const {
    // After a reset nobody will read what is still queued. Asking for the state leaves the error
    // to the next send or recv, unlike SO_ERROR.
    tcp_info information{};
    socklen_t information_size = sizeof information;
    if (getsockopt(socket_, IPPROTO_TCP, TCP_INFO, &information, &information_size) == 0 &&
        information.tcpi_state == TCP_CLOSE) {
        return false;
    }
    // Bytes that the peer's kernel has not acknowledged are not in its receive queue yet.
    int unacknowledged_size = 0;
    if (ioctl(socket_, SIOCOUTQ, &unacknowledged_size) == 0 && unacknowledged_size > 0) {
        return true;
    }
    return FindSocketRow(peer_port_, own_port_).receive_queue_size > 0;
}

bool TcpClient::WaitUntilRead(std::chrono::milliseconds patience) const {
    return Await([this] { return is_reset_ || !HasUnreadBytes(); }, patience);
}

bool TcpClient::PeerKeepsAlive() const {
    return FindSocketRow(peer_port_, own_port_).timer == kKeepaliveTimer;
}

} // namespace harness
