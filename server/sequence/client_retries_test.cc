#include <gtest/gtest.h>

#include <cstdint>

#include "server/sequence/client.h"
#include "server/sessions/backoff.h"

namespace {

constexpr int64_t kSessionTtlMs = 30000;

TEST(ClientRetries, OutlastASessionsLife) {
    int64_t shortest_ms = 0;
    for (uint32_t i = 0; i < CLIENT_RETRY_COUNT_DEFAULT; i++) {
        shortest_ms += backoff_delay_ms(CLIENT_RETRY_DELAY_MS_DEFAULT, i, 0);
    }
    EXPECT_GT(shortest_ms, kSessionTtlMs);
}

} // namespace
