#include "server/sessions/session_store_redis.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "server/runtime/logger.h"
#include "server/runtime/os.h"
#include "server/sessions/redis_server.h"

namespace {

TEST(RedisAddress, ReadsItsParts) {
    const struct {
        const char *url, *host;
        int port, database;
    } cases[] = {
        {"redis://127.0.0.1:7000/2", "127.0.0.1", 7000, 2},
        {"redis://localhost", "localhost", 6379, 0},
        {"redis://localhost/", "localhost", 6379, 0},
        {"redis://localhost:1/", "localhost", 1, 0},
        {"redis://[::1]:7000/15", "::1", 7000, 15},
        {"redis://[::1]", "::1", 6379, 0},
    };
    for (const auto &expected : cases) {
        redis_address address;
        ASSERT_TRUE(redis_address_parse(expected.url, &address)) << expected.url;
        EXPECT_STREQ(address.host, expected.host);
        EXPECT_EQ(address.port, expected.port);
        EXPECT_EQ(address.database, expected.database);
    }
}

TEST(RedisAddress, RefusesAnythingElse) {
    redis_address address;
    for (const std::string &url :
         {std::string(""), std::string("memory"), std::string("http://localhost"),
          std::string("redis://"), std::string("redis:///0"), std::string("redis://:7000"),
          std::string("redis://localhost:"), std::string("redis://localhost:x"),
          std::string("redis://localhost:65536"), std::string("redis://localhost:1x"),
          std::string("redis://localhost:1/x"), std::string("redis://localhost:1/0/"),
          std::string("redis://localhost/99999999999"), std::string("redis://[::1"),
          std::string("redis://[]"), "redis://" + std::string(256, 'h')}) {
        EXPECT_FALSE(redis_address_parse(url.c_str(), &address)) << url;
    }
}

constexpr int64_t kTtlMs = 1500;
constexpr int64_t kNoteTtlMs = 60000;
const char kId[] = "123e4567-e89b-12d3-a456-426614174000";

session MakeSession() {
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
    explicit Store(const sessions::RedisServer &redis, size_t capacity = 100) {
        redis_address address;
        logger_init(&logger_, LOG_LEVEL_ERROR);
        EXPECT_TRUE(redis_address_parse(redis.url().c_str(), &address));
        const session_store_redis_config config = {address, nullptr, "sequence", &logger_};
        const session_store_limits limits = {capacity, kTtlMs, 1, kNoteTtlMs};
        const int error = session_store_redis_open(&store_, &config, &limits);
        if (error != 0) {
            throw std::runtime_error(strerror(-error));
        }
    }
    ~Store() {
        session_store_destroy(&store_);
    }

    session_store_result Create(const session &made = MakeSession()) {
        return session_store_create(&store_, &made, os_now_ms());
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

    const session_store &store() const {
        return store_;
    }

  private:
    logger logger_;
    session_store store_ = {};
};

class RedisStoreTest : public testing::Test {
  protected:
    void SetUp() override {
        if (!sessions::RedisServer::IsInstalled()) {
            GTEST_SKIP() << "no Redis server (package redis-tools)";
        }
        redis_ = std::make_unique<sessions::RedisServer>();
    }

    std::unique_ptr<sessions::RedisServer> redis_;
};

TEST_F(RedisStoreTest, SharesSessionsBetweenServers) {
    Store one(*redis_);
    Store other(*redis_);
    EXPECT_EQ(other.Attach(), SESSION_STORE_MISSING);
    EXPECT_EQ(one.Create(), SESSION_STORE_OK);
    EXPECT_EQ(one.Create(), SESSION_STORE_EXISTS);
    EXPECT_EQ(other.Create(), SESSION_STORE_EXISTS);
    EXPECT_EQ(other.Attach(), SESSION_STORE_OK);
}

TEST_F(RedisStoreTest, SharesNotes) {
    Store one(*redis_);
    Store other(*redis_);
    uint32_t note = 0;
    EXPECT_EQ(one.ReadNote(&note), SESSION_STORE_MISSING);
    EXPECT_EQ(one.WriteNote(7), SESSION_STORE_OK);
    EXPECT_EQ(other.WriteNote(UINT32_MAX), SESSION_STORE_OK);
    EXPECT_EQ(one.ReadNote(&note), SESSION_STORE_OK);
    EXPECT_EQ(note, UINT32_MAX);
    EXPECT_EQ(one.Attach(), SESSION_STORE_MISSING);
}

TEST_F(RedisStoreTest, PurgesAfterTheTimeToLive) {
    Store store(*redis_);
    EXPECT_EQ(store.Create(), SESSION_STORE_OK);
    store.Detach();
    EXPECT_EQ(store.Attach(), SESSION_STORE_OK);
    EXPECT_EQ(session_store_next_purge_ms(&store.store()), INT64_MAX);
    store.Detach();
    EXPECT_EQ(store.PurgeAll(), std::vector<std::string>{kId});
    EXPECT_EQ(store.Attach(), SESSION_STORE_MISSING);
    EXPECT_EQ(store.Create(), SESSION_STORE_OK);
}

// The first server lets go, the second works on it and keeps it alive: nothing to report for the
// first.
TEST_F(RedisStoreTest, ReportsOnlyWhatIsGone) {
    Store one(*redis_);
    Store other(*redis_);
    EXPECT_EQ(one.Create(), SESSION_STORE_OK);
    one.Detach();
    EXPECT_EQ(other.Attach(), SESSION_STORE_OK);
    EXPECT_EQ(one.PurgeAll(), std::vector<std::string>{});
    other.Keep();
    EXPECT_EQ(one.Attach(), SESSION_STORE_OK);
    one.Detach();
    other.Detach();
    EXPECT_EQ(other.PurgeAll(), std::vector<std::string>{kId});
}

TEST_F(RedisStoreTest, KeepsAnAttachedSessionAsLongAsItIsRenewed) {
    Store store(*redis_);
    EXPECT_EQ(store.Create(), SESSION_STORE_OK);
    EXPECT_GT(store.store().keep_interval_ms, 0);
    EXPECT_LT(store.store().keep_interval_ms, kTtlMs);
    const int64_t end_ms = os_now_ms() + 3 * kTtlMs;
    while (os_now_ms() < end_ms) {
        store.Keep();
        std::this_thread::sleep_for(std::chrono::milliseconds(kTtlMs / 10));
    }
    EXPECT_EQ(store.Attach(), SESSION_STORE_OK);
}

TEST_F(RedisStoreTest, RefusesMoreThanItsCapacity) {
    Store store(*redis_, 1);
    EXPECT_EQ(store.Create(), SESSION_STORE_OK);
    session second = MakeSession();
    second.client_id[0] = '9';
    EXPECT_EQ(store.Create(second), SESSION_STORE_FULL);
    Store other(*redis_, 1);
    EXPECT_EQ(other.Create(second), SESSION_STORE_OK) << "the refused one must have left no trace";
}

// Redis refuses before it looks whether the session is there already, and it may be in use.
TEST_F(RedisStoreTest, LeavesASessionAloneThatRedisHasNoMemoryFor) {
    Store one(*redis_);
    Store other(*redis_);
    EXPECT_EQ(one.Create(), SESSION_STORE_OK);
    redis_->LimitMemory(1);
    EXPECT_EQ(other.Create(), SESSION_STORE_FULL);
    EXPECT_EQ(one.Create(), SESSION_STORE_FULL);
    redis_->LimitMemory(0);
    EXPECT_EQ(one.Attach(), SESSION_STORE_OK);
}

TEST_F(RedisStoreTest, IsUnavailableWhileRedisIsDown) {
    Store store(*redis_);
    EXPECT_EQ(store.Create(), SESSION_STORE_OK);
    redis_->Stop();
    EXPECT_EQ(store.Attach(), SESSION_STORE_UNAVAILABLE);
    EXPECT_EQ(store.Create(), SESSION_STORE_UNAVAILABLE);
    store.Keep();
    store.Detach();
    redis_->Restart();
    std::this_thread::sleep_for(std::chrono::milliseconds(SESSION_STORE_REDIS_PAUSE_MS));
    EXPECT_EQ(store.Attach(), SESSION_STORE_MISSING);
    EXPECT_EQ(store.Create(), SESSION_STORE_OK);
}

// A Redis that does not answer costs one timeout, and then nothing until the pause is over.
TEST_F(RedisStoreTest, AsksASilentRedisOnlyOnce) {
    Store store(*redis_);
    redis_->Pause();
    EXPECT_EQ(store.Create(), SESSION_STORE_UNAVAILABLE);
    const int64_t before_ms = os_now_ms();
    int refused_count = 0;
    while (os_now_ms() < before_ms + SESSION_STORE_REDIS_PAUSE_MS / 2) {
        EXPECT_EQ(store.Attach(), SESSION_STORE_UNAVAILABLE);
        refused_count++;
    }
    EXPECT_GT(refused_count, 2 * SESSION_STORE_REDIS_PAUSE_MS / SESSION_STORE_REDIS_TIMEOUT_MS);
    redis_->Resume();
}

TEST_F(RedisStoreTest, MustReachRedisAtTheStart) {
    redis_->Stop();
    EXPECT_THROW(Store store(*redis_), std::runtime_error);
}

} // namespace
