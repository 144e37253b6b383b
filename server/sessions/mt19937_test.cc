#include "server/sessions/mt19937.h"

#include <gtest/gtest.h>

#include <vector>

namespace {

// The first numbers of mt19937ar.out, which the authors publish beside their program.
TEST(Mt19937, GivesThePublishedNumbers) {
    const uint32_t key[] = {0x123, 0x234, 0x345, 0x456};
    mt19937 twister;
    mt19937_seed_by_array(&twister, key, 4);
    const std::vector<uint32_t> expected = {1067595299u, 955945823u, 477289528u, 4107218783u,
                                            4228976476u};
    for (uint32_t number : expected) {
        EXPECT_EQ(mt19937_next(&twister), number);
    }
}

// The 1000th number needs the state to be renewed once: 2 x 624 > 1000 > 624.
TEST(Mt19937, GoesOnAfterTheStateIsUsedUp) {
    const uint32_t key[] = {0x123, 0x234, 0x345, 0x456};
    mt19937 twister;
    mt19937_seed_by_array(&twister, key, 4);
    for (int i = 0; i < 999; i++) {
        (void)mt19937_next(&twister);
    }
    EXPECT_EQ(mt19937_next(&twister), 3460025646u);
}

// CPython: random.seed(v); getrandbits(32), where the 32-bit words of v, least significant first,
// are 0, 1, 2 … 699: a key longer than the state.
TEST(Mt19937, TakesAKeyLongerThanItsState) {
    std::vector<uint32_t> key(700);
    for (uint32_t i = 0; i < key.size(); i++) {
        key[i] = i;
    }
    mt19937 twister;
    mt19937_seed_by_array(&twister, key.data(), key.size());
    EXPECT_EQ(mt19937_next(&twister), 3727595200u);
    EXPECT_EQ(mt19937_next(&twister), 1914792892u);
}

} // namespace
