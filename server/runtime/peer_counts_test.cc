#include "server/runtime/peer_counts.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <cstring>
#include <string>
#include <vector>

namespace {

class PeerCountsTest : public testing::Test {
  protected:
    static constexpr size_t kCapacity = 100;

    void SetUp() override {
        ASSERT_EQ(peer_counts_init(&counts_, kCapacity), 0);
    }
    void TearDown() override {
        peer_counts_destroy(&counts_);
    }

    uint32_t Take(const std::string &text, size_t limit) {
        sockaddr_storage storage{};
        if (text.find(':') == std::string::npos) {
            auto *address = reinterpret_cast<sockaddr_in *>(&storage);
            address->sin_family = AF_INET;
            EXPECT_EQ(inet_pton(AF_INET, text.c_str(), &address->sin_addr), 1);
        } else {
            auto *address = reinterpret_cast<sockaddr_in6 *>(&storage);
            address->sin6_family = AF_INET6;
            EXPECT_EQ(inet_pton(AF_INET6, text.c_str(), &address->sin6_addr), 1);
        }
        return peer_counts_take(
            &counts_, peer_counts_find_peer(reinterpret_cast<const sockaddr *>(&storage)), limit);
    }

    peer_counts counts_ = {};
};

TEST_F(PeerCountsTest, CountsEachPeerByItself) {
    const uint32_t first = Take("192.0.2.1", 2);
    EXPECT_NE(first, static_cast<uint32_t>(PEER_COUNTS_NONE));
    EXPECT_EQ(Take("192.0.2.1", 2), first);
    EXPECT_EQ(Take("192.0.2.1", 2), static_cast<uint32_t>(PEER_COUNTS_NONE));
    EXPECT_EQ(Take("::ffff:192.0.2.1", 2), static_cast<uint32_t>(PEER_COUNTS_NONE));
    EXPECT_NE(Take("192.0.2.2", 2), static_cast<uint32_t>(PEER_COUNTS_NONE));
    peer_counts_release(&counts_, first);
    EXPECT_EQ(Take("192.0.2.1", 2), first);
}

TEST_F(PeerCountsTest, TakesTheHalfOfAnIpv6AddressForThePeer) {
    EXPECT_NE(Take("2001:db8:1:2::1", 1), static_cast<uint32_t>(PEER_COUNTS_NONE));
    EXPECT_EQ(Take("2001:db8:1:2:ffff::2", 1), static_cast<uint32_t>(PEER_COUNTS_NONE));
    EXPECT_NE(Take("2001:db8:1:3::1", 1), static_cast<uint32_t>(PEER_COUNTS_NONE));
}

TEST_F(PeerCountsTest, HasRoomForAsManyPeersAsConnections) {
    for (int round = 0; round < 3; round++) {
        std::vector<uint32_t> tokens;
        for (size_t i = 0; i < kCapacity; i++) {
            tokens.push_back(Take("10.0." + std::to_string(round) + "." + std::to_string(i), 1));
        }
        for (uint32_t token : tokens) {
            EXPECT_NE(token, static_cast<uint32_t>(PEER_COUNTS_NONE));
            peer_counts_release(&counts_, token);
        }
    }
}

} // namespace
