// What only the SQLite store can get wrong.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <string>

#include "server/records/store_harness.h"
#include "testing/files.h"

namespace harness {
namespace {

TEST(SqliteStore, ALockedDatabaseIsUnavailableUntilItIsNot) {
    TemporaryDirectory directory;
    auto store = Open("sqlite:" + directory.File("store"));
    Writer writer(store.get());
    People people = {{"1", "n", "a"}};
    EXPECT_EQ(writer.Write(people), "");

    sqlite3 *other = nullptr;
    ASSERT_EQ(sqlite3_open(directory.File("store").c_str(), &other), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(other, "BEGIN EXCLUSIVE", nullptr, nullptr, nullptr), SQLITE_OK);
    Batch batch({{"2", "n", "a"}}, 2);
    EXPECT_EQ(writer.Write(batch), "SQLite: database is locked");
    EXPECT_EQ(ReadAll(store.get()), people) << "reading goes on";
    ASSERT_EQ(sqlite3_exec(other, "COMMIT", nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(other);
    EXPECT_EQ(writer.Write(batch), "");
    people.push_back({"2", "n", "a"});
    EXPECT_EQ(ReadAll(store.get()), people);
}

TEST(SqliteStore, ATableThatDoesNotFitIsRefused) {
    TemporaryDirectory directory;
    sqlite3 *other = nullptr;
    ASSERT_EQ(sqlite3_open(directory.File("store").c_str(), &other), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(other, "CREATE TABLE user_data (id TEXT)", nullptr, nullptr, nullptr),
              SQLITE_OK);
    sqlite3_close(other);
    EXPECT_NE(WhyNotOpen("sqlite:" + directory.File("store")).find("no column named name"),
              std::string::npos);
}

} // namespace
} // namespace harness
