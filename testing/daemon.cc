#include "testing/daemon.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>

#include "testing/loopback.h"
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
    const int probe = ListenOnLoopback();
    const std::uint16_t port = PortOf(probe);
    close(probe);
    return port;
}

void ExpectNoSanitizerReport(const std::string &errors) {
    EXPECT_EQ(errors.find("Sanitizer"), std::string::npos) << errors;
    EXPECT_EQ(errors.find("runtime error:"), std::string::npos) << errors;
    // What valgrind says begins with the process's number, as in "==4711== Invalid read".
    EXPECT_EQ(("\n" + errors).find("\n=="), std::string::npos) << errors;
}

} // namespace harness
