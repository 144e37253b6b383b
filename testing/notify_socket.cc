#include "testing/notify_socket.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <random>
#include <system_error>
#include <utility>

namespace harness {

NotifySocket::NotifySocket(std::string name) : name_(std::move(name)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (name_.size() >= sizeof address.sun_path) {
        throw std::system_error(ENAMETOOLONG, std::generic_category(), name_);
    }
    name_.copy(address.sun_path, name_.size());
    if (name_[0] == '@') {
        address.sun_path[0] = '\0';
    }
    descriptor_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name_.size());
    if (descriptor_ < 0 ||
        bind(descriptor_, reinterpret_cast<const sockaddr *>(&address), size) != 0) {
        const int error = errno;
        close(descriptor_);
        throw std::system_error(error, std::generic_category(), name_);
    }
}

NotifySocket::~NotifySocket() {
    close(descriptor_);
    if (name_[0] == '/') {
        unlink(name_.c_str());
    }
}

std::string NotifySocket::FreshName() {
    std::random_device random;
    return "@numbers-test-" + std::to_string(random()) + "-" + std::to_string(random());
}

bool NotifySocket::Await(const std::string &part, std::chrono::milliseconds patience) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (true) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
            deadline - std::chrono::steady_clock::now());
        pollfd polled{descriptor_, POLLIN, 0};
        if (left.count() <= 0 || poll(&polled, 1, static_cast<int>(left.count())) <= 0) {
            return false;
        }
        std::array<char, 4096> bytes;
        const ssize_t size = recv(descriptor_, bytes.data(), bytes.size(), 0);
        messages_.emplace_back(bytes.data(), size < 0 ? 0 : static_cast<size_t>(size));
        if (messages_.back().find(part) != std::string::npos) {
            return true;
        }
    }
}

} // namespace harness
