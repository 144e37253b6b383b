#include "server/sessions/redis_reply.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace {

struct Parsed {
    redis_reply_status status;
    redis_reply reply;
    size_t size;
    std::string text;
};

// From a copy of its own size, so that a sanitizer sees any byte read behind it.
Parsed Parse(const std::string &text) {
    const std::vector<char> bytes(text.begin(), text.end());
    Parsed parsed = {};
    parsed.status = redis_reply_parse(bytes.data(), bytes.size(), &parsed.reply, &parsed.size);
    if (parsed.status == REDIS_REPLY_COMPLETE && parsed.reply.text != nullptr) {
        parsed.text.assign(parsed.reply.text, parsed.reply.size);
    }
    return parsed;
}

redis_reply_status Measure(const std::string &text, size_t *size) {
    const std::vector<char> bytes(text.begin(), text.end());
    return redis_reply_measure(bytes.data(), bytes.size(), size);
}

TEST(RedisReply, ReadsEachKind) {
    EXPECT_EQ(Parse("+OK\r\n").reply.kind, REDIS_REPLY_STATUS);
    EXPECT_EQ(Parse("+OK\r\n").text, "OK");
    EXPECT_EQ(Parse("-ERR no\r\n").text, "ERR no");
    EXPECT_EQ(Parse(":-2\r\n").reply.integer, -2);
    EXPECT_EQ(Parse(":4294967295\r\n").reply.integer, 4294967295);
    EXPECT_EQ(Parse("$5\r\na\r\nb\n\r\n").text, std::string("a\r\nb\n"));
    EXPECT_EQ(Parse("$0\r\n\r\n").reply.kind, REDIS_REPLY_STRING);
    EXPECT_EQ(Parse("$-1\r\n").reply.kind, REDIS_REPLY_NIL);
    EXPECT_EQ(Parse("*-1\r\n").reply.kind, REDIS_REPLY_NIL);
    EXPECT_EQ(Parse("*3\r\n").reply.count, 3u);
    EXPECT_EQ(Parse("+OK\r\n+OK\r\n").size, 5u);
}

TEST(RedisReply, WaitsForAllOfIt) {
    const std::string whole = "*3\r\n$3\r\nabc\r\n:7\r\n*2\r\n+x\r\n$-1\r\n";
    size_t size = 0;
    for (size_t length = 0; length < whole.size(); length++) {
        EXPECT_EQ(Measure(whole.substr(0, length), &size), REDIS_REPLY_PARTIAL) << length;
    }
    EXPECT_EQ(Measure(whole + "+more\r\n", &size), REDIS_REPLY_COMPLETE);
    EXPECT_EQ(size, whole.size());
}

TEST(RedisReply, RefusesWhatIsNone) {
    for (const std::string &bad :
         {std::string("x"), std::string("+OK\rx"), std::string("$-2\r\n"), std::string("$01\r\n"),
          std::string("$+1\r\n"), std::string("$1\r\nab\r\n"), std::string("$1\r\na\rx"),
          std::string(":\r\n"), std::string(":1x\r\n"), std::string(":99999999999\r\n"),
          std::string("$262145\r\n"), std::string("*65537\r\n"), std::string("*2147483647\r\n"),
          std::string("$\0\r\n", 4), std::string("HTTP/1.1 400 Bad Request\r\n"),
          "+" + std::string(2000, 'a')}) {
        EXPECT_EQ(Parse(bad).status, REDIS_REPLY_INVALID) << bad.substr(0, 40);
    }
}

// Heads of arrays that promise more and more cost nothing, and end.
TEST(RedisReply, BoundsWhatArraysPromise) {
    std::string nested;
    for (int i = 0; i < 100; i++) {
        nested += "*65536\r\n";
    }
    size_t size;
    EXPECT_EQ(Measure(nested, &size), REDIS_REPLY_INVALID);
    EXPECT_EQ(Measure("$262144\r\n" + std::string(262144, 'x') + "\r\n", &size),
              REDIS_REPLY_INVALID);
}

TEST(RedisReply, KnowsErrorsByTheirFirstWord) {
    const std::string text = "-MOVED 1 a:1\r\n";
    redis_reply reply;
    size_t size;
    ASSERT_EQ(redis_reply_parse(text.data(), text.size(), &reply, &size), REDIS_REPLY_COMPLETE);
    EXPECT_TRUE(redis_reply_is_error(&reply, "MOVED"));
    EXPECT_FALSE(redis_reply_is_error(&reply, "MOVE"));
    EXPECT_FALSE(redis_reply_is_error(&reply, "MOVED 1 a:1 "));
}

} // namespace
