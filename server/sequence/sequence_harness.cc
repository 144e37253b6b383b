#include "server/sequence/sequence_harness.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <stdexcept>
#include <utility>

#include "testing/daemon.h"
#include "testing/process_facts.h"

namespace sequence {

using harness::Process;
using harness::ProcessOptions;
using harness::ProcessResult;

const char kClientId[] = "123e4567-e89b-12d3-a456-426614174000";

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

} // namespace

Server::Server(const std::vector<std::string> &arguments, std::uint16_t port, ProcessOptions base) {
    std::vector<std::string> all = {"--port=" + std::to_string(port)};
    all.insert(all.end(), arguments.begin(), arguments.end());
    process_ = std::make_unique<Process>(Command("SEQUENCE_SERVER", all, std::move(base)));
    port_ = harness::WaitForPort(process_.get());
}

Server::~Server() {
    process_->Signal(SIGTERM);
    process_->WaitForExit();
    harness::ExpectNoSanitizerReport(process_->errors());
}

void Server::Stop() {
    process_->Signal(SIGTERM);
    EXPECT_EQ(process_->WaitForExit(), harness::Exited(0)) << process_->errors();
}

void Server::Kill() {
    process_->Signal(SIGKILL);
    EXPECT_EQ(process_->WaitForExit(), harness::Killed(SIGKILL));
}

bool Server::WaitForPurge(const std::string &client_id) {
    const std::string line = "Purging client info for: " + client_id + "\n";
    return process_->WaitForOutput([&line](const std::string &text) {
        const size_t place = text.find(line);
        return place != std::string::npos && (place == 0 || text[place - 1] == '\n');
    });
}

size_t Server::ResidentSize() const {
    return harness::ReadResidentMemory(process_->pid()).current_kib * 1024;
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
    ProcessOptions options = Command("SEQUENCE_CLIENT", arguments, base);
    options.working_directory = directory_.path();
    return std::make_unique<Process>(options);
}

void ExpectDelivered(const ProcessResult &result) {
    EXPECT_EQ(result.status, harness::Exited(0)) << result.errors;
    EXPECT_NE(result.output.find(") is valid!\n"), std::string::npos) << result.output;
}

std::string Connection::ReadMessage() {
    const auto has_message = [this](const std::string &received) {
        return received.find(';', read_size_) != std::string::npos;
    };
    client_.ReceiveUntil(has_message);
    const std::string &received = client_.received();
    const size_t end = has_message(received) ? received.find(';', read_size_) + 1 : received.size();
    const size_t start = std::exchange(read_size_, end);
    return received.substr(start, end - start);
}

std::string Connection::ReadToEnd() {
    const harness::Ending ending = client_.WaitForEnding();
    const std::string &received = client_.received();
    std::string rest = received.substr(std::exchange(read_size_, received.size()));
    switch (ending) {
    case harness::Ending::kFin:
        return rest;
    case harness::Ending::kReset:
        return rest + "<RST>";
    case harness::Ending::kNone:
        break;
    }
    return rest + "<open>";
}

std::string Connection::Ask(std::string_view request) {
    client_.Send(request);
    return ReadMessage();
}

void RaiseDescriptorLimit() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

} // namespace sequence
