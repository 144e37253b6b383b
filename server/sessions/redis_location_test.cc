#include "server/sessions/redis_location.h"

#include <gtest/gtest.h>

#include <string>

namespace {

TEST(RedisLocation, ReadsOneServer) {
    const struct {
        const char *url, *host;
        uint16_t port;
        uint32_t database;
    } cases[] = {
        {"redis://127.0.0.1:7000/2", "127.0.0.1", 7000, 2},
        {"redis://localhost", "localhost", 6379, 0},
        {"redis://localhost/", "localhost", 6379, 0},
        {"redis://localhost:1/", "localhost", 1, 0},
        {"redis://[::1]:7000/15", "::1", 7000, 15},
        {"redis://[::1]", "::1", 6379, 0},
        {"unix:///run/redis.sock", "/run/redis.sock", 0, 0},
        {"unix:///run/redis.sock?db=7", "/run/redis.sock", 0, 7},
    };
    for (const auto &expected : cases) {
        redis_location location;
        ASSERT_EQ(redis_location_parse(expected.url, &location), nullptr) << expected.url;
        EXPECT_EQ(location.node_count, 1u);
        EXPECT_STREQ(location.nodes[0].host, expected.host);
        EXPECT_EQ(location.nodes[0].port, expected.port);
        EXPECT_EQ(location.database, expected.database);
        EXPECT_FALSE(location.uses_tls);
        EXPECT_STREQ(location.user, "");
    }
}

TEST(RedisLocation, ReadsUsersNodesSentinelsAndTls) {
    redis_location location;
    ASSERT_EQ(redis_location_parse("rediss://app@a:1,b,[::1]:3/0?ssl-ca=/ca.pem&ssl-cert=c&"
                                   "ssl-key=k",
                                   &location),
              nullptr);
    EXPECT_TRUE(location.uses_tls);
    EXPECT_STREQ(location.user, "app");
    ASSERT_EQ(location.node_count, 3u);
    EXPECT_STREQ(location.nodes[1].host, "b");
    EXPECT_EQ(location.nodes[1].port, REDIS_PORT_DEFAULT);
    EXPECT_STREQ(location.nodes[2].host, "::1");
    EXPECT_EQ(location.nodes[2].port, 3);
    EXPECT_STREQ(location.ca_path, "/ca.pem");
    EXPECT_STREQ(location.certificate_path, "c");
    EXPECT_STREQ(location.key_path, "k");

    ASSERT_EQ(redis_location_parse("redis+sentinel://a,b:2/the-master/3", &location), nullptr);
    EXPECT_STREQ(location.master_name, "the-master");
    EXPECT_EQ(location.nodes[0].port, REDIS_SENTINEL_PORT_DEFAULT);
    EXPECT_EQ(location.nodes[1].port, 2);
    EXPECT_EQ(location.database, 3u);
}

TEST(RedisLocation, RefusesAnythingElse) {
    std::string many = "redis://h";
    for (int i = 0; i < REDIS_LOCATION_NODE_COUNT_MAX; i++) {
        many += ",h";
    }
    redis_location location;
    for (const std::string &url : {std::string(""),
                                   std::string("memory"),
                                   std::string("http://localhost"),
                                   std::string("redis://"),
                                   std::string("redis:///0"),
                                   std::string("redis://:7000"),
                                   std::string("redis://localhost:"),
                                   std::string("redis://localhost:x"),
                                   std::string("redis://localhost:0"),
                                   std::string("redis://localhost:65536"),
                                   std::string("redis://localhost:1x"),
                                   std::string("redis://localhost:1/x"),
                                   std::string("redis://localhost:1/0/"),
                                   std::string("redis://localhost/99999999999"),
                                   std::string("redis://[::1"),
                                   std::string("redis://[]"),
                                   std::string("redis://a b"),
                                   std::string("redis://a,"),
                                   std::string("redis://,a"),
                                   std::string("redis://@a"),
                                   std::string("redis://a?ssl-ca=x"),
                                   std::string("rediss://a?ssl-ca="),
                                   std::string("rediss://a?other=x"),
                                   std::string("redis+sentinel://a"),
                                   std::string("redis+sentinel://a/"),
                                   std::string("unix://relative"),
                                   std::string("unix:///x?db=-1"),
                                   std::string("redis://\x1b[31m"),
                                   many,
                                   "redis://" + std::string(256, 'h'),
                                   "unix:///" + std::string(300, 'h')}) {
        EXPECT_NE(redis_location_parse(url.c_str(), &location), nullptr) << url;
    }
}

TEST(RedisLocation, DoesNotRepeatAPassword) {
    redis_location location;
    const char *problem = redis_location_parse("redis://app:secret@localhost", &location);
    ASSERT_NE(problem, nullptr);
    EXPECT_NE(std::string(problem).find("REDIS_PASSWORD"), std::string::npos);
    EXPECT_EQ(std::string(problem).find("secret"), std::string::npos);
}

} // namespace
