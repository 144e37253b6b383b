#include "server/sessions/redis_server.h"

#include <unistd.h>

#include <csignal>
#include <stdexcept>

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

RedisServer::RedisServer() {
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
    ProcessOptions options;
    options.arguments = {directory_.File("redis-server"),
                         "--bind",
                         "127.0.0.1",
                         "--port",
                         std::to_string(port_),
                         "--save",
                         "",
                         "--appendonly",
                         "no",
                         "--dir",
                         directory_.path()};
    process_ = std::make_unique<Process>(options);
    return process_->WaitForOutput(harness::HasLineWith("Ready to accept connections"));
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

void RedisServer::LimitMemory(size_t size) {
    harness::TcpClient client(port_);
    client.Send("CONFIG SET maxmemory " + std::to_string(size) + "\r\n");
    client.ReceiveUntil([](const std::string &received) { return received == "+OK\r\n"; });
    if (client.received() != "+OK\r\n") {
        throw std::runtime_error("redis-server does not take the limit: " + client.received());
    }
}

void RedisServer::Pause() {
    process_->Signal(SIGSTOP);
}

void RedisServer::Resume() {
    process_->Signal(SIGCONT);
}

} // namespace sessions
