// What every store promises, tried on each of them. What only one of them can get wrong has a test
// of its own: sqlite_store_test.cc, file_store_test.cc, mysql_store_test.cc.
#include "server/records/store/store.h"

#include <gtest/gtest.h>

#include <string>

#include "server/records/json/limits.h"
#include "server/records/store/mariadb_server.h"
#include "server/records/store/store_harness.h"
#include "testing/files.h"

namespace harness {
namespace {

class StoreTest : public testing::TestWithParam<const char *> {
  protected:
    void SetUp() override {
        std::string scheme = GetParam();
        if (scheme == "mysql") {
            if (!MariadbServer::WhyNot().empty()) {
                GTEST_SKIP() << MariadbServer::WhyNot();
            }
            location_ = MariadbServer::Shared()->Location();
        } else {
            location_ = scheme + ":" + directory_.File("store");
        }
    }
    TemporaryDirectory directory_;
    std::string location_;
};

TEST_P(StoreTest, AnEmptyStore) {
    auto store = Open(location_);
    EXPECT_EQ(ReadAll(store.get()), People{});
    EXPECT_EQ(Find(store.get(), "1"), People{});
}

TEST_P(StoreTest, WhatWasWrittenIsThereInItsOrderAndStays) {
    People people = {{"1", "John Doe", "25"}, {"2", "Jane Roe", "31"}};
    {
        auto store = Open(location_);
        Writer writer(store.get());
        EXPECT_EQ(writer.Write({people[0]}), "");
        EXPECT_EQ(writer.Write({people[1]}), "");
        EXPECT_EQ(ReadAll(store.get()), people);
    }
    auto store = Open(location_, true);
    EXPECT_EQ(ReadAll(store.get()), people);
    Writer writer(store.get());
    EXPECT_EQ(writer.Write({{"3", "n", "a"}}), "");
    people.push_back({"3", "n", "a"});
    EXPECT_EQ(ReadAll(store.get()), people);
}

TEST_P(StoreTest, AnyTextComesBackAsItWas) {
    std::string large(RECORDS_RECORD_SIZE_MAX - 100, 'x');
    People people = {{"", "", ""},
                     {"'\"\\", "'; DROP TABLE user_data; --", "%_`"},
                     {"Zoë", "日本 😀", "\n\r\t\x01\x1f\x7f"},
                     {large, "n", "a"},
                     {"i", large, "a"},
                     {"i", std::string(RECORDS_RECORD_SIZE_MAX / 2 - 100, '\''), "a"}};
    auto store = Open(location_);
    Writer writer(store.get());
    EXPECT_EQ(writer.Write(people), "");
    EXPECT_EQ(ReadAll(store.get()), people);
    for (const Person &person : people) {
        if (person.id != "i") {
            EXPECT_EQ(Find(store.get(), person.id), People{person});
        }
    }
}

TEST_P(StoreTest, FindIsExact) {
    People people = {
        {"a", "1", ""}, {"A", "2", ""}, {"a ", "3", ""}, {"a", "4", ""}, {"á", "5", ""}};
    auto store = Open(location_);
    Writer writer(store.get());
    EXPECT_EQ(writer.Write(people), "");
    EXPECT_EQ(Find(store.get(), "a"), (People{people[0], people[3]}));
    EXPECT_EQ(Find(store.get(), "A"), People{people[1]});
    EXPECT_EQ(Find(store.get(), "a "), People{people[2]});
    EXPECT_EQ(Find(store.get(), "á"), People{people[4]});
    EXPECT_EQ(Find(store.get(), "b"), People{});
}

TEST_P(StoreTest, ManyRecordsInOneBatchAndOverManyPages) {
    People people = ManyPeople(10000);
    auto store = Open(location_);
    Writer writer(store.get());
    EXPECT_EQ(writer.Write(people), "");
    EXPECT_EQ(ReadAll(store.get()), people);
    EXPECT_EQ(Find(store.get(), "9999"), People{people[9999]});
}

TEST_P(StoreTest, AReaderSeesWhatWasThereWhenItBegan) {
    People people = ManyPeople(1000);
    auto store = Open(location_);
    Writer writer(store.get());
    EXPECT_EQ(writer.Write(people), "");
    Reader reader(store.get());
    EXPECT_EQ(writer.Write({{"later", "n", "a"}}), "");
    EXPECT_EQ(reader.Rest(), people);
    EXPECT_EQ(ReadAll(store.get()).size(), people.size() + 1);
}

TEST_P(StoreTest, AReaderMayStopHalfWay) {
    auto store = Open(location_);
    Writer writer(store.get());
    EXPECT_EQ(writer.Write(ManyPeople(5000)), "");
    store_reader *reader = store_reader_open(store.get());
    char message[MESSAGE_SIZE];
    // And begin anew.
    for (int count = 0; count < 2; count++) {
        record record;
        ASSERT_EQ(store_reader_connect(reader, message), STORE_OK);
        ASSERT_EQ(store_reader_begin(reader, nullptr, message), STORE_OK);
        ASSERT_EQ(store_reader_next(reader, &record, message), STORE_OK);
        EXPECT_EQ(std::string(record.id.bytes, record.id.size), "0");
        store_reader_end(reader);
    }
    store_reader_close(reader);
}

TEST_P(StoreTest, AReaderThatHasNotBegunCanBeClosed) {
    auto store = Open(location_);
    store_reader_close(store_reader_open(store.get()));
}

INSTANTIATE_TEST_SUITE_P(Stores, StoreTest, testing::Values("sqlite", "file", "mysql"),
                         [](const auto &param_info) { return std::string(param_info.param); });

TEST(Store, LocationsThatAreNone) {
    EXPECT_EQ(WhyNotOpen("records.db"),
              "usage: a store is sqlite:PATH, file:PATH or mysql://..., not 'records.db'");
    EXPECT_EQ(WhyNotOpen("sqlite:"), "usage: the store sqlite: needs a path");
    EXPECT_EQ(WhyNotOpen("file:"), "usage: the store file: needs a path");
    EXPECT_EQ(WhyNotOpen("mysql://x").rfind("usage: a MySQL store is mysql://USER@HOST", 0), 0u);
}

TEST(Store, PathsThatCannotBeOpened) {
    TemporaryDirectory directory;
    EXPECT_NE(WhyNotOpen("sqlite:" + directory.File("no/such")).find("unable to open"),
              std::string::npos);
    EXPECT_EQ(WhyNotOpen("file:" + directory.File("no/such")),
              directory.File("no/such") + ": No such file or directory");
    EXPECT_EQ(WhyNotOpen("file:/dev/null"), "/dev/null: it is no regular file");
    WriteFile(directory.File("text"), std::string(10000, 'x'));
    EXPECT_NE(WhyNotOpen("sqlite:" + directory.File("text")).find("not a database"),
              std::string::npos);
}

} // namespace
} // namespace harness
