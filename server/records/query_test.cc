#include "server/records/query.h"

#include <gtest/gtest.h>

#include <string>

namespace {

// The kind, and in brackets the id of those that have one.
std::string Parse(const std::string &line) {
    const query query = query_parse(line.data(), line.size());
    const std::string id(query.id.bytes == nullptr ? "" : query.id.bytes, query.id.size);
    switch (query.kind) {
    case QUERY_ANY:
        return "any";
    case QUERY_ALL:
        return "all";
    case QUERY_ID:
        return "id [" + id + "]";
    case QUERY_ID_OR_ANY:
        return "id or any [" + id + "]";
    }
    return "";
}

TEST(Query, AnythingAtAll) {
    EXPECT_EQ(Parse(""), "any");
    EXPECT_EQ(Parse(" \t\r"), "any");
}

TEST(Query, All) {
    EXPECT_EQ(Parse("all"), "all");
    EXPECT_EQ(Parse(" all\r"), "all");
    EXPECT_EQ(Parse("all of them"), "id or any [all of them]");
}

TEST(Query, ById) {
    EXPECT_EQ(Parse("id 17\r"), "id [17]");
    EXPECT_EQ(Parse("id  a b "), "id [a b]");
    EXPECT_EQ(Parse("id all"), "id [all]");
}

TEST(Query, AnIdAlone) {
    EXPECT_EQ(Parse("17"), "id [17]");
    EXPECT_EQ(Parse("get data"), "id or any [get data]");
    EXPECT_EQ(Parse("id"), "id or any [id]");
}

} // namespace
