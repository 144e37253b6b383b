// What every store promises, tried on each of them; then what only one of them can get wrong.
#include "server/records/store.h"

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <memory>
#include <string>
#include <vector>

#include "server/records/limits.h"
#include "server/records/mariadb_server.h"
#include "testing/files.h"

namespace {

using harness::MariadbServer;
using harness::ReadFile;
using harness::TemporaryDirectory;
using harness::WriteFile;

struct Person {
    std::string id, name, age;
};
bool operator==(const Person &left, const Person &right) {
    return left.id == right.id && left.name == right.name && left.age == right.age;
}
std::ostream &operator<<(std::ostream &stream, const Person &person) {
    return stream << person.id << "|" << person.name << "|" << person.age;
}
using People = std::vector<Person>;

record_text Text(const std::string &text) {
    return {text.data(), text.size()};
}

// A batch with texts of its own.
class Batch {
  public:
    Batch(const People &people, uint64_t sequence) : people_(people) {
        for (const Person &person : people_) {
            records_.push_back({Text(person.id), Text(person.name), Text(person.age)});
        }
        size_t size = 0;
        for (const record &record : records_) {
            size += record_lines_size_of(&record);
        }
        bytes_.resize(size);
        lines_.resize(records_.size());
        record_lines lines = {bytes_.data(), size, 0, lines_.data(), lines_.size(), 0};
        for (const record &record : records_) {
            EXPECT_TRUE(record_lines_append(&lines, &record));
        }
        batch_ = {lines_.data(), lines_.size(), 0, sequence, 0};
    }
    const record_batch *get() const {
        return &batch_;
    }

  private:
    People people_;
    std::vector<record> records_;
    std::vector<char> bytes_;
    std::vector<record_line> lines_;
    record_batch batch_;
};

std::unique_ptr<store, decltype(&store_close)> Open(const std::string &location,
                                                    bool syncs_always = false) {
    store_options options = {location.c_str(), MariadbServer::kPassword, syncs_always};
    bool is_usage_error = false;
    char message[RECORDS_MESSAGE_SIZE] = "";
    store *store = store_open(&options, &is_usage_error, message);
    EXPECT_NE(store, nullptr) << message;
    return {store, store_close};
}

// Why the store cannot be opened, "usage: " in front when the location is at fault.
std::string WhyNotOpen(const std::string &location) {
    store_options options = {location.c_str(), MariadbServer::kPassword, false};
    bool is_usage_error = false;
    char message[RECORDS_MESSAGE_SIZE] = "";
    store *store = store_open(&options, &is_usage_error, message);
    if (store != nullptr) {
        store_close(store);
        return "it can";
    }
    return (is_usage_error ? "usage: " : "") + std::string(message);
}

class Writer {
  public:
    explicit Writer(store *store) : writer_(store_writer_open(store, 0)) {}
    ~Writer() {
        store_writer_close(writer_);
    }
    Writer(const Writer &) = delete;
    Writer &operator=(const Writer &) = delete;

    // Empty, or why the batch could not be written.
    std::string Write(const Batch &batch) {
        char message[RECORDS_MESSAGE_SIZE] = "";
        if (store_writer_write(writer_, batch.get(), message) == STORE_OK) {
            return "";
        }
        return message;
    }
    // Writes people as the next batch.
    std::string Write(const People &people) {
        return Write(Batch(people, ++sequence_));
    }

  private:
    store_writer *writer_;
    uint64_t sequence_ = 0;
};

class Reader {
  public:
    explicit Reader(store *store, const std::string *id = nullptr)
        : reader_(store_reader_open(store)) {
        if (id != nullptr) {
            id_ = *id;
        }
        id_text_ = Text(id_);
        char message[RECORDS_MESSAGE_SIZE] = "";
        is_begun_ =
            store_reader_begin(reader_, id == nullptr ? nullptr : &id_text_, message) == STORE_OK;
        EXPECT_TRUE(is_begun_) << message;
    }
    ~Reader() {
        store_reader_close(reader_);
    }
    Reader(const Reader &) = delete;
    Reader &operator=(const Reader &) = delete;

    People Rest() {
        People people;
        record record;
        char message[RECORDS_MESSAGE_SIZE] = "";
        store_status status = is_begun_ ? STORE_OK : STORE_END;
        while (status == STORE_OK) {
            status = store_reader_next(reader_, &record, message);
            if (status == STORE_OK) {
                people.push_back({{record.id.bytes, record.id.size},
                                  {record.name.bytes, record.name.size},
                                  {record.age.bytes, record.age.size}});
            }
        }
        EXPECT_EQ(status, STORE_END) << message;
        return people;
    }
    uint64_t stored_sequence() {
        return store_reader_stored_sequence(reader_, 0);
    }

  private:
    store_reader *reader_;
    std::string id_;
    record_text id_text_;
    bool is_begun_;
};

People ReadAll(store *store) {
    return Reader(store).Rest();
}

People Find(store *store, const std::string &id) {
    return Reader(store, &id).Rest();
}

People ManyPeople(size_t count) {
    People people;
    for (size_t i = 0; i < count; i++) {
        people.push_back({std::to_string(i), "name " + std::to_string(i), "30"});
    }
    return people;
}

// One MariaDB for all tests of this program: starting it takes a moment.
MariadbServer *SharedMariadb() {
    static MariadbServer *server = new MariadbServer;
    return server;
}

class StoreTest : public testing::TestWithParam<const char *> {
  protected:
    void SetUp() override {
        std::string scheme = GetParam();
        if (scheme == "mysql") {
            if (!MariadbServer::WhyNot().empty()) {
                GTEST_SKIP() << MariadbServer::WhyNot();
            }
            SharedMariadb()->Query("DROP TABLE IF EXISTS user_data");
            location_ = SharedMariadb()->Location();
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
    char message[RECORDS_MESSAGE_SIZE];
    ASSERT_EQ(store_reader_begin(reader, nullptr, message), STORE_OK);
    record record;
    ASSERT_EQ(store_reader_next(reader, &record, message), STORE_OK);
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
    EXPECT_EQ(WhyNotOpen("mysql://x"), "usage: a MySQL store is mysql://USER@HOST[:PORT]/DATABASE");
}

TEST(Store, PathsThatCannotBeOpened) {
    TemporaryDirectory directory;
    EXPECT_NE(WhyNotOpen("sqlite:" + directory.File("no/such")).find("unable to open"),
              std::string::npos);
    EXPECT_EQ(WhyNotOpen("file:" + directory.File("no/such")),
              directory.File("no/such") + ": No such file or directory");
    EXPECT_EQ(WhyNotOpen("file:/dev/null"), "/dev/null: Invalid argument");
    WriteFile(directory.File("text"), std::string(10000, 'x'));
    EXPECT_NE(WhyNotOpen("sqlite:" + directory.File("text")).find("not a database"),
              std::string::npos);
}

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

TEST(FileStore, ATornLastLineIsCutOff) {
    TemporaryDirectory directory;
    const std::string line = "{\"id\": \"1\", \"name\": \"n\", \"age\": \"a\"}\n";
    for (const std::string &torn :
         {std::string("{"), line.substr(0, line.size() - 1), std::string(10000, 'x')}) {
        WriteFile(directory.File("store"), line + torn);
        auto store = Open("file:" + directory.File("store"));
        EXPECT_EQ(ReadFile(directory.File("store")), line);
        EXPECT_EQ(ReadAll(store.get()), (People{{"1", "n", "a"}}));
    }
    WriteFile(directory.File("store"), "torn");
    Open("file:" + directory.File("store"));
    EXPECT_EQ(ReadFile(directory.File("store")), "");
}

TEST(FileStore, TheLinesAreJson) {
    TemporaryDirectory directory;
    auto store = Open("file:" + directory.File("store"));
    Writer writer(store.get());
    EXPECT_EQ(writer.Write({{"1", "\"Joe\"", "2"}}), "");
    EXPECT_EQ(ReadFile(directory.File("store")),
              "{\"id\": \"1\", \"name\": \"\\\"Joe\\\"\", \"age\": \"2\"}\n");
}

TEST(FileStore, ASecondServerIsRefused) {
    TemporaryDirectory directory;
    auto store = Open("file:" + directory.File("store"));
    EXPECT_EQ(WhyNotOpen("file:" + directory.File("store")),
              directory.File("store") + ": another server has it open");
}

// The limit stands for a full disk: the write stops in the middle of a line.
TEST(FileStore, AWriteThatStopsHalfWayLeavesNothingBehind) {
    signal(SIGXFSZ, SIG_IGN);
    TemporaryDirectory directory;
    auto store = Open("file:" + directory.File("store"));
    Writer writer(store.get());
    People first = ManyPeople(100);
    EXPECT_EQ(writer.Write(first), "");
    const std::string before = ReadFile(directory.File("store"));

    rlimit old_limit;
    ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &old_limit), 0);
    rlimit limit = {before.size() + 1000, old_limit.rlim_max};
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
    Batch batch(ManyPeople(20000), 2);
    EXPECT_EQ(writer.Write(batch), "writing: File too large");
    EXPECT_EQ(ReadFile(directory.File("store")), before);
    EXPECT_EQ(ReadAll(store.get()), first);
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &old_limit), 0);
    EXPECT_EQ(writer.Write(batch), "");
    EXPECT_EQ(ReadAll(store.get()).size(), 20100u);
}

} // namespace
