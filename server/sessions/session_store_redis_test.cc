#include "server/sessions/session_store_redis.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "server/runtime/os.h"
#include "server/sessions/redis_server.h"
#include "server/sessions/redis_store_harness.h"

namespace {

using sessions::kId;
using sessions::kTtlMs;
using sessions::MakeSession;
using sessions::Store;

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
    std::this_thread::sleep_for(std::chrono::milliseconds(REDIS_CLIENT_PAUSE_MS));
    EXPECT_EQ(store.Attach(), SESSION_STORE_OK) << "it came back empty, but the store knows";
}

// A Redis that does not answer costs one timeout, and then nothing until the pause is over.
TEST_F(RedisStoreTest, AsksASilentRedisOnlyOnce) {
    Store store(*redis_);
    redis_->Pause();
    EXPECT_EQ(store.Create(), SESSION_STORE_UNAVAILABLE);
    const int64_t before_ms = os_now_ms();
    int refused_count = 0;
    while (os_now_ms() < before_ms + REDIS_CLIENT_PAUSE_MS / 2) {
        EXPECT_EQ(store.Attach(), SESSION_STORE_UNAVAILABLE);
        refused_count++;
    }
    EXPECT_GT(refused_count, 2 * REDIS_CLIENT_PAUSE_MS / REDIS_CLIENT_CALL_TIMEOUT_MS);
    redis_->Resume();
}

TEST_F(RedisStoreTest, MustReachRedisAtTheStart) {
    redis_->Stop();
    EXPECT_THROW(Store store(*redis_), std::runtime_error);
}

} // namespace
