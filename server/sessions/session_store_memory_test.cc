#include "server/sessions/session_store_memory.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstring>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace {

constexpr int64_t kTtlMs = 30000;

std::string ClientId(unsigned number) {
    char text[CLIENT_ID_LENGTH + 1];
    snprintf(text, sizeof text, "%08x-0000-0000-0000-000000000000", number);
    return text;
}

session MakeSession(unsigned number) {
    session made = {};
    memcpy(made.client_id, ClientId(number).c_str(), sizeof made.client_id);
    made.number_count = number;
    made.batch_size = 5;
    return made;
}

class MemoryStoreTest : public testing::Test {
  protected:
    static constexpr size_t kCapacity = 300;
    static constexpr size_t kPeerMax = 3;
    static constexpr size_t kNoteCapacity = 3;
    static constexpr int64_t kNoteTtlMs = 2 * kTtlMs;

    void SetUp() override {
        const session_store_limits limits = {kCapacity, kTtlMs, kNoteCapacity, kNoteTtlMs,
                                             kPeerMax};
        ASSERT_EQ(session_store_memory_open(&store_, &limits), 0);
    }
    void TearDown() override {
        session_store_destroy(&store_);
    }

    session_store_result Create(unsigned number, int64_t now_ms, uint64_t peer = 0) {
        session made = MakeSession(number);
        return session_store_create(&store_, &made, peer, now_ms);
    }
    session_store_result Attach(unsigned number, int64_t now_ms) {
        session found = {};
        session_store_result result =
            session_store_attach(&store_, ClientId(number).c_str(), now_ms, &found);
        if (result == SESSION_STORE_OK) {
            EXPECT_EQ(found.number_count, number);
            EXPECT_EQ(found.client_id, ClientId(number));
        }
        return result;
    }
    void Detach(unsigned number, int64_t now_ms) {
        session_store_detach(&store_, ClientId(number).c_str(), now_ms);
    }
    void WriteNote(unsigned number, uint32_t note, int64_t now_ms) {
        EXPECT_EQ(session_store_write_note(&store_, ClientId(number).c_str(), note, now_ms),
                  SESSION_STORE_OK);
    }
    // -1: there is none.
    int64_t ReadNote(unsigned number, int64_t now_ms) {
        uint32_t note = 0;
        const session_store_result result =
            session_store_read_note(&store_, ClientId(number).c_str(), now_ms, &note);
        return result == SESSION_STORE_OK ? static_cast<int64_t>(note) : -1;
    }
    std::vector<std::string> Purge(int64_t now_ms) {
        std::vector<std::string> purged;
        session_store_purge(
            &store_, now_ms,
            [](void *context, const char *client_id) {
                static_cast<std::vector<std::string> *>(context)->push_back(client_id);
            },
            &purged);
        return purged;
    }

    session_store store_ = {};
};

TEST_F(MemoryStoreTest, KeepsASessionForItsTimeToLive) {
    EXPECT_EQ(Attach(1, 0), SESSION_STORE_MISSING);
    EXPECT_EQ(Create(1, 0), SESSION_STORE_OK);
    EXPECT_EQ(Create(1, 0), SESSION_STORE_EXISTS);
    EXPECT_EQ(session_store_next_purge_ms(&store_), INT64_MAX);
    Detach(1, 1000);
    EXPECT_EQ(session_store_next_purge_ms(&store_), 1000 + kTtlMs);
    EXPECT_EQ(Create(1, 1000 + kTtlMs - 1), SESSION_STORE_EXISTS);
    EXPECT_EQ(Purge(1000 + kTtlMs - 1).size(), 0u);
    EXPECT_EQ(Attach(1, 1000 + kTtlMs - 1), SESSION_STORE_OK);
    EXPECT_EQ(session_store_next_purge_ms(&store_), INT64_MAX);
    Detach(1, 50000);
    EXPECT_EQ(Purge(50000 + kTtlMs), std::vector<std::string>{ClientId(1)});
    EXPECT_EQ(Attach(1, 50000 + kTtlMs), SESSION_STORE_MISSING);
    EXPECT_EQ(Create(1, 50000 + kTtlMs), SESSION_STORE_OK);
}

TEST_F(MemoryStoreTest, TakesAnExpiredSessionForGoneBeforeItsPurging) {
    EXPECT_EQ(Create(1, 0), SESSION_STORE_OK);
    Detach(1, 0);
    EXPECT_EQ(Attach(1, kTtlMs), SESSION_STORE_MISSING);
    EXPECT_EQ(Create(1, kTtlMs), SESSION_STORE_OK);
    EXPECT_EQ(Purge(kTtlMs).size(), 0u);
    EXPECT_EQ(Attach(1, kTtlMs), SESSION_STORE_OK);
}

TEST_F(MemoryStoreTest, WaitsForTheLastOfSeveralConnections) {
    EXPECT_EQ(Create(1, 0), SESSION_STORE_OK);
    EXPECT_EQ(Attach(1, 0), SESSION_STORE_OK);
    Detach(1, 0);
    EXPECT_EQ(session_store_next_purge_ms(&store_), INT64_MAX);
    Detach(1, 10);
    EXPECT_EQ(session_store_next_purge_ms(&store_), 10 + kTtlMs);
}

TEST_F(MemoryStoreTest, LetsOnePeerMakeItsShareOnly) {
    for (unsigned number = 0; number < kPeerMax; number++) {
        ASSERT_EQ(Create(number, 0, 7), SESSION_STORE_OK);
    }
    EXPECT_EQ(Create(kPeerMax, 0, 7), SESSION_STORE_PEER_FULL);
    EXPECT_EQ(Attach(kPeerMax, 0), SESSION_STORE_MISSING);
    EXPECT_EQ(Create(0, 0, 7), SESSION_STORE_EXISTS);
    EXPECT_EQ(Create(kPeerMax, 0, 8), SESSION_STORE_OK);
    Detach(0, 0);
    EXPECT_EQ(Create(kPeerMax + 1, 0, 7), SESSION_STORE_PEER_FULL) << "it is kept for a while";
    EXPECT_EQ(Purge(kTtlMs).size(), 1u);
    EXPECT_EQ(Create(kPeerMax + 1, kTtlMs, 7), SESSION_STORE_OK);
    Detach(1, kTtlMs);
    EXPECT_EQ(Create(1, 2 * kTtlMs, 7), SESSION_STORE_OK) << "in place of the one that is due";
    EXPECT_EQ(Create(kPeerMax + 2, 2 * kTtlMs, 7), SESSION_STORE_PEER_FULL);
}

TEST_F(MemoryStoreTest, RefusesMoreThanItHolds) {
    for (unsigned i = 0; i < kCapacity; i++) {
        ASSERT_EQ(Create(i, 0), SESSION_STORE_OK);
    }
    EXPECT_EQ(Create(kCapacity, 0), SESSION_STORE_FULL);
    EXPECT_EQ(Attach(kCapacity - 1, 0), SESSION_STORE_OK);
    Detach(7, 0);
    EXPECT_EQ(Create(kCapacity, 0), SESSION_STORE_FULL);
    EXPECT_EQ(Purge(kTtlMs).size(), 1u);
    EXPECT_EQ(Create(kCapacity, kTtlMs), SESSION_STORE_OK);
}

TEST_F(MemoryStoreTest, PurgesInRoundsOfBoundedSize) {
    for (unsigned i = 0; i < kCapacity; i++) {
        ASSERT_EQ(Create(i, 0), SESSION_STORE_OK);
        Detach(i, 0);
    }
    EXPECT_EQ(Purge(kTtlMs).size(), static_cast<size_t>(SESSION_STORE_PURGE_COUNT_MAX));
    EXPECT_EQ(session_store_next_purge_ms(&store_), kTtlMs);
    EXPECT_EQ(Purge(kTtlMs).size(), kCapacity - SESSION_STORE_PURGE_COUNT_MAX);
    EXPECT_EQ(session_store_next_purge_ms(&store_), INT64_MAX);
}

TEST_F(MemoryStoreTest, KeepsTheNoteLongerThanTheSession) {
    EXPECT_EQ(ReadNote(1, 0), -1);
    EXPECT_EQ(Create(1, 0), SESSION_STORE_OK);
    WriteNote(1, 7, 0);
    WriteNote(1, UINT32_MAX, 10);
    Detach(1, 10);
    EXPECT_EQ(Purge(10 + kTtlMs).size(), 1u);
    EXPECT_EQ(ReadNote(1, 10 + kTtlMs), UINT32_MAX);
    EXPECT_EQ(ReadNote(1, 9 + kNoteTtlMs), UINT32_MAX);
    EXPECT_EQ(ReadNote(1, 10 + kNoteTtlMs), -1);
}

TEST_F(MemoryStoreTest, ForgetsTheNoteThatWasWrittenLongestAgo) {
    for (unsigned number = 0; number < kNoteCapacity; number++) {
        WriteNote(number, number, 0);
    }
    WriteNote(0, 10, 1);
    WriteNote(9, 9, 1);
    EXPECT_EQ(ReadNote(0, 1), 10);
    EXPECT_EQ(ReadNote(1, 1), -1);
    EXPECT_EQ(ReadNote(2, 1), 2);
    EXPECT_EQ(ReadNote(9, 1), 9);
}

// Against a map of plain values, with a fixed seed: times and attachments of 400 client-ids.
TEST_F(MemoryStoreTest, AgreesWithAPlainModel) {
    struct ModelSession {
        unsigned attached_count;
        int64_t purge_ms;
    };
    std::map<std::string, ModelSession> model;
    std::mt19937 random(1);
    for (int64_t now_ms = 0; now_ms < 300000; now_ms += 10) {
        for (const std::string &client_id : Purge(now_ms)) {
            ASSERT_EQ(model.count(client_id), 1u);
            ASSERT_EQ(model[client_id].attached_count, 0u);
            ASSERT_LE(model[client_id].purge_ms, now_ms);
            model.erase(client_id);
        }
        unsigned number = static_cast<unsigned>(random() % 400);
        auto found = model.find(ClientId(number));
        switch (random() % 3) {
        case 0:
            if (found != model.end()) {
                ASSERT_EQ(Create(number, now_ms), SESSION_STORE_EXISTS);
            } else if (model.size() == kCapacity) {
                ASSERT_EQ(Create(number, now_ms), SESSION_STORE_FULL);
            } else {
                ASSERT_EQ(Create(number, now_ms), SESSION_STORE_OK);
                model[ClientId(number)] = {1, 0};
            }
            break;
        case 1:
            if (found == model.end()) {
                ASSERT_EQ(Attach(number, now_ms), SESSION_STORE_MISSING);
            } else {
                ASSERT_EQ(Attach(number, now_ms), SESSION_STORE_OK);
                found->second.attached_count++;
            }
            break;
        default:
            while (found != model.end() && found->second.attached_count > 0) {
                Detach(number, now_ms);
                found->second.attached_count--;
                found->second.purge_ms = now_ms + kTtlMs;
            }
        }
    }
}

} // namespace
