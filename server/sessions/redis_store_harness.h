// What tests of the store in Redis share: a session, and the store of one of several servers.
//
// Ownership: the object owns its store. Threading: one thread per object.
#ifndef SERVER_SESSIONS_REDIS_STORE_HARNESS_H_
#define SERVER_SESSIONS_REDIS_STORE_HARNESS_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "server/runtime/captured_logger.h"
#include "server/runtime/os.h"
#include "server/sessions/redis_server.h"
#include "server/sessions/session_store_redis.h"

namespace sessions {

inline constexpr int64_t kTtlMs = 1500;
inline constexpr int64_t kNoteTtlMs = 60000;
inline constexpr char kId[] = "123e4567-e89b-12d3-a456-426614174000";

inline session MakeSession() {
    session made = {};
    memcpy(made.client_id, kId, sizeof kId);
    made.number_count = 10;
    made.batch_size = 5;
    made.kind = GENERATOR_KEYED;
    memset(made.key, 0xa5, sizeof made.key);
    return made;
}

// A store of a server, as one of several that share a Redis.
class Store {
  public:
    explicit Store(const RedisServer &redis, size_t capacity = 100)
        : Store(redis.url(), nullptr, capacity) {}
    explicit Store(const std::string &url, const char *password = nullptr, size_t capacity = 100,
                   const char *sentinel_password = nullptr) {
        redis_client_configuration configuration = {};
        EXPECT_EQ(redis_location_parse(url.c_str(), &configuration.location), nullptr) << url;
        configuration.password = password;
        configuration.sentinel_password = sentinel_password;
        configuration.logger = log_.get();
        const session_store_limits limits = {capacity, kTtlMs, 1, kNoteTtlMs, 0};
        if (session_store_redis_open(&store_, &configuration, "sequence", &limits) != 0) {
            throw std::runtime_error(log_.Text());
        }
    }
    ~Store() {
        session_store_destroy(&store_);
    }

    session_store_result Create(const session &made = MakeSession()) {
        return session_store_create(&store_, &made, 0, os_now_ms());
    }
    session_store_result Attach() {
        session found = {};
        const session_store_result result = session_store_attach(&store_, kId, os_now_ms(), &found);
        if (result == SESSION_STORE_OK) {
            const session expected = MakeSession();
            EXPECT_EQ(memcmp(&found, &expected, sizeof found), 0);
        }
        return result;
    }
    void Detach() {
        session_store_detach(&store_, kId, os_now_ms());
    }
    session_store_result WriteNote(uint32_t note) {
        return session_store_write_note(&store_, kId, note, os_now_ms());
    }
    session_store_result ReadNote(uint32_t *note) {
        return session_store_read_note(&store_, kId, os_now_ms(), note);
    }
    void Keep() {
        session_store_keep(&store_, kId);
    }

    void PurgeOnce() {
        session_store_purge(
            &store_, os_now_ms(), [](void *, const char *) {}, nullptr);
    }

    // Purges until nothing is waiting, as the server's loop does. Returns what was reported.
    std::vector<std::string> PurgeAll() {
        std::vector<std::string> purged;
        int64_t next_ms;
        while ((next_ms = session_store_next_purge_ms(&store_)) != INT64_MAX) {
            const int64_t wait_ms = std::max<int64_t>(0, next_ms - os_now_ms());
            std::this_thread::sleep_for(std::chrono::milliseconds(wait_ms));
            session_store_purge(
                &store_, os_now_ms(),
                [](void *context, const char *client_id) {
                    static_cast<std::vector<std::string> *>(context)->push_back(client_id);
                },
                &purged);
        }
        return purged;
    }

    // What was logged.
    std::string log() const {
        return log_.Text();
    }

    const session_store &store() const {
        return store_;
    }

  private:
    CapturedLogger log_;
    session_store store_ = {};
};

} // namespace sessions

#endif // SERVER_SESSIONS_REDIS_STORE_HARNESS_H_
