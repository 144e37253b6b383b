#include "server/records/query.h"

#include <gtest/gtest.h>

#include <string>

namespace {

query Parse(const std::string &line) {
    static std::string kept;
    kept = line;
    return query_parse(kept.data(), kept.size());
}

std::string Id(const query &query) {
    return {query.id.bytes, query.id.size};
}

TEST(Query, AnythingAtAll) {
    EXPECT_EQ(Parse("").kind, QUERY_ANY);
    EXPECT_EQ(Parse(" \t\r").kind, QUERY_ANY);
}

TEST(Query, All) {
    EXPECT_EQ(Parse("all").kind, QUERY_ALL);
    EXPECT_EQ(Parse(" all\r").kind, QUERY_ALL);
    EXPECT_EQ(Parse("all of them").kind, QUERY_ID_OR_ANY);
}

TEST(Query, ById) {
    query query = Parse("id 17\r");
    EXPECT_EQ(query.kind, QUERY_ID);
    EXPECT_EQ(Id(query), "17");
    query = Parse("id  a b ");
    EXPECT_EQ(query.kind, QUERY_ID);
    EXPECT_EQ(Id(query), "a b");
    query = Parse("id all");
    EXPECT_EQ(query.kind, QUERY_ID);
    EXPECT_EQ(Id(query), "all");
}

TEST(Query, AnIdAlone) {
    query query = Parse("17");
    EXPECT_EQ(query.kind, QUERY_ID);
    EXPECT_EQ(Id(query), "17");
    query = Parse("get data");
    EXPECT_EQ(query.kind, QUERY_ID_OR_ANY);
    EXPECT_EQ(Id(query), "get data");
    query = Parse("id");
    EXPECT_EQ(query.kind, QUERY_ID_OR_ANY);
    EXPECT_EQ(Id(query), "id");
}

} // namespace
