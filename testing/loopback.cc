#include "testing/loopback.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "testing/patience.h"

namespace harness {

sockaddr_in LoopbackAddress(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

int ListenOnLoopback(std::uint16_t port, int backlog) {
    const sockaddr_in address = LoopbackAddress(port);
    const int on = 1;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(fd, reinterpret_cast<const sockaddr *>(&address), sizeof address) != 0 ||
        listen(fd, backlog) != 0) {
        ThrowErrno("listen on 127.0.0.1");
    }
    return fd;
}

std::uint16_t PortOf(int descriptor) {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    if (getsockname(descriptor, reinterpret_cast<sockaddr *>(&address), &size) != 0) {
        ThrowErrno("tell a socket's port");
    }
    return ntohs(address.sin_port);
}

} // namespace harness
