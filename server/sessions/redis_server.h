// A Redis server of a test's own.
//
// Ownership: the object owns its process and its directory, which are gone after the destructor.
// Threading: as harness::Process.
#ifndef SERVER_SESSIONS_REDIS_SERVER_H_
#define SERVER_SESSIONS_REDIS_SERVER_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>

#include "testing/files.h"
#include "testing/process.h"

namespace sessions {

// A Redis server of the test's own, without persistence, on a free port of 127.0.0.1.
class RedisServer {
  public:
    // Whether this machine has one. Without it the tests are skipped.
    static bool IsInstalled();

    // `configuration` is added to its configuration: lines as in redis.conf. A sentinel has no
    // data.
    explicit RedisServer(std::string configuration = "", bool is_sentinel = false);

    // For --store.
    std::string url() const;

    // Ends it; and starts one anew on the same port, empty.
    void Stop();
    void Restart();

    std::uint16_t port() const {
        return port_;
    }

    // Sends a command as one line, as somebody at a terminal would, and returns the reply's line;
    // of a text the text, of nil "$-1".
    std::string Ask(const std::string &command);

    // The same for a reply of several lines: all that came until its announced length was there.
    std::string AskForText(const std::string &command);

    // How many bytes it may use, 0 for any number. With too few it has no room for anything new.
    void LimitMemory(size_t size);

    // Stops it from answering, without closing its connections; and lets it go on.
    void Pause();
    void Resume();

  private:
    bool Start();

    std::string config_;
    bool is_sentinel_;
    harness::TemporaryDirectory directory_;
    std::unique_ptr<harness::Process> process_;
    std::uint16_t port_ = 0;
};

// Tests that are skipped without one.
class RedisTest : public testing::Test {
  protected:
    void SetUp() override {
        if (!RedisServer::IsInstalled()) {
            GTEST_SKIP() << "redis-server is not installed";
        }
    }
};

} // namespace sessions

#endif // SERVER_SESSIONS_REDIS_SERVER_H_
