// The MySQL store against a MariaDB that goes away at the worst moments.
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "server/records/json/limits.h"
#include "server/records/store/mariadb_server.h"
#include "server/records/store/store_harness.h"
#include "server/records/store/treacherous_relay.h"
#include "testing/patience.h"

namespace {

using harness::Batch;
using harness::MariadbServer;
using harness::TreacherousRelay;

const logger kLogger = {LOG_LEVEL_INFO, STDERR_FILENO};

class MysqlStore : public testing::Test {
  protected:
    void SetUp() override {
        if (!MariadbServer::WhyNot().empty()) {
            GTEST_SKIP() << MariadbServer::WhyNot();
        }
        server_ = MariadbServer::Shared();
        char message[MESSAGE_SIZE] = "";
        ASSERT_TRUE(rejects_open(&rejects_, nullptr, &kLogger, message)) << message;
    }
    void TearDown() override {
        Close();
        rejects_close(&rejects_);
    }
    void Close() {
        if (store_ != nullptr) {
            store_writer_close(writer_);
            store_close(store_);
        }
        store_ = nullptr;
        writer_ = nullptr;
    }
    // Empty, or why not.
    std::string Open(const std::string &location, const char *password = MariadbServer::kPassword) {
        store_options options = {location.c_str(), password, false, &rejects_, &kLogger};
        bool is_usage_error = false;
        char message[MESSAGE_SIZE] = "";
        store_ = store_open(&options, &is_usage_error, message);
        EXPECT_FALSE(is_usage_error);
        if (store_ != nullptr) {
            writer_ = store_writer_open(store_);
        }
        return message;
    }
    // Writes one record, whose id is the sequence of its batch.
    bool Write(uint64_t sequence, const std::string &name = "n") {
        const Batch batch({{std::to_string(sequence), name, "a"}}, sequence);
        char message[MESSAGE_SIZE] = "";
        return store_writer_connect(writer_, message) == STORE_OK &&
               store_writer_write(writer_, batch.get(), message) == STORE_OK;
    }
    std::string Ids() const {
        return server_->Query("SELECT group_concat(id ORDER BY id+0 SEPARATOR ' ') FROM user_data");
    }

    MariadbServer *server_ = nullptr;
    store *store_ = nullptr;
    store_writer *writer_ = nullptr;
    rejects rejects_ = {};
};

TEST_F(MysqlStore, ALostAnswerToCommitDoesNotStoreTheBatchTwice) {
    TreacherousRelay relay(server_->port());
    ASSERT_EQ(Open(server_->Location(relay.port())), "");
    ASSERT_TRUE(Write(1));
    relay.Arm();
    EXPECT_FALSE(Write(2)) << "the answer was swallowed";
    ASSERT_FALSE(relay.is_armed());
    EXPECT_EQ(Ids(), "1 2\n") << "and yet the server has stored it";

    store_reader *reader = store_reader_open(store_);
    char message[MESSAGE_SIZE] = "";
    ASSERT_EQ(store_reader_connect(reader, message), STORE_OK) << message;
    ASSERT_EQ(store_reader_begin(reader, nullptr, message), STORE_OK) << message;
    EXPECT_EQ(store_reader_stored_sequence(reader, 0), 2u) << "a reader can tell";
    store_reader_end(reader);
    store_reader_close(reader);

    EXPECT_TRUE(Write(2));
    EXPECT_EQ(Ids(), "1 2\n");
    EXPECT_TRUE(Write(3));
    EXPECT_EQ(Ids(), "1 2 3\n");
}

TEST_F(MysqlStore, AServerThatIsStoppedKilledAndStarted) {
    ASSERT_EQ(Open(server_->Location()), "");
    ASSERT_TRUE(Write(1));
    server_->Stop();
    EXPECT_FALSE(Write(2));
    EXPECT_FALSE(Write(2));
    server_->Start();
    EXPECT_TRUE(Write(2));
    server_->Kill();
    EXPECT_FALSE(Write(3));
    server_->Start();
    EXPECT_TRUE(Write(3));
    EXPECT_EQ(Ids(), "1 2 3\n");
}

TEST_F(MysqlStore, TheTableOfTheSeedIsTakenAsItIs) {
    server_->Query("CREATE TABLE user_data (id varchar(255), name varchar(255), age varchar(255)) "
                   "CHARACTER SET utf8mb4");
    ASSERT_EQ(Open(server_->Location()), "");
    for (size_t character_max : store_->limits.character_max) {
        EXPECT_EQ(character_max, 255u);
    }
    EXPECT_TRUE(Write(1));
    EXPECT_EQ(Ids(), "1\n");
}

TEST_F(MysqlStore, OurOwnTableTakesEverything) {
    ASSERT_EQ(Open(server_->Location()), "");
    for (size_t character_max : store_->limits.character_max) {
        EXPECT_EQ(character_max, 0u);
    }
}

TEST_F(MysqlStore, TablesThatWouldLoseSomethingAreRefused) {
    const std::vector<std::pair<std::string, std::string>> tables = {
        {"(id text, name text, age text) CHARACTER SET utf8mb4 ENGINE=MyISAM",
         "MySQL: user_data has to be an InnoDB table"},
        {"(id text, name text, age text) CHARACTER SET latin1",
         "MySQL: user_data.id has to be a text in utf8mb4"},
        {"(id text, name text, age int) CHARACTER SET utf8mb4",
         "MySQL: user_data.age has to be a text in utf8mb4"},
        {"(id text, name text) CHARACTER SET utf8mb4",
         "MySQL: user_data needs the columns id, name and age"},
        {"(id varchar(20) PRIMARY KEY, name text, age text) CHARACTER SET utf8mb4",
         "MySQL: user_data may refuse records: it has the unique index PRIMARY; drop it"},
        {"(id text, name text, age text, UNIQUE KEY no_two (id(20), name(20))) "
         "CHARACTER SET utf8mb4",
         "MySQL: user_data may refuse records: it has the unique index no_two; drop it"},
        {"(id text, name text, age text, more int NOT NULL) CHARACTER SET utf8mb4",
         "MySQL: user_data may refuse records: it has the column more, NOT NULL and without a "
         "default; give it one"},
        {"(id varchar(20), name text, age text, CONSTRAINT known FOREIGN KEY (id) REFERENCES "
         "people (id)) CHARACTER SET utf8mb4",
         "MySQL: user_data may refuse records: it has the foreign key known; drop it"},
        {"(id varchar(20), name text, age enum('1', '2')) CHARACTER SET utf8mb4",
         "MySQL: user_data.age takes certain texts only; make it a text or a varchar"},
        {"(id varchar(20), name set('a', 'b'), age text) CHARACTER SET utf8mb4",
         "MySQL: user_data.name takes certain texts only; make it a text or a varchar"},
        {"(id char(20), name text, age text) CHARACTER SET utf8mb4",
         "MySQL: user_data.id loses the spaces at the end of a text; make it a varchar"},
        {"(id varchar(20), name text, age varchar(20) AS (id)) CHARACTER SET utf8mb4",
         "MySQL: user_data.age is generated, so nothing can be stored there; make it a plain "
         "column"},
        {"(id varchar(20), name text, age varchar(20) AS (id) STORED) CHARACTER SET utf8mb4",
         "MySQL: user_data.age is generated, so nothing can be stored there; make it a plain "
         "column"},
        {"(id varchar(20), name text, age varchar(20)) CHARACTER SET utf8mb4 "
         "PARTITION BY LIST COLUMNS (age) (PARTITION some VALUES IN ('1', '2'))",
         "MySQL: user_data may refuse records: it has partitions by LIST COLUMNS, and none for all "
         "other values; add one"},
        {"(id varchar(20), name text, age varchar(20)) CHARACTER SET utf8mb4 "
         "PARTITION BY RANGE COLUMNS (id) (PARTITION some VALUES LESS THAN ('5'))",
         "MySQL: user_data may refuse records: it has partitions by RANGE COLUMNS, and none for "
         "all "
         "other values; add one"},
    };
    server_->Query("CREATE TABLE IF NOT EXISTS people (id varchar(20) PRIMARY KEY) "
                   "CHARACTER SET utf8mb4");
    for (const auto &[columns, message] : tables) {
        MariadbServer::Shared()->Query("CREATE TABLE user_data " + columns);
        EXPECT_EQ(Open(server_->Location()), message);
        EXPECT_EQ(store_, nullptr);
        Close();
    }
}

TEST_F(MysqlStore, ATableThatRefusesNothingIsTaken) {
    for (const std::string table :
         {"(number int AUTO_INCREMENT PRIMARY KEY, id text, name text, age text, note text, "
          "kind int NOT NULL DEFAULT 3, at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP, "
          "length int AS (length(name)), KEY names (name(20))) CHARACTER SET utf8mb4",
          "(id varchar(20), name tinytext, age longtext) CHARACTER SET utf8mb4 "
          "PARTITION BY LIST COLUMNS (id) (PARTITION p VALUES IN ('1'), PARTITION q DEFAULT)",
          "(id varchar(20), name text, age text) CHARACTER SET utf8mb4 "
          "PARTITION BY RANGE COLUMNS (id) (PARTITION p VALUES LESS THAN (MAXVALUE))",
          "(id varchar(20), name text, age text) CHARACTER SET utf8mb4 "
          "PARTITION BY KEY (id) PARTITIONS 4"}) {
        MariadbServer::Shared()->Query("CREATE TABLE user_data " + table);
        ASSERT_EQ(Open(server_->Location()), "") << table;
        EXPECT_TRUE(Write(1));
        EXPECT_TRUE(Write(2));
        EXPECT_EQ(Ids(), "1 2\n");
        Close();
    }
}

// A column's own length is for its own member.
TEST_F(MysqlStore, EachColumnHasItsOwnLength) {
    server_->Query("CREATE TABLE user_data (id varchar(10), name varchar(300), age mediumtext) "
                   "CHARACTER SET utf8mb4");
    ASSERT_EQ(Open(server_->Location()), "");
    const size_t *maxima = store_->limits.character_max;
    EXPECT_EQ(maxima[RECORD_MEMBER_ID], 10u);
    EXPECT_EQ(maxima[RECORD_MEMBER_NAME], 300u);
    EXPECT_EQ(maxima[RECORD_MEMBER_AGE], 0u);
}

TEST_F(MysqlStore, AServerThatTakesNoWritesIsRefused) {
    ASSERT_EQ(Open(server_->Location()), "");
    Close();
    server_->QueryAsRoot("SET GLOBAL read_only = 1");
    const std::string reason = Open(server_->Location());
    server_->QueryAsRoot("SET GLOBAL read_only = 0");
    EXPECT_EQ(reason, "MySQL: The MariaDB server is running with the --read-only option so it "
                      "cannot execute this statement; name one that takes writes");
}

TEST_F(MysqlStore, PacketsThatAreTooSmallForARecordAreRefused) {
    server_->QueryAsRoot("SET GLOBAL max_allowed_packet = 65536");
    const std::string reason = Open(server_->Location());
    server_->QueryAsRoot("SET GLOBAL max_allowed_packet = 132096");
    const std::string reason_of_larger = Open(server_->Location());
    EXPECT_NE(
        reason.find("max_allowed_packet is 65536, and a record may need 131216; set it to 1M"),
        std::string::npos)
        << reason;
    EXPECT_EQ(reason_of_larger, "");
    // Then each record has a statement of its own, if it must.
    for (uint64_t sequence = 1; sequence < 4; sequence++) {
        EXPECT_TRUE(Write(sequence, std::string(RECORDS_RECORD_SIZE_MAX - 100, '\'')));
    }
    server_->QueryAsRoot("SET GLOBAL max_allowed_packet = 16777216");
    EXPECT_EQ(Ids(), "1 2 3\n");
}

TEST_F(MysqlStore, AUserWhoLacksARightIsRefused) {
    ASSERT_EQ(Open(server_->Location()), "");
    Close();
    const std::string user = "'poor'@'%'";
    server_->QueryAsRoot("CREATE OR REPLACE USER " + user + " IDENTIFIED BY \"" +
                         std::string(MariadbServer::kPassword) + "\"");
    for (const std::string missing : {"SELECT", "INSERT", "UPDATE", "DELETE"}) {
        server_->QueryAsRoot("GRANT SELECT, INSERT, UPDATE, DELETE ON tsdb.* TO " + user);
        server_->QueryAsRoot("REVOKE " + missing + " ON tsdb.* FROM " + user);
        // Without SELECT the tables are not even seen.
        const std::string reason =
            Open("mysql://poor@127.0.0.1:" + std::to_string(server_->port()) + "/tsdb");
        EXPECT_NE(reason.find(missing == "SELECT" ? "denied" : missing + " command denied"),
                  std::string::npos)
            << reason;
        EXPECT_NE(reason.find("; grant it SELECT, INSERT, UPDATE and DELETE"), std::string::npos)
            << reason;
        Close();
    }
}

// A deadlock, a lock that is not had in time, a node that is outside its cluster.
TEST_F(MysqlStore, WhatIsNobodysFaultIsTriedAgain) {
    ASSERT_EQ(Open(server_->Location()), "");
    ASSERT_TRUE(Write(1));
    server_->Query("CREATE OR REPLACE TABLE faults (count int NOT NULL) ENGINE=MyISAM");
    uint64_t sequence = 1;
    for (const auto &[error, count] : std::vector<std::pair<int, int>>{
             {1213, 1}, {1213, 4}, {1020, 2}, {1205, 1}, {1047, 1}, {1213, 7}}) {
        server_->Query("DELETE FROM faults");
        server_->Query("INSERT INTO faults VALUES (" + std::to_string(count) + ")");
        server_->QueryAsRoot(
            "CREATE OR REPLACE TRIGGER fault BEFORE INSERT ON user_data FOR EACH ROW BEGIN "
            "UPDATE faults SET count = count - 1; IF (SELECT count FROM faults) >= 0 THEN "
            "SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = " +
            std::to_string(error) + "; END IF; END");
        sequence++;
        bool is_written = Write(sequence);
        EXPECT_EQ(is_written, (error == 1213 || error == 1020) && count < 5) << error;
        EXPECT_TRUE(is_written || Write(sequence)) << error;
    }
    server_->QueryAsRoot("DROP TRIGGER fault");
    EXPECT_EQ(Ids(), "1 2 3 4 5 6 7\n");
    EXPECT_EQ(rejects_.count, 0u);
}

TEST_F(MysqlStore, AWrongPasswordAndNoServer) {
    EXPECT_NE(Open(server_->Location(), "wrong").find("Access denied"), std::string::npos);
    EXPECT_NE(Open(server_->Location(), nullptr).find("Access denied"), std::string::npos);
    server_->Stop();
    EXPECT_NE(Open(server_->Location()).find("Can't connect"), std::string::npos);
    server_->Start();
}

TEST_F(MysqlStore, AWriterThatEndsLeavesNoRowBehind) {
    ASSERT_EQ(Open(server_->Location()), "");
    ASSERT_TRUE(Write(1));
    EXPECT_EQ(server_->Query("SELECT count(*) FROM user_data_writers"), "1\n");
    Close();
    EXPECT_EQ(server_->Query("SELECT count(*) FROM user_data_writers"), "0\n");
}

} // namespace
