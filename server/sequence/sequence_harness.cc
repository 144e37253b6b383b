#include "server/sequence/sequence_harness.h"

#include <sys/resource.h>

#include <csignal>
#include <utility>

#include "testing/process_facts.h"

namespace sequence {

Server::Server(const std::vector<std::string> &arguments, std::uint16_t port,
               harness::ProcessOptions base)
    : sessions::Server("SEQUENCE_SERVER", arguments, port, std::move(base)) {}

Server::~Server() {
    process_.Signal(SIGTERM);
}

bool Server::WaitForPurge(const std::string &client_id) {
    const std::string line = "Purging client info for: " + client_id + "\n";
    return process_.WaitForOutput([&line](const std::string &text) {
        const size_t place = text.find(line);
        return place != std::string::npos && (place == 0 || text[place - 1] == '\n');
    });
}

size_t Server::ResidentSize() const {
    return harness::ReadResidentMemory(process_.pid()).current_kib * 1024;
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
