#include "server/sessions/backoff.h"

#include <gtest/gtest.h>

namespace {

TEST(Backoff, DoublesUpToItsLimit) {
    const int64_t longest_ms[] = {100, 200, 400, 800, 1600, 3200, 5000, 5000};
    for (uint32_t attempt = 0; attempt < 8; attempt++) {
        int64_t least = INT64_MAX;
        int64_t most = 0;
        for (uint32_t random = 0; random < 6000; random++) {
            least = std::min(least, backoff_delay_ms(100, attempt, random));
            most = std::max(most, backoff_delay_ms(100, attempt, random));
        }
        EXPECT_EQ(least, longest_ms[attempt] / 2) << "attempt " << attempt;
        EXPECT_EQ(most, longest_ms[attempt]) << "attempt " << attempt;
    }
}

TEST(Backoff, HoldsForAnyAttempt) {
    EXPECT_EQ(backoff_delay_ms(100, UINT32_MAX, 0), BACKOFF_MAX_MS / 2);
    EXPECT_LE(backoff_delay_ms(100, UINT32_MAX, UINT32_MAX), BACKOFF_MAX_MS);
}

TEST(Backoff, MayBeNone) {
    EXPECT_EQ(backoff_delay_ms(0, UINT32_MAX, UINT32_MAX), 0);
}

} // namespace
