// What only the SQLite store can get wrong.
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "server/records/store/sqlite_database.h"
#include "server/records/store/store_harness.h"
#include "testing/files.h"

namespace harness {
namespace {

class SqliteStore : public testing::Test {
  protected:
    const TemporaryDirectory directory_;
    const std::string path_ = directory_.File("store");
    const std::string location_ = "sqlite:" + path_;
};

TEST_F(SqliteStore, ALockedDatabaseIsUnavailableUntilItIsNot) {
    auto store = Open(location_);
    Writer writer(store.get());
    People people = {{"1", "n", "a"}};
    EXPECT_EQ(writer.Write(people), "");

    sqlite3 *other = nullptr;
    ASSERT_EQ(sqlite3_open(path_.c_str(), &other), SQLITE_OK);
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

TEST_F(SqliteStore, ADatabaseThatIsNoFileIsRefused) {
    std::vector<std::string> paths = {":memory:"};
    if (sqlite3_compileoption_used("USE_URI")) {
        paths.insert(paths.end(), {"file::memory:", "file:some?mode=memory", "file:"});
    }
    for (const std::string &path : paths) {
        EXPECT_EQ(WhyNotOpen("sqlite:" + path),
                  "usage: the store sqlite:" + path + " is no file, so nothing would stay");
    }
}

TEST_F(SqliteStore, ATableThatDoesNotFitIsRefused) {
    const std::vector<std::pair<std::string, std::string>> tables = {
        {"(id TEXT)", "table user_data has no column named name"},
        {"(id TEXT PRIMARY KEY, name TEXT, age TEXT)",
         "user_data may refuse records: it has the unique index sqlite_autoindex_user_data_1"},
        {"(id TEXT, name TEXT, age TEXT, UNIQUE (id, name))",
         "user_data may refuse records: it has the unique index sqlite_autoindex_user_data_1"},
        {"(ID INTEGER PRIMARY KEY, name TEXT, age TEXT)",
         "user_data may refuse records: it has the primary key ID"},
        {"(id TEXT, name TEXT, age TEXT, more INT NOT NULL)",
         "user_data may refuse records: it has the column more, NOT NULL and without a default"},
        {"(id TEXT, name TEXT, age INTEGER)",
         "user_data would change texts: its column age is INTEGER; make it TEXT"},
        {"(Id INT, name TEXT, age TEXT)", "its column Id is INT; make it TEXT"},
        {"(id TEXT, name STRING, age TEXT)", "its column name is STRING; make it TEXT"},
        {"(id TEXT, name TEXT, age REAL)", "its column age is REAL; make it TEXT"},
        {"(id NUMERIC, name TEXT, age TEXT)", "its column id is NUMERIC; make it TEXT"},
        {"(id TEXT, name TEXT, age DECIMAL(10, 5))", "its column age is DECIMAL(10, 5); make it"},
        {"(id TEXT, name BLOB, age TEXT) STRICT", "its column name is BLOB; make it TEXT"},
        {"(id TEXT, name TEXT, age INT) STRICT", "its column age is INT; make it TEXT"},
        {"(id TEXT, name TEXT, age TEXT AS (id))", "cannot INSERT into generated column"},
        {"(rowid TEXT, id TEXT, name TEXT, age TEXT)", "user_data has a column called rowid"},
        {"(id TEXT COLLATE NOCASE, name TEXT, age TEXT)",
         "its column id is COLLATE NOCASE; make it COLLATE BINARY"},
        {"(id TEXT COLLATE RTRIM, name TEXT, age TEXT)", "its column id is COLLATE RTRIM"},
    };
    for (const auto &[columns, message] : tables) {
        TemporaryDirectory directory;
        const std::string path = directory.File("store");
        RunSqlite(path, "CREATE TABLE user_data " + columns);
        const std::string reason = WhyNotOpen("sqlite:" + path);
        EXPECT_NE(reason.find(message), std::string::npos) << columns << ": " << reason;
    }
}

TEST_F(SqliteStore, AFileThatIsReadOnlyIsRefused) {
    RunSqlite(path_, "PRAGMA journal_mode = WAL");
    // Root may write to any file, and SQLite still knows a database for reading only.
    const bool is_root = geteuid() == 0;
    if (is_root && !sqlite3_compileoption_used("USE_URI")) {
        GTEST_SKIP() << "this SQLite takes no URI";
    }
    ASSERT_EQ(chmod(path_.c_str(), 0444), 0);
    EXPECT_NE(WhyNotOpen("sqlite:" + (is_root ? "file:" + path_ + "?mode=ro" : path_))
                  .find("is read-only; this user must be able to write to the file"),
              std::string::npos);
}

TEST_F(SqliteStore, ATableWithColumnsThatFillThemselvesIsTaken) {
    for (const std::string columns :
         {"(number INTEGER PRIMARY KEY NOT NULL, id TEXT, name TEXT NOT NULL, age TEXT, note TEXT, "
          "kind INT NOT NULL DEFAULT 3)",
          "(rowid INTEGER PRIMARY KEY AUTOINCREMENT, id VARCHAR(20), name, age BLOB, "
          "length INT AS (length(name)))",
          "(id TEXT, name TEXT, age TEXT) STRICT"}) {
        RunSqlite(path_, "DROP TABLE IF EXISTS user_data; CREATE TABLE user_data " + columns +
                             "; CREATE INDEX names ON user_data (name)");
        auto store = Open(location_);
        Writer writer(store.get());
        const People people = {{"1", "1e3", "007"}, {"1", "n", "1.0"}};
        EXPECT_EQ(writer.Write(people), "");
        EXPECT_EQ(ReadAll(store.get()), people);
        EXPECT_EQ(Find(store.get(), "1"), people);
    }
}

// Whoever shares the database may have numbered its rows by itself.
TEST_F(SqliteStore, RowsOfAnyNumberAreFound) {
    auto store = Open(location_);
    Writer writer(store.get());
    for (const char *number : {"-9223372036854775807", "-1", "0"}) {
        RunSqlite(path_, "INSERT INTO user_data (rowid, id, name, age) VALUES (" +
                             std::string(number) + ", 'i', 'n', '" + number + "')");
    }
    EXPECT_EQ(ReadAll(store.get()).size(), 3u);
    EXPECT_EQ(writer.Write({{"i", "n", "ours"}}), "");
    const People people = {
        {"i", "n", "-9223372036854775807"}, {"i", "n", "-1"}, {"i", "n", "0"}, {"i", "n", "ours"}};
    EXPECT_EQ(ReadAll(store.get()), people);
    EXPECT_EQ(Find(store.get(), "i"), people);
}

// What was written before is in the file that was there, what is written afterwards in the new one.
TEST_F(SqliteStore, AFileThatIsMovedAway) {
    const People first = ManyPeople(1000);
    const People second = {{"later", "n", "a"}};
    auto store = Open(location_);
    Writer writer(store.get());
    EXPECT_EQ(writer.Write(first), "");
    ASSERT_EQ(rename(path_.c_str(), directory_.File("moved").c_str()), 0);
    EXPECT_EQ(writer.Write(second), "");
    EXPECT_EQ(ReadAll(store.get()), second);
    EXPECT_EQ(ReadAll(Open(location_).get()), second) << "as a later reader finds it";
    EXPECT_EQ(ReadAll(Open("sqlite:" + directory_.File("moved")).get()), first);
}

TEST_F(SqliteStore, AFileThatIsRemoved) {
    auto store = Open(location_);
    Writer writer(store.get());
    EXPECT_EQ(writer.Write(ManyPeople(10)), "");
    for (const bool is_all : {false, true}) {
        for (const char *end : {"", "-wal", "-shm"}) {
            if (is_all || end[0] == '\0') {
                unlink((path_ + end).c_str());
            }
        }
        const People people = {{is_all ? "all" : "one", "n", "a"}};
        EXPECT_EQ(writer.Write(people), "");
        EXPECT_EQ(ReadAll(store.get()), people);
    }
    EXPECT_EQ(ReadAll(Open(location_).get()), (People{{"all", "n", "a"}}));
}

TEST_F(SqliteStore, AFileThatIsReplaced) {
    const People theirs = {{"theirs", "n", "a"}};
    {
        auto other = Open("sqlite:" + directory_.File("other"));
        EXPECT_EQ(Writer(other.get()).Write(theirs), "");
    }
    auto store = Open(location_);
    Writer writer(store.get());
    EXPECT_EQ(writer.Write(ManyPeople(1000)), "");
    ASSERT_EQ(rename(directory_.File("other").c_str(), path_.c_str()), 0);
    EXPECT_EQ(writer.Write({{"ours", "n", "a"}}), "");
    const People both = {theirs[0], {"ours", "n", "a"}};
    EXPECT_EQ(ReadAll(store.get()), both);
    EXPECT_EQ(ReadAll(Open(location_).get()), both);
}

// SQLite itself knows the file by the path that it found behind all links.
TEST_F(SqliteStore, ALinkThatIsTurned) {
    for (const char *name : {"one", "other"}) {
        ASSERT_EQ(mkdir(directory_.File(name).c_str(), 0755), 0);
    }
    ASSERT_EQ(symlink("one", directory_.File("link").c_str()), 0);
    const std::string path = directory_.File("link/store");
    const People first = ManyPeople(1000);
    const People second = {{"later", "n", "a"}};
    auto store = Open("sqlite:" + path);
    Writer writer(store.get());
    EXPECT_EQ(writer.Write(first), "");
    EXPECT_EQ(ReadAll(store.get()), first);
    ASSERT_EQ(unlink(directory_.File("link").c_str()), 0);
    ASSERT_EQ(symlink("other", directory_.File("link").c_str()), 0);
    EXPECT_EQ(writer.Write(second), "");
    EXPECT_EQ(ReadAll(store.get()), second);
    EXPECT_EQ(ReadAll(Open("sqlite:" + path).get()), second);
    EXPECT_EQ(ReadAll(Open("sqlite:" + directory_.File("one/store")).get()), first);
}

TEST_F(SqliteStore, AFileThatIsEmptied) {
    auto store = Open(location_);
    Writer writer(store.get());
    EXPECT_EQ(writer.Write(ManyPeople(1000)), "");
    EXPECT_EQ(ReadAll(store.get()).size(), 1000u);
    ASSERT_EQ(truncate(path_.c_str(), 0), 0);
    const People people = {{"later", "n", "a"}};
    EXPECT_EQ(writer.Write(people), "");
    EXPECT_EQ(ReadAll(store.get()), people);
    EXPECT_EQ(ReadAll(Open(location_).get()), people);
}

// What a quick reader cannot read within a moment is for one that may take its time.
TEST_F(SqliteStore, AQuickReaderGivesUp) {
    auto store = Open(location_);
    Writer writer(store.get());
    EXPECT_EQ(writer.Write({{"rare", "n", "a"}}), "");
    EXPECT_EQ(writer.Write(People(20000, {"same", "n", "a"})), "");
    store_reader *reader = store_quick_reader_open(store.get());
    ASSERT_NE(reader, nullptr);
    const auto count = [&](const std::string &id) {
        const record_text text = {id.data(), id.size()};
        char message[MESSAGE_SIZE] = "";
        record record;
        int found_count = 0;
        store_status status = store_reader_connect(reader, message);
        if (status == STORE_OK) {
            status = store_reader_begin(reader, &text, message);
        }
        while (status == STORE_OK) {
            status = store_reader_next(reader, &record, message);
            found_count += status == STORE_OK ? 1 : 0;
        }
        store_reader_end(reader);
        return status == STORE_END ? found_count : -1;
    };
    for (int round = 0; round < 2; round++) {
        EXPECT_EQ(count("same"), -1);
        // Often enough for the steps of all of them together to be many.
        for (int lookup = 0; lookup < 2000; lookup++) {
            ASSERT_EQ(count("rare"), 1) << lookup;
        }
    }
    store_reader_close(reader);
    EXPECT_EQ(Find(store.get(), "same").size(), 20000u);
}

// Nothing is made where somebody only wants to read.
TEST_F(SqliteStore, AReaderMakesNoFile) {
    auto store = Open(location_);
    unlink(path_.c_str());
    store_reader *reader = store_reader_open(store.get());
    char message[MESSAGE_SIZE] = "";
    EXPECT_EQ(store_reader_connect(reader, message), STORE_UNAVAILABLE);
    store_reader_close(reader);
    EXPECT_NE(access(path_.c_str(), F_OK), 0);
}

} // namespace
} // namespace harness
