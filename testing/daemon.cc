#include "testing/daemon.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>

#include "gtest/gtest.h"

namespace harness {

std::string ProgramPath(const char *variable) {
    const char *path = std::getenv(variable);
    if (path == nullptr) {
        throw std::runtime_error(std::string(variable) + " must name the program under test");
    }
    return std::filesystem::absolute(path).string();
}

std::uint16_t FindListeningPort(const std::string &errors, const std::string &address) {
    const std::string start = "listening on " + address + ":";
    for (const std::string &line : SplitLines(errors)) {
        const size_t found = line.find(start);
        if (found != std::string::npos) {
            return static_cast<std::uint16_t>(std::stoul(line.substr(found + start.size())));
        }
    }
    return 0;
}

std::uint16_t WaitForPort(Process *process, const std::string &address) {
    process->WaitForErrors(
        [&address](const std::string &errors) { return FindListeningPort(errors, address) != 0; });
    const std::string errors = process->errors();
    const std::uint16_t port = FindListeningPort(errors, address);
    if (port == 0) {
        throw std::runtime_error("the program does not listen at " + address + ":\n" + errors);
    }
    return port;
}

std::uint16_t FindFreePort() {
    const int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto *generic = reinterpret_cast<sockaddr *>(&address);
    if (probe < 0 || bind(probe, generic, size) != 0 || getsockname(probe, generic, &size) != 0) {
        ThrowErrno("find a free port");
    }
    close(probe);
    return ntohs(address.sin_port);
}

void ExpectNoSanitizerReport(const std::string &errors) {
    EXPECT_EQ(errors.find("Sanitizer"), std::string::npos) << errors;
    EXPECT_EQ(errors.find("runtime error:"), std::string::npos) << errors;
    // What valgrind says begins with the process's number, as in "==4711== Invalid read".
    EXPECT_EQ(("\n" + errors).find("\n=="), std::string::npos) << errors;
}

} // namespace harness
