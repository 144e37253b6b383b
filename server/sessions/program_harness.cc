#include "server/sessions/program_harness.h"

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <utility>

#include "testing/daemon.h"

namespace sessions {

using harness::Process;
using harness::ProcessOptions;
using harness::ProcessResult;

namespace {

constexpr std::chrono::minutes kRunPatience{10};

// `base` with a program, and without the variables of the test's environment that change what the
// programs do.
ProcessOptions Command(const char *variable, const std::vector<std::string> &arguments,
                       ProcessOptions base) {
    base.arguments = {harness::ProgramPath(variable)};
    base.arguments.insert(base.arguments.end(), arguments.begin(), arguments.end());
    base.environment.insert({{"TEST_MODE", std::nullopt},
                             {"REDIS_PASSWORD", std::nullopt},
                             {"REDIS_SENTINEL_PASSWORD", std::nullopt},
                             {"BUILD_WORKING_DIRECTORY", std::nullopt}});
    return base;
}

std::vector<std::string> WithPort(std::uint16_t port, const std::vector<std::string> &arguments) {
    std::vector<std::string> all = {"--port=" + std::to_string(port)};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return all;
}

} // namespace

Server::Server(const char *variable, const std::vector<std::string> &arguments, std::uint16_t port,
               ProcessOptions base)
    : process_(Command(variable, WithPort(port, arguments), std::move(base))),
      port_(harness::WaitForPort(&process_)) {}

Server::~Server() {
    process_.WaitForExit();
    harness::ExpectNoSanitizerReport(process_.errors());
}

void Server::Stop() {
    process_.Signal(SIGTERM);
    EXPECT_EQ(process_.WaitForExit(), harness::Exited(0)) << process_.errors();
}

void Server::Kill() {
    process_.Signal(SIGKILL);
    EXPECT_EQ(process_.WaitForExit(), harness::Killed(SIGKILL));
}

ProcessResult Client::Run(const std::vector<std::string> &arguments, const ProcessOptions &base) {
    std::unique_ptr<Process> process = Start(arguments, base);
    ProcessResult result;
    result.status = process->WaitForExit(kRunPatience);
    result.output = process->output();
    result.errors = process->errors();
    harness::ExpectNoSanitizerReport(result.errors);
    return result;
}

std::unique_ptr<Process> Client::Start(const std::vector<std::string> &arguments,
                                       const ProcessOptions &base) {
    ProcessOptions options = Command(variable_, arguments, base);
    options.working_directory = directory_.path();
    return std::make_unique<Process>(options);
}

void ExpectDelivered(const ProcessResult &result) {
    EXPECT_EQ(result.status, harness::Exited(0)) << result.errors;
    EXPECT_NE(result.output.find(") is valid!\n"), std::string::npos) << result.output;
}

} // namespace sessions
