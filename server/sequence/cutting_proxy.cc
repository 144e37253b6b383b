#include "server/sequence/cutting_proxy.h"

#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "testing/loopback.h"
#include "testing/patience.h"

namespace sequence {
namespace {

int Connect(std::uint16_t port) {
    const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = harness::LoopbackAddress(port);
    if (descriptor < 0 ||
        connect(descriptor, reinterpret_cast<sockaddr *>(&address), sizeof address) != 0) {
        harness::ThrowErrno("connect to the server");
    }
    return descriptor;
}

void Tune(int descriptor) {
    const int yes = 1;
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
}

// Closes with RST.
void Reset(int descriptor) {
    const linger none{1, 0};
    setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    close(descriptor);
}

bool SendAll(int descriptor, const char *bytes, size_t size) {
    while (size > 0) {
        const ssize_t sent = send(descriptor, bytes, size, MSG_NOSIGNAL);
        if (sent < 0) {
            return false;
        }
        bytes += sent;
        size -= static_cast<size_t>(sent);
    }
    return true;
}

} // namespace

CuttingProxy::CuttingProxy(std::uint16_t server_port, CutChooser chooser,
                           ConnectionObserver observer)
    : server_port_(server_port), chooser_(std::move(chooser)), observer_(std::move(observer)) {
    listener_ = harness::ListenOnLoopback(0, SOMAXCONN);
    port_ = harness::PortOf(listener_);
    stop_descriptor_ = eventfd(0, EFD_CLOEXEC);
    if (stop_descriptor_ < 0) {
        harness::ThrowErrno("make an eventfd");
    }
    thread_ = std::thread([this] { Run(); });
}

CuttingProxy::~CuttingProxy() {
    Stop();
    close(listener_);
    close(stop_descriptor_);
}

void CuttingProxy::Stop() {
    if (thread_.joinable()) {
        const std::uint64_t one = 1;
        (void)!write(stop_descriptor_, &one, sizeof one);
        thread_.join();
    }
}

// False: the proxy is to stop.
bool CuttingProxy::WaitFor(int first, int second, bool *first_is_ready,
                           bool *second_is_ready) const {
    std::array<pollfd, 3> polled{
        {{stop_descriptor_, POLLIN, 0}, {first, POLLIN, 0}, {second, POLLIN, 0}}};
    if (poll(polled.data(), polled.size(), -1) < 0) {
        return false;
    }
    *first_is_ready = polled[1].revents != 0;
    *second_is_ready = polled[2].revents != 0;
    return polled[0].revents == 0;
}

void CuttingProxy::Run() {
    bool is_ready = false;
    bool unused = false;
    while (WaitFor(listener_, -1, &is_ready, &unused)) {
        const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (client < 0) {
            continue;
        }
        const int server = Connect(server_port_);
        Tune(client);
        Tune(server);
        observer_();
        Relay(client, server);
        Reset(client);
        Reset(server);
    }
}

void CuttingProxy::Relay(int client, int server) {
    bool client_is_ready = false;
    bool server_is_ready = false;
    while (WaitFor(client, server, &client_is_ready, &server_is_ready)) {
        if (server_is_ready && !HandOn(server, client, Direction::kToClient)) {
            return;
        }
        if (client_is_ready && !HandOn(client, server, Direction::kToServer)) {
            return;
        }
    }
}

// False: the connection is over, by a cut or by one of its ends.
bool CuttingProxy::HandOn(int from, int to, Direction direction) {
    std::array<char, 65536> bytes;
    const ssize_t size = recv(from, bytes.data(), bytes.size(), 0);
    if (size <= 0) {
        return false;
    }
    const std::string received(bytes.data(), static_cast<size_t>(size));
    const size_t cut = chooser_(direction, received);
    if (!SendAll(to, received.data(), cut == kNoCut ? received.size() : cut)) {
        return false;
    }
    cut_count_ += cut == kNoCut ? 0 : 1;
    return cut == kNoCut;
}

} // namespace sequence
