#include "server/records/store/treacherous_relay.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string_view>

#include "testing/patience.h"

namespace harness {
namespace {

constexpr std::string_view kFatalText = "COMMIT";

sockaddr_in Address(std::uint16_t port) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    return address;
}

} // namespace

TreacherousRelay::TreacherousRelay(std::uint16_t server_port) : server_port_(server_port) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = Address(0);
    socklen_t size = sizeof address;
    auto *generic = reinterpret_cast<sockaddr *>(&address);
    if (listener_ < 0 || bind(listener_, generic, size) != 0 || listen(listener_, 8) != 0 ||
        getsockname(listener_, generic, &size) != 0) {
        ThrowErrno("relay");
    }
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Run(); });
}

TreacherousRelay::~TreacherousRelay() {
    is_over_ = true;
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
}

void TreacherousRelay::Run() {
    while (!is_over_) {
        int client = accept(listener_, nullptr, nullptr);
        if (client < 0) {
            return;
        }
        int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address = Address(server_port_);
        if (connect(server, reinterpret_cast<sockaddr *>(&address), sizeof address) == 0) {
            Relay(client, server);
        }
        close(server);
        close(client);
    }
}

void TreacherousRelay::Relay(int client, int server) {
    char bytes[65536];
    bool is_fatal = false;
    while (!is_over_) {
        pollfd polled[2] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
        if (poll(polled, 2, 50) < 0) {
            return;
        }
        for (int side = 0; side < 2; side++) {
            if (polled[side].revents == 0) {
                continue;
            }
            ssize_t size = read(polled[side].fd, bytes, sizeof bytes);
            if (size <= 0 || (side == 1 && is_fatal)) {
                return;
            }
            if (side == 0 && is_armed_ &&
                std::string_view(bytes, static_cast<size_t>(size)).find(kFatalText) !=
                    std::string_view::npos) {
                is_fatal = true;
                is_armed_ = false;
            }
            if (write(polled[1 - side].fd, bytes, static_cast<size_t>(size)) != size) {
                return;
            }
        }
    }
}

} // namespace harness
