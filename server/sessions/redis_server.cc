#include "server/sessions/redis_server.h"

#include <unistd.h>

#include <csignal>
#include <stdexcept>
#include <utility>

#include "testing/daemon.h"
#include "testing/tcp_client.h"

namespace sessions {

using harness::Process;
using harness::ProcessOptions;

namespace {

// The server's program; empty when there is none. Debian's redis-tools has it too, without a
// service of the system, as redis-check-rdb: what one program is depends on the name it is called
// by.
std::string FindRedisServer() {
    for (const char *path : {"/usr/bin/redis-server", "/usr/bin/redis-check-rdb"}) {
        if (access(path, X_OK) == 0) {
            return path;
        }
    }
    return "";
}

} // namespace

bool RedisServer::IsInstalled() {
    return !FindRedisServer().empty();
}

RedisServer::RedisServer(std::string configuration, bool is_sentinel)
    : config_(std::move(configuration)), is_sentinel_(is_sentinel) {
    if (symlink(FindRedisServer().c_str(), directory_.File("redis-server").c_str()) != 0) {
        harness::ThrowErrno("name the Redis server");
    }
    constexpr int kAttemptCount = 20;
    for (int i = 0; i < kAttemptCount; i++) {
        port_ = harness::FindFreePort();
        if (Start()) {
            return;
        }
    }
    throw std::runtime_error("redis-server does not start: " + process_->output());
}

bool RedisServer::Start() {
    const std::string path = directory_.File("redis.conf");
    std::string configuration = "bind 127.0.0.1 127.0.0.2\nport " + std::to_string(port_) +
                                "\ndir " + directory_.path() + "\n" + config_;
    if (!is_sentinel_) {
        configuration += "save \"\"\nappendonly no\n";
    }
    harness::WriteFile(path, configuration);
    ProcessOptions options;
    options.arguments = {directory_.File("redis-server"), path};
    if (is_sentinel_) {
        options.arguments.push_back("--sentinel");
    }
    process_ = std::make_unique<Process>(options);
    return process_->WaitForOutput(
        harness::HasLineWith(is_sentinel_ ? "Sentinel ID is" : "Ready to accept connections"));
}

std::string RedisServer::Ask(const std::string &command) {
    harness::TcpClient client(port_);
    client.Send(command + "\r\n");
    client.ReceiveUntil([](const std::string &received) {
        const bool is_text = received[0] == '$' && received.compare(0, 3, "$-1") != 0;
        const size_t first_end = received.find("\r\n");
        return first_end != std::string::npos &&
               (!is_text || received.find("\r\n", first_end + 2) != std::string::npos);
    });
    const std::string &received = client.received();
    const size_t first_end = received.find("\r\n");
    const bool is_text = received[0] == '$' && received.compare(0, 3, "$-1") != 0;
    const size_t start = is_text ? first_end + 2 : 0;
    return received.substr(start, received.find("\r\n", start) - start);
}

std::string RedisServer::url() const {
    return "redis://127.0.0.1:" + std::to_string(port_) + "/3";
}

void RedisServer::Stop() {
    process_->Signal(SIGKILL);
    process_->WaitForExit();
}

void RedisServer::Restart() {
    Stop();
    if (!Start()) {
        throw std::runtime_error("redis-server does not start: " + process_->output());
    }
}

std::string RedisServer::AskForText(const std::string &command) {
    harness::TcpClient client(port_);
    client.Send(command + "\r\n");
    client.ReceiveUntil([](const std::string &received) {
        const size_t head_end = received.find("\r\n");
        return head_end != std::string::npos &&
               (received[0] != '$' ||
                received.size() >= head_end + 4 + std::stoul(received.substr(1)));
    });
    return client.received();
}

void RedisServer::LimitMemory(size_t size) {
    const std::string reply = Ask("CONFIG SET maxmemory " + std::to_string(size));
    if (reply != "+OK") {
        throw std::runtime_error("redis-server does not take the limit: " + reply);
    }
}

void RedisServer::Pause() {
    process_->Signal(SIGSTOP);
}

void RedisServer::Resume() {
    process_->Signal(SIGCONT);
}

} // namespace sessions
