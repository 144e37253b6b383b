#include "server/sessions/chacha20.h"

#include <gtest/gtest.h>

namespace {

// RFC 8439, section 2.3.2.
TEST(Chacha20, GivesTheBlockOfTheRfc) {
    uint8_t key[CHACHA20_KEY_SIZE];
    for (size_t i = 0; i < sizeof key; i++) {
        key[i] = static_cast<uint8_t>(i);
    }
    const uint8_t nonce[CHACHA20_NONCE_SIZE] = {0, 0, 0, 9, 0, 0, 0, 0x4a, 0, 0, 0, 0};
    const uint32_t expected[CHACHA20_BLOCK_WORD_COUNT] = {
        0xe4e7f110, 0x15593bd1, 0x1fdd0f50, 0xc47120a3, 0xc7f4d1c7, 0x0368c033,
        0x9aaa2204, 0x4e6cd4c3, 0x466482d2, 0x09aa9f07, 0x05d7c214, 0xa2028bd9,
        0xd19c12b5, 0xb94e16de, 0xe883d0cb, 0x4e3c50a2};
    uint32_t words[CHACHA20_BLOCK_WORD_COUNT];
    chacha20_block(key, nonce, 1, words);
    for (int i = 0; i < CHACHA20_BLOCK_WORD_COUNT; i++) {
        EXPECT_EQ(words[i], expected[i]) << "word " << i;
    }
}

} // namespace
