// The records server with stores that do not take all that it has for them.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "server/records/records_process.h"
#include "server/records/store/mariadb_server.h"
#include "server/records/store/sqlite_database.h"
#include "testing/files.h"
#include "testing/http_client.h"

namespace harness {
namespace {

std::string Record(const std::string &id, const std::string &name) {
    return R"({"id": ")" + id + R"(", "name": ")" + name + R"(", "age": "7"})" + "\n";
}

// Its table refuses names in every way that there is.
class Rejects : public testing::Test {
  protected:
    void SetUp() override {
        RunSqlite(database_,
                  "CREATE TABLE user_data (id TEXT, name TEXT CHECK (name != 'check'), age TEXT);"
                  "CREATE INDEX functions ON user_data (json_extract(name, '$')) "
                  "WHERE name LIKE '[%';"
                  "CREATE TRIGGER ignored BEFORE INSERT ON user_data WHEN new.name = 'ignore' "
                  "BEGIN SELECT RAISE(IGNORE); END;"
                  "CREATE TRIGGER refused BEFORE INSERT ON user_data WHEN new.name = 'abort' "
                  "BEGIN SELECT RAISE(ABORT, 'a \"reason\"'); END;"
                  "CREATE TRIGGER undone BEFORE INSERT ON user_data WHEN new.name = 'rollback' "
                  "BEGIN SELECT RAISE(ROLLBACK, 'undone'); END");
    }
    // Everything that is good around everything that is bad.
    std::string Input() const {
        std::string input;
        for (int count = 0; count < 50; count++) {
            for (const char *name :
                 {"good", "check", "good", "ignore", "abort", "rollback", "[", "good"}) {
                if (name == std::string("good") || count == 7 || count == 31) {
                    input += Record(std::to_string(count), name);
                }
            }
        }
        return input;
    }
    std::string Stored() const {
        return RunSqlite(database_, "SELECT name || ' ' || count(*) FROM user_data GROUP BY name");
    }

    TemporaryDirectory directory_;
    const std::string database_ = directory_.File("records.db");
    const std::string rejects_ = directory_.File("rejects.jsonl");
};

TEST_F(Rejects, GoToAFileAndHoldUpNothing) {
    RecordsServer server(
        {"--store=sqlite:" + database_, "--ack", "--rejects=" + rejects_, "--http-port=0"});
    EXPECT_EQ(server.Ingest(Input()),
              "{\"error\": \"the store refused 10 records for good\"}\n{\"stored\": 150}\n");
    EXPECT_EQ(Stored(), "good 150\n");
    const std::uint16_t http_port = WaitForHttpPort(&server.process());
    EXPECT_EQ(MetricValue(HttpGet(http_port, "/metrics").body, "records_refused_total"), 10);
    std::vector<std::string> lines = SplitLines(ReadFile(rejects_));
    EXPECT_EQ(lines.size(), 10u);
    for (const std::string line :
         {R"({"id": "7", "name": "check", "age": "7", "reason": "SQLite: CHECK constraint failed)",
          R"({"id": "31", "name": "abort", "age": "7", "reason": "SQLite: a \"reason\""})",
          R"({"id": "31", "name": "rollback", "age": "7", "reason": "SQLite: undone"})",
          R"({"id": "7", "name": "[", "age": "7", "reason": "SQLite: malformed JSON"})",
          R"({"id": "7", "name": "ignore", "age": "7", "reason": "SQLite: a trigger)"}) {
        EXPECT_EQ(
            std::count_if(lines.begin(), lines.end(),
                          [&](const std::string &other) { return other.rfind(line, 0) == 0; }),
            1)
            << line;
    }
    struct stat status;
    ASSERT_EQ(stat(rejects_.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0027, 0u);
    EXPECT_EQ(server.Stop(), Exited(0));
    EXPECT_EQ(server.CountMessages("so far are in"), 1u);
    EXPECT_EQ(server.CountMessages("the store refused 10 records for good"), 1u);
}

TEST_F(Rejects, AreLoggedWhereThereIsNoFile) {
    RecordsServer server({"--store=sqlite:" + database_, "--ack"});
    EXPECT_EQ(server.Ingest(Record("1", "good") + Record("2\\u001b\\u009b", "check")),
              "{\"error\": \"the store refused 1 records for good\"}\n{\"stored\": 1}\n");
    EXPECT_EQ(Stored(), "good 1\n");
    EXPECT_TRUE(server.process().WaitForErrors(HasLineWith(
        "the store refuses a record for good, it is dropped: id 2\\x1b\\xc2\\x9b: SQLite: CHECK")))
        << server.process().errors();
    // Of another sender, and later, nothing is refused.
    EXPECT_EQ(server.Ingest(Record("3", "good")), "{\"stored\": 1}\n");
}

// A file that was moved, removed, torn by somebody, or is full, loses nothing.
TEST_F(Rejects, AFileThatChangesUnderTheServer) {
    WriteFile(rejects_, "{\"torn");
    RecordsServer server({"--store=sqlite:" + database_, "--ack", "--rejects=" + rejects_});
    server.Ingest(Record("1", "check"));
    EXPECT_EQ(SplitLines(ReadFile(rejects_)).size(), 2u);
    ASSERT_EQ(rename(rejects_.c_str(), directory_.File("moved").c_str()), 0);
    server.Ingest(Record("2", "check"));
    EXPECT_EQ(ReadFile(rejects_).rfind(R"({"id": "2")", 0), 0u);
    EXPECT_EQ(SplitLines(ReadFile(directory_.File("moved"))).size(), 2u);
    unlink(rejects_.c_str());
    // What cannot be put down is not dropped: it waits until it can.
    ASSERT_EQ(symlink("/dev/full", rejects_.c_str()), 0);
    TcpClient client(server.ingest_port());
    ASSERT_TRUE(client.Send(Record("3", "check") + Record("4", "good")));
    client.HalfClose();
    ASSERT_TRUE(server.process().WaitForErrors(HasLineWith("the store takes no records")));
    EXPECT_EQ(server.CountMessages("it is a symbolic link"), 1u);
    unlink(rejects_.c_str());
    EXPECT_EQ(client.WaitForEnding(), Ending::kFin);
    EXPECT_EQ(client.received(),
              "{\"error\": \"the store refused 1 records for good\"}\n{\"stored\": 1}\n");
    EXPECT_EQ(SplitLines(ReadFile(rejects_)).size(), 1u);
    EXPECT_EQ(Stored(), "good 1\n");
}

TEST_F(Rejects, AFileThatCannotBeUsedIsRefusedAtTheStart) {
    ASSERT_EQ(symlink(database_.c_str(), directory_.File("link").c_str()), 0);
    for (const std::string &path : {directory_.File("link"), directory_.path(),
                                    std::string("/dev/null"), directory_.File("no/such")}) {
        ProcessResult result =
            RunToEnd(RecordsServerCommand({"--store=sqlite:" + database_, "--ingest-port=0",
                                           "--query-port=0", "--rejects=" + path}));
        EXPECT_EQ(result.status, Exited(1)) << path;
        EXPECT_NE(result.errors.find("cannot open --rejects=" + path), std::string::npos)
            << result.errors;
    }
}

class RecordsMysql : public testing::Test {
  protected:
    void SetUp() override {
        if (!MariadbServer::WhyNot().empty()) {
            GTEST_SKIP() << MariadbServer::WhyNot();
        }
        mariadb_ = MariadbServer::Shared();
        setenv("RECORDS_PASSWORD", MariadbServer::kPassword, 1);
    }
    std::string Store() const {
        return "--store=" + mariadb_->Location();
    }
    MariadbServer *mariadb_ = nullptr;
};

TEST_F(RecordsMysql, WhatTheStoreRefusesHoldsUpNothing) {
    mariadb_->Query("CREATE TABLE user_data (id varchar(20), name varchar(300) CHECK (name != "
                    "'check'), age text) CHARACTER SET utf8mb4");
    mariadb_->QueryAsRoot("CREATE TRIGGER refusing BEFORE INSERT ON user_data FOR EACH ROW "
                          "IF new.name = 'signal' THEN SIGNAL SQLSTATE '45000' "
                          "SET MESSAGE_TEXT = 'not this one'; END IF");
    const TemporaryDirectory directory;
    const std::string rejects = directory.File("rejects");
    RecordsServer server({Store(), "--ack", "--rejects=" + rejects, "--workers=4"});
    std::string input;
    for (int count = 0; count < 2000; count++) {
        input += Record(std::to_string(count), count % 500 == 7   ? "check"
                                               : count % 500 == 8 ? "signal"
                                                                  : "good");
    }
    EXPECT_EQ(server.Ingest(input),
              "{\"error\": \"the store refused 8 records for good\"}\n{\"stored\": 1992}\n");
    EXPECT_EQ(mariadb_->Query("SELECT concat(count(*), ' ', count(DISTINCT id)) FROM user_data"),
              "1992 1992\n");
    const std::vector<std::string> lines = SplitLines(ReadFile(rejects));
    EXPECT_EQ(lines.size(), 8u);
    EXPECT_EQ(std::count(lines.begin(), lines.end(),
                         R"({"id": "508", "name": "signal", "age": "7", "reason": )"
                         R"("MySQL: not this one"})"),
              1);
    EXPECT_EQ(server.Stop(), Exited(0));
}

// In GBK a quote behind a character would end the text, and the rest of the record be SQL.
TEST_F(RecordsMysql, TextsAreNoStatementsWhateverTheCharacterSet) {
    mariadb_->Restart({"--character-set-server=gbk", "--skip-character-set-client-handshake"});
    mariadb_->Query("DROP TABLE IF EXISTS user_data");
    mariadb_->Query("CREATE TABLE user_data (id text, name text, age text) CHARACTER SET utf8mb4");
    RecordsServer server({Store(), "--ack"});
    EXPECT_EQ(server.Ingest(Record("縗', (SELECT user()), 'x') -- ", "日本 😀")),
              "{\"stored\": 1}\n");
    EXPECT_EQ(mariadb_->Query("SELECT hex(name) FROM user_data"), "E697A5E69CAC20F09F9880\n");
    EXPECT_EQ(server.Stop(), Exited(0));
    mariadb_->Restart({});
}

// Ten of them, and two connections.
TEST_F(RecordsMysql, WritersThatCannotConnectDoNotStopTheOthers) {
    const std::string alter = std::string("ALTER USER ") + MariadbServer::kUser;
    mariadb_->QueryAsRoot(alter + " WITH MAX_USER_CONNECTIONS 2");
    RecordsServer server({Store(), "--ack", "--workers=10"});
    for (const char *prefix : {"a", "b", "c"}) {
        EXPECT_EQ(server.Ingest(RecordLines(MakeIds(prefix, 20000))), "{\"stored\": 20000}\n");
    }
    EXPECT_EQ(server.CountMessages("the store takes no records"), 0u) << server.process().errors();
    EXPECT_EQ(server.Stop(), Exited(0));
    EXPECT_EQ(mariadb_->QueryAsRoot("SELECT concat(count(*), ' ', count(DISTINCT id)) "
                                    "FROM user_data"),
              "60000 60000\n");
    mariadb_->QueryAsRoot(alter + " WITH MAX_USER_CONNECTIONS 0");
}

} // namespace
} // namespace harness
