#include "server/station/call.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace {

using std::string_literals::operator""s;
using Headers = std::vector<std::pair<std::string, std::string>>;

struct call Make(const Headers &headers) {
    struct call call;
    call_begin(&call);
    for (const auto &[name, value] : headers) {
        call_add_header(&call, name.data(), name.size(), value.data(), value.size());
    }
    return call;
}

Headers With(Headers more) {
    Headers all = {{":method", "POST"},
                   {":scheme", "http"},
                   {":path", "/a.B/C"},
                   {"content-type", "application/grpc"},
                   {"te", "trailers"}};
    all.insert(all.end(), more.begin(), more.end());
    return all;
}

enum call_verdict Judge(const struct call &call, enum status status = STATUS_OK) {
    struct outcome outcome;
    const enum call_verdict verdict = call_judge_headers(&call, &outcome);
    EXPECT_EQ(outcome.status, status) << outcome.text;
    return verdict;
}

bool AddInput(struct call *call, const std::string &bytes) {
    return call_add_input(call, reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size());
}

enum call_message Peek(const struct call &call, std::string *message = nullptr,
                       enum status status = STATUS_OK) {
    struct wire_bytes bytes = {nullptr, 0};
    struct outcome outcome;
    const enum call_message result = call_peek_message(&call, &bytes, &outcome);
    EXPECT_EQ(outcome.status, status) << outcome.text;
    if (message != nullptr) {
        message->assign(reinterpret_cast<const char *>(bytes.bytes), bytes.size);
    }
    return result;
}

TEST(Call, AcceptsWhatClientsSend) {
    const struct call call = Make(With({{"grpc-timeout", "5S"}, {"user-agent", "x"}}));
    EXPECT_EQ(Judge(call), CALL_ACCEPTED);
    EXPECT_STREQ(call.path, "/a.B/C");
    EXPECT_EQ(call.timeout_ms, 5000);
    EXPECT_EQ(Make(With({})).timeout_ms, CALL_NO_TIMEOUT);
}

TEST(Call, OnlyPostIsACall) {
    EXPECT_EQ(Judge(Make(With({{":method", "GET"}}))), CALL_IS_NO_POST);
    EXPECT_EQ(Judge(Make({})), CALL_IS_NO_POST);
}

TEST(Call, KnowsTheContentTypesOfGrpc) {
    for (const char *type : {"application/grpc", "application/grpc+proto", "application/grpc+json",
                             "application/grpc;x=y", "Application/GRPC"}) {
        EXPECT_EQ(Judge(Make(With({{"content-type", type}}))), CALL_ACCEPTED) << type;
    }
    for (const char *type : {"", "application/json", "application/grpc-web", "application/grp",
                             "application/grpcx", "text/plain; application/grpc"}) {
        EXPECT_EQ(Judge(Make(With({{"content-type", type}}))), CALL_IS_NO_GRPC) << type;
    }
}

TEST(Call, RefusesCompression) {
    EXPECT_EQ(Judge(Make(With({{"grpc-encoding", "identity"}}))), CALL_ACCEPTED);
    EXPECT_EQ(Judge(Make(With({{"grpc-encoding", "gzip"}})), STATUS_UNIMPLEMENTED), CALL_REFUSED);
}

TEST(Call, WhatIsBadOnceStaysBad) {
    const auto twice = [](const std::string &name, const std::string &one,
                          const std::string &other) {
        return Make(With({{name, one}, {name, other}}));
    };
    EXPECT_EQ(Judge(twice("content-type", "text/plain", "application/grpc")), CALL_IS_NO_GRPC);
    EXPECT_EQ(Judge(twice("grpc-encoding", "gzip", "identity"), STATUS_UNIMPLEMENTED),
              CALL_REFUSED);
    for (const char *one : {"soon", "1S"}) {
        EXPECT_EQ(Judge(twice("grpc-timeout", one, "1S"), STATUS_INVALID_ARGUMENT), CALL_REFUSED);
    }
}

TEST(Call, RefusesMoreThan8KiBOfHeaders) {
    struct call call = Make(With({}));
    const size_t room = LIMIT_HEADER_LIST_SIZE_MAX - call.header_list_size - 32 - 1;
    const std::string value(room, 'v');
    call_add_header(&call, "n", 1, value.data(), value.size());
    EXPECT_EQ(Judge(call), CALL_ACCEPTED);
    call_add_header(&call, "", 0, "", 0);
    EXPECT_EQ(Judge(call, STATUS_RESOURCE_EXHAUSTED), CALL_REFUSED);
}

TEST(Call, APathThatIsTooLongOrHasANulNamesNothing) {
    EXPECT_STREQ(Make(With({{":path", std::string(LIMIT_PATH_SIZE - 1, 'p')}})).path,
                 std::string(LIMIT_PATH_SIZE - 1, 'p').c_str());
    EXPECT_STREQ(Make(With({{":path", std::string(LIMIT_PATH_SIZE, 'p')}})).path, "");
    EXPECT_STREQ(Make(With({{":path", "/a.B/C\0"s}})).path, "");
}

TEST(Call, ReadsTimeouts) {
    const std::pair<const char *, int64_t> good[] = {
        {"1H", 3600000},     {"2M", 120000},
        {"3S", 3000},        {"4m", 4},
        {"5u", 1},           {"1001u", 2},
        {"1n", 1},           {"0n", 0},
        {"1000000n", 1},     {"99999999H", 359999996400000},
        {"00000001S", 1000},
    };
    for (const auto &[text, expected] : good) {
        int64_t timeout_ms = -1;
        EXPECT_TRUE(call_parse_timeout(text, strlen(text), &timeout_ms)) << text;
        EXPECT_EQ(timeout_ms, expected) << text;
    }
    for (const char *text : {"", "S", "5", "5s", "5h", "-1S", "+1S", " 1S", "1 S", "1.5S",
                             "123456789S", "5SS", "0x1S"}) {
        int64_t timeout_ms;
        EXPECT_FALSE(call_parse_timeout(text, strlen(text), &timeout_ms)) << text;
        EXPECT_EQ(Judge(Make(With({{"grpc-timeout", text}})), STATUS_INVALID_ARGUMENT),
                  CALL_REFUSED);
    }
}

TEST(Call, FindsMessagesHoweverTheyAreCut) {
    const std::string bytes = "\0\0\0\0\3abc\0\0\0\0\0\0\0\0\0\1x"s;
    for (size_t cut = 0; cut <= bytes.size(); cut++) {
        struct call call = Make({});
        std::vector<std::string> messages;
        for (const std::string &piece : {bytes.substr(0, cut), bytes.substr(cut)}) {
            ASSERT_TRUE(AddInput(&call, piece));
            std::string message;
            while (Peek(call, &message) == CALL_MESSAGE_COMPLETE) {
                messages.push_back(message);
                EXPECT_EQ(call_drop_message(&call), message.size() + CALL_PREFIX_SIZE);
            }
        }
        EXPECT_EQ(messages, (std::vector<std::string>{"abc", "", "x"})) << cut;
        EXPECT_EQ(call.input_size, 0U);
    }
}

TEST(Call, JudgesThePrefixAsSoonAsItIsThere) {
    struct call call = Make({});
    ASSERT_TRUE(AddInput(&call, "\1"s));
    EXPECT_EQ(Peek(call, nullptr, STATUS_INTERNAL), CALL_MESSAGE_BAD) << "compressed";
    call = Make({});
    ASSERT_TRUE(AddInput(&call, "\2"s));
    EXPECT_EQ(Peek(call, nullptr, STATUS_INTERNAL), CALL_MESSAGE_BAD);
    call = Make({});
    ASSERT_TRUE(AddInput(&call, "\0\0\0\2\1"s));
    EXPECT_EQ(Peek(call, nullptr, STATUS_RESOURCE_EXHAUSTED), CALL_MESSAGE_BAD) << "513 bytes";
    call = Make({});
    ASSERT_TRUE(AddInput(&call, "\0\xff\xff\xff\xff"s));
    EXPECT_EQ(Peek(call, nullptr, STATUS_RESOURCE_EXHAUSTED), CALL_MESSAGE_BAD);
}

TEST(Call, TakesTheLargestMessageAndNoMoreThanItsRoom) {
    struct call call = Make({});
    ASSERT_TRUE(AddInput(&call, "\0\0\0\2\0"s + std::string(512, 'm')));
    std::string message;
    EXPECT_EQ(Peek(call, &message), CALL_MESSAGE_COMPLETE);
    EXPECT_EQ(message, std::string(512, 'm'));
    ASSERT_TRUE(AddInput(&call, std::string(LIMIT_STREAM_INPUT_SIZE - 517, 'r')));
    EXPECT_FALSE(AddInput(&call, "x"));
}

TEST(Call, WritesPrefixes) {
    uint8_t prefix[CALL_PREFIX_SIZE];
    call_write_prefix(0x01020304, prefix);
    EXPECT_EQ(std::string(prefix, prefix + sizeof prefix), "\0\1\2\3\4"s);
}

} // namespace
