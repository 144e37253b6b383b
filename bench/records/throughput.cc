// Records a second that the records server sustains, beside what each store does by itself:
//
//   SQLite   inserts the same rows in transactions of the same size, through SQLite's C API
//   MariaDB  the same through its C API, by statements of many rows over one connection
//   file     copies the same bytes from one file, which is in the page cache, to another, with no
//            socket and no sender: once as `cat` does, once with one write for each batch, as the
//            server has to write them; and //bench:baseline_server, which receives the same rows
//            over the same connections and writes them as they are; and that one beside `cat`, the
//            share of its speed that the sockets leave to any server
//
// The server gets the rows over five connections, parses them, keeps them in its buffer and stores
// them; the time is taken from the first byte to the acknowledgement of the last record. Both run
// by turns (comparison.h).
//
//   bazel run //bench/records:throughput -- [ROWS [ROUNDS [STORES]]]
#include <fcntl.h>
#include <mariadb/mysql.h>
#include <sqlite3.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "bench/measure.h"
#include "bench/records/comparison.h"
#include "server/records/records_process.h"
#include "server/records/store/mariadb_server.h"
#include "server/runtime/options.h"
#include "testing/files.h"
#include "testing/patience.h"

namespace {

using harness::MariadbServer;
using harness::RecordsServer;
using harness::TcpClient;
using harness::TemporaryDirectory;

constexpr size_t kConnectionCount = 5;
constexpr size_t kCatSize = 128 * 1024; // of cat's reads and writes
constexpr std::chrono::minutes kPatience{10};
// A database server gets fewer rows, or its rounds would take minutes.
constexpr size_t kRowsPerMariadbRow = 5;
// So many leave a row for each connection to a database server too.
constexpr int64_t kRowCountMin = kConnectionCount * kRowsPerMariadbRow;
constexpr size_t kMariadbWriters = 2;
constexpr size_t kStatementSize = 256 * 1024;

struct Rows {
    std::vector<std::string> ids;
    std::vector<std::string> streams; // the same rows as lines, for one connection each
};

Rows MakeRows(size_t count) {
    Rows rows;
    for (size_t connection = 0; connection < kConnectionCount; connection++) {
        std::vector<std::string> ids =
            harness::MakeIds(std::to_string(connection) + "-", count / kConnectionCount);
        rows.streams.push_back(harness::RecordLines(ids));
        rows.ids.insert(rows.ids.end(), ids.begin(), ids.end());
    }
    return rows;
}

// Sends all rows over the connections, waits until the other side has ended them, and checks what
// it said.
double TimeSending(const Rows &rows, std::uint16_t port, const std::string &expected) {
    std::vector<std::string> answers(kConnectionCount);
    double seconds = bench::SecondsOf([&] {
        std::vector<std::thread> senders;
        for (size_t index = 0; index < kConnectionCount; index++) {
            senders.emplace_back([&, index] {
                TcpClient client(port);
                client.Send(rows.streams[index], kPatience);
                client.HalfClose();
                client.WaitForEnding(kPatience);
                answers[index] = client.received();
            });
        }
        for (std::thread &sender : senders) {
            sender.join();
        }
    });
    for (const std::string &answer : answers) {
        if (answer != expected) {
            throw std::runtime_error("unexpected answer: " + answer);
        }
    }
    return seconds;
}

double TimeServer(const Rows &rows, const std::string &store, size_t batch_size,
                  size_t writer_count = 1) {
    // A buffer for one batch more than are written: one is filled meanwhile.
    RecordsServer server({"--store=" + store, "--ack", "--workers=" + std::to_string(writer_count),
                          "--queue-size=" + std::to_string((writer_count + 1) * batch_size)},
                         {{"RECORDS_PASSWORD", MariadbServer::kPassword}});
    double seconds =
        TimeSending(rows, server.ingest_port(),
                    "{\"stored\": " + std::to_string(rows.ids.size() / kConnectionCount) + "}\n");
    server.Stop();
    return seconds;
}

// Receiving and writing, without looking at what it is.
double TimeReceiver(const Rows &rows, const std::string &path) {
    bench::Server server({bench::BuiltProgram("bench/baseline_server"), "--port=0", "--log", path});
    const double seconds = TimeSending(rows, server.port(), "");
    server.Stop();
    return seconds;
}

// The server gets the rows of its connections mixed; so do the stores by themselves.
const std::string &MixedId(const Rows &rows, size_t index) {
    const size_t per_connection = rows.ids.size() / kConnectionCount;
    return rows.ids[index % kConnectionCount * per_connection + index / kConnectionCount];
}

void Execute(sqlite3 *database, const char *sql) {
    if (sqlite3_exec(database, sql, nullptr, nullptr, nullptr) != SQLITE_OK) {
        throw std::runtime_error(sqlite3_errmsg(database));
    }
}

double TimeSqlite(const Rows &rows, const std::string &path, size_t batch_size) {
    sqlite3 *database = nullptr;
    sqlite3_stmt *insert = nullptr;
    sqlite3_open(path.c_str(), &database);
    Execute(database, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
                      "CREATE TABLE user_data (id TEXT NOT NULL, name TEXT NOT NULL, age TEXT NOT "
                      "NULL); CREATE INDEX user_data_id ON user_data (id);");
    sqlite3_prepare_v2(database, "INSERT INTO user_data (id, name, age) VALUES (?, ?, ?)", -1,
                       &insert, nullptr);
    double seconds = bench::SecondsOf([&] {
        for (size_t index = 0; index < rows.ids.size(); index++) {
            if (index % batch_size == 0) {
                Execute(database, index == 0 ? "BEGIN IMMEDIATE" : "COMMIT; BEGIN IMMEDIATE");
            }
            const std::string &id = MixedId(rows, index);
            sqlite3_bind_text(insert, 1, id.data(), static_cast<int>(id.size()), SQLITE_STATIC);
            sqlite3_bind_text(insert, 2, "John Doe", 8, SQLITE_STATIC);
            sqlite3_bind_text(insert, 3, "25", 2, SQLITE_STATIC);
            if (sqlite3_step(insert) != SQLITE_DONE) {
                throw std::runtime_error(sqlite3_errmsg(database));
            }
            sqlite3_reset(insert);
        }
        Execute(database, "COMMIT");
    });
    sqlite3_finalize(insert);
    sqlite3_close(database);
    return seconds;
}

void Execute(MYSQL *connection, const std::string &sql) {
    if (mysql_real_query(connection, sql.data(), sql.size()) != 0) {
        throw std::runtime_error(mysql_error(connection));
    }
}

// Into the table that the records server has made.
double TimeMariadb(const Rows &rows, const MariadbServer &mariadb, size_t batch_size) {
    const std::unique_ptr<MYSQL, decltype(&mysql_close)> owner(mysql_init(nullptr), mysql_close);
    MYSQL *connection = owner.get();
    if (mysql_real_connect(connection, "127.0.0.1", MariadbServer::kUser, MariadbServer::kPassword,
                           MariadbServer::kDatabase, mariadb.port(), nullptr, 0) == nullptr) {
        throw std::runtime_error(mysql_error(connection));
    }
    return bench::SecondsOf([&] {
        std::string statement;
        for (size_t index = 0; index < rows.ids.size(); index++) {
            if (index % batch_size == 0) {
                Execute(connection, "START TRANSACTION");
            }
            statement += statement.empty() ? "INSERT INTO user_data (id, name, age) VALUES " : ",";
            statement += "('" + MixedId(rows, index) + "','John Doe','25')";
            const bool is_batch_end = (index + 1) % batch_size == 0 || index + 1 == rows.ids.size();
            if (is_batch_end || statement.size() >= kStatementSize) {
                Execute(connection, statement);
                statement.clear();
            }
            if (is_batch_end) {
                Execute(connection, "COMMIT");
            }
        }
    });
}

double TimeCopy(const std::string &from, const std::string &to, size_t write_size) {
    return bench::SecondsOf([&] {
        int input = open(from.c_str(), O_RDONLY | O_CLOEXEC);
        int output = open(to.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        std::vector<char> bytes(write_size);
        ssize_t size;
        while ((size = read(input, bytes.data(), bytes.size())) > 0) {
            if (write(output, bytes.data(), static_cast<size_t>(size)) != size) {
                harness::ThrowErrno("write");
            }
        }
        close(input);
        close(output);
    });
}

void CompareSqlite(const Rows &rows, int64_t round_count, size_t batch_size) {
    const auto time_server = [&] {
        TemporaryDirectory directory;
        return TimeServer(rows, "sqlite:" + directory.File("records.db"), batch_size);
    };
    const auto time_own = [&] {
        TemporaryDirectory directory;
        return TimeSqlite(rows, directory.File("own.db"), batch_size);
    };
    bench::CompareByTurns("SQLite, " + std::to_string(batch_size) + " rows a batch",
                          static_cast<int64_t>(rows.ids.size()), round_count, time_server,
                          "SQLite alone", time_own);
}

void CompareFile(const Rows &rows, int64_t round_count, size_t batch_size) {
    std::vector<double> server, cat, copy, receiver;
    size_t size = 0;
    for (const std::string &stream : rows.streams) {
        size += stream.size();
    }
    for (int64_t round = 0; round < round_count; round++) {
        TemporaryDirectory directory;
        const std::string path = directory.File("records.jsonl");
        const auto warm = [&] { (void)bench::TimeWriting(directory.File("warm"), size); };
        warm();
        server.push_back(TimeServer(rows, "file:" + path, batch_size));
        warm();
        cat.push_back(TimeCopy(path, directory.File("cat"), kCatSize));
        warm();
        copy.push_back(TimeCopy(path, directory.File("copy"), size / rows.ids.size() * batch_size));
        warm();
        receiver.push_back(TimeReceiver(rows, directory.File("received")));
    }
    const std::string what = "file, " + std::to_string(batch_size) + " rows a batch";
    const int64_t row_count = static_cast<int64_t>(rows.ids.size());
    bench::Report(what, row_count, server, "cat", cat);
    bench::Report(what, row_count, server, "copying them", copy);
    bench::Report(what, row_count, server, "receiving", receiver);
    bench::Report("only receiving and writing", row_count, receiver, "cat", cat);
}

void CompareMariadb(const Rows &rows, int64_t round_count, size_t batch_size) {
    if (!MariadbServer::WhyNot().empty()) {
        std::printf("MariaDB: skipped, %s\n", MariadbServer::WhyNot().c_str());
        return;
    }
    const MariadbServer mariadb;
    const auto emptied = [&](double seconds) {
        mariadb.Query("TRUNCATE TABLE user_data");
        return seconds;
    };
    RecordsServer({"--store=" + mariadb.Location()},
                  {{"RECORDS_PASSWORD", MariadbServer::kPassword}})
        .Stop(); // it has made the table
    bench::CompareByTurns(
        "MariaDB, " + std::to_string(batch_size) + " rows a batch",
        static_cast<int64_t>(rows.ids.size()), round_count,
        [&] { return emptied(TimeServer(rows, mariadb.Location(), batch_size, kMariadbWriters)); },
        "MariaDB alone", [&] { return emptied(TimeMariadb(rows, mariadb, batch_size)); });
}

void CompareAll(const bench::Size &size, const std::string &stores) {
    const size_t row_count = static_cast<size_t>(size.row_count);
    const int64_t round_count = size.round_count;
    const Rows rows = MakeRows(row_count);
    const Rows mariadb_rows = MakeRows(row_count / kRowsPerMariadbRow);
    for (size_t batch_size : {500u, 5000u}) {
        if (stores.find("sqlite") != std::string::npos) {
            CompareSqlite(rows, round_count, batch_size);
        }
        if (stores.find("file") != std::string::npos) {
            CompareFile(rows, round_count, batch_size);
        }
        if (stores.find("mysql") != std::string::npos) {
            CompareMariadb(mariadb_rows, round_count, batch_size);
        }
    }
}

bool AreStores(const std::string &stores) {
    std::istringstream stream(stores);
    bool are_good = !stores.empty();
    for (std::string store; std::getline(stream, store, ',');) {
        are_good = are_good && (store == "sqlite" || store == "file" || store == "mysql");
    }
    return are_good;
}

} // namespace

int main(int argc, char **argv) {
    bench::Size size{500000, 5};
    std::string stores = "sqlite,file,mysql";
    const options line =
        bench::CommandLine("records_throughput", "[ROWS [ROUNDS [STORES]]]",
                           "Compares the records server with what each store does by itself.\n"
                           "ROWS are 500000, ROUNDS 5 and STORES sqlite,file,mysql where they are "
                           "not given.\nMariaDB (mysql) gets a fifth of the rows.",
                           "  records_throughput 4000000 5 file\n"
                           "  records_throughput 1000000 3 sqlite,file\n");
    (void)setenv("RECORDS_SERVER", bench::BuiltProgram("server/records/server").c_str(), 0);
    return bench::Main(
        line, argc, argv,
        [&](int first) {
            const std::vector<const char *> words(argv + first, argv + argc);
            stores = words.size() > 2 ? words[2] : stores;
            if (!AreStores(stores)) {
                options_complain(&line, "STORES is some of sqlite,file,mysql, not '%s'",
                                 stores.c_str());
                return OPTIONS_INVALID;
            }
            return bench::TakeSize(line, words, 3, kRowCountMin, &size);
        },
        [&] {
            CompareAll(size, stores);
            return true;
        });
}
