#include "server/sessions/client_id.h"

#include <gtest/gtest.h>

#include <cstring>

namespace {

TEST(ClientId, IsARandomUuid) {
    uint8_t random[CLIENT_ID_RANDOM_SIZE];
    char text[CLIENT_ID_LENGTH + 1];
    memset(random, 0xff, sizeof random);
    client_id_write(random, text);
    EXPECT_STREQ(text, "ffffffff-ffff-4fff-bfff-ffffffffffff");
    EXPECT_TRUE(client_id_is_valid(text, strlen(text)));
    for (size_t i = 0; i < sizeof random; i++) {
        random[i] = static_cast<uint8_t>(i);
    }
    client_id_write(random, text);
    EXPECT_STREQ(text, "00010203-0405-4607-8809-0a0b0c0d0e0f");
}

} // namespace
