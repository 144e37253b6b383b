#include "server/sessions/redis_cluster.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace {

TEST(RedisCluster, FindsTheSlotsThatRedisFinds) {
    EXPECT_EQ(redis_cluster_slot("123456789"), 12739);
    EXPECT_EQ(redis_cluster_slot("foo"), 12182);
    EXPECT_EQ(redis_cluster_slot(""), 0);
}

bool Redirection(const std::string &text, uint32_t *slot, redis_address *address) {
    redis_reply reply = {};
    reply.kind = REDIS_REPLY_ERROR;
    reply.text = text.data();
    reply.size = text.size();
    return redis_cluster_parse_redirection(&reply, "asked", slot, address);
}

TEST(RedisCluster, ReadsRedirections) {
    uint32_t slot;
    redis_address address;
    ASSERT_TRUE(Redirection("MOVED 3999 127.0.0.1:6381", &slot, &address));
    EXPECT_EQ(slot, 3999u);
    EXPECT_STREQ(address.host, "127.0.0.1");
    EXPECT_EQ(address.port, 6381);
    ASSERT_TRUE(Redirection("ASK 1 ::1:7", &slot, &address));
    EXPECT_STREQ(address.host, "::1");
    ASSERT_TRUE(Redirection("MOVED 1 :7", &slot, &address));
    EXPECT_STREQ(address.host, "asked");
    for (const std::string bad :
         {"MOVED", "MOVED ", "MOVED 1", "MOVED 1 ", "MOVED 1 a", "MOVED 1 a:", "MOVED 1 a:0",
          "MOVED 1 a:65536", "MOVED 16384 a:1", "MOVED -1 a:1", "MOVED 1 a b:1", "MOVED 1 /a:1",
          "MOVED 1 a\x1b:1", "MOVEDX 1 a:1", "ERR MOVED 1 a:1"}) {
        EXPECT_FALSE(Redirection(bad, &slot, &address)) << bad;
    }
    EXPECT_FALSE(Redirection("MOVED 1 " + std::string(300, 'h') + ":1", &slot, &address));
}

struct Range {
    uint32_t first, last;
    std::string host;
    uint16_t port;
};

bool Slots(const std::string &text, std::vector<Range> *ranges) {
    const std::vector<char> bytes(text.begin(), text.end());
    ranges->clear();
    return redis_cluster_parse_slots(
        bytes.data(), bytes.size(), "asked",
        [](void *context, uint32_t first, uint32_t last, const redis_address *master) {
            static_cast<std::vector<Range> *>(context)->push_back(
                {first, last, master->host, master->port});
        },
        ranges);
}

TEST(RedisCluster, ReadsWhoHasWhichSlots) {
    const std::string node = "*4\r\n$9\r\n127.0.0.1\r\n:7001\r\n$2\r\nid\r\n*0\r\n";
    const std::string text = "*2\r\n*4\r\n:0\r\n:5460\r\n" + node + node +
                             "*3\r\n:5461\r\n:16383\r\n*3\r\n$-1\r\n:7002\r\n$2\r\nid\r\n";
    std::vector<Range> ranges;
    ASSERT_TRUE(Slots(text, &ranges));
    ASSERT_EQ(ranges.size(), 2u);
    EXPECT_EQ(ranges[0].host, "127.0.0.1");
    EXPECT_EQ(ranges[0].last, 5460u);
    EXPECT_EQ(ranges[1].host, "asked");
    EXPECT_EQ(ranges[1].first, 5461u);
    EXPECT_EQ(ranges[1].port, 7002);
    for (size_t size = 0; size < text.size(); size++) {
        EXPECT_FALSE(Slots(text.substr(0, size), &ranges)) << size;
    }
    for (const std::string bad : {"+OK\r\n", "*1\r\n:1\r\n", "*1\r\n*2\r\n:0\r\n:1\r\n",
                                  "*1\r\n*3\r\n:0\r\n:16384\r\n*2\r\n$1\r\na\r\n:1\r\n",
                                  "*1\r\n*3\r\n:-1\r\n:1\r\n*2\r\n$1\r\na\r\n:1\r\n",
                                  "*1\r\n*3\r\n:0\r\n:1\r\n*2\r\n$1\r\na\r\n:0\r\n",
                                  "*1\r\n*3\r\n:0\r\n:1\r\n*1\r\n$1\r\na\r\n"}) {
        EXPECT_FALSE(Slots(bad, &ranges)) << bad;
    }
}

} // namespace
