// Records a second that the records server sustains, beside what each store does by itself:
//
//   SQLite   inserts the same rows in transactions of the same size, through SQLite's C API
//   file     `cat`: copies the same bytes from one file to another; and //bench:baseline_server,
//            which receives the same rows over the same connections and writes them as they are
//
// The server gets the rows over five connections, parses them, keeps them in its buffer and stores
// them; the time is taken from the first byte to the acknowledgement of the last record. Both run
// by turns, and the ratio of their medians is what counts: absolute figures belong to a machine.
//
//   bazel run //bench:records_throughput -- [ROWS [ROUNDS]]
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "server/records/records_process.h"
#include "testing/files.h"
#include "testing/patience.h"

namespace {

using harness::RecordsServer;
using harness::TcpClient;
using harness::TemporaryDirectory;

constexpr size_t kConnectionCount = 5;
constexpr size_t kCopySize = 128 * 1024; // what cat uses
constexpr std::chrono::minutes kPatience{10};

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

double SecondsOf(const std::function<void()> &work) {
    auto start = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Sends all rows over the connections, waits until the other side has ended them, and checks what
// it said.
double TimeSending(const Rows &rows, std::uint16_t port, const std::string &expected) {
    std::vector<std::string> answers(kConnectionCount);
    double seconds = SecondsOf([&] {
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

double TimeServer(const Rows &rows, const std::string &store, size_t batch_size) {
    // A buffer for two batches: one is filled while the other is written.
    RecordsServer server(
        {"--store=" + store, "--ack", "--queue-size=" + std::to_string(2 * batch_size)});
    double seconds =
        TimeSending(rows, server.ingest_port(),
                    "{\"stored\": " + std::to_string(rows.ids.size() / kConnectionCount) + "}\n");
    server.Stop();
    return seconds;
}

// Receiving and writing, without looking at what it is.
double TimeReceiver(const Rows &rows, const std::string &path) {
    harness::ProcessOptions options;
    options.arguments = {std::getenv("BASELINE_SERVER"), "--port", "0", "--log", path};
    harness::Process process(options);
    if (!process.WaitForErrors(harness::HasLineWith("listening"))) {
        throw std::runtime_error("the baseline does not start: " + process.errors());
    }
    const std::string text = process.errors();
    double seconds = TimeSending(
        rows, static_cast<std::uint16_t>(std::stoul(text.substr(text.rfind(':') + 1))), "");
    process.Signal(SIGTERM);
    process.WaitForExit();
    return seconds;
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
    double seconds = SecondsOf([&] {
        for (size_t index = 0; index < rows.ids.size(); index++) {
            if (index % batch_size == 0) {
                Execute(database, index == 0 ? "BEGIN IMMEDIATE" : "COMMIT; BEGIN IMMEDIATE");
            }
            // The server gets the rows of its connections mixed; so do we.
            const size_t per_connection = rows.ids.size() / kConnectionCount;
            const std::string &id =
                rows.ids[index % kConnectionCount * per_connection + index / kConnectionCount];
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

double TimeCopy(const std::string &from, const std::string &to) {
    return SecondsOf([&] {
        int input = open(from.c_str(), O_RDONLY | O_CLOEXEC);
        int output = open(to.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        std::vector<char> bytes(kCopySize);
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

double Median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

void Report(const std::string &what, size_t row_count, const std::vector<double> &server,
            const std::vector<double> &own) {
    double server_rate = static_cast<double>(row_count) / Median(server);
    double own_rate = static_cast<double>(row_count) / Median(own);
    std::printf("%-42s server %8.0f rows/s, that alone %9.0f rows/s, ratio %.2f\n", what.c_str(),
                server_rate, own_rate, server_rate / own_rate);
    std::fflush(stdout);
}

void CompareSqlite(const Rows &rows, int round_count, size_t batch_size) {
    std::vector<double> server, own;
    for (int round = 0; round < round_count; round++) {
        TemporaryDirectory directory;
        own.push_back(TimeSqlite(rows, directory.File("own.db"), batch_size));
        server.push_back(TimeServer(rows, "sqlite:" + directory.File("records.db"), batch_size));
    }
    Report("SQLite, " + std::to_string(batch_size) + " rows a batch, beside it", rows.ids.size(),
           server, own);
}

void CompareFile(const Rows &rows, int round_count, size_t batch_size) {
    std::vector<double> server, own, receiver;
    for (int round = 0; round < round_count; round++) {
        TemporaryDirectory directory;
        const std::string path = directory.File("records.jsonl");
        server.push_back(TimeServer(rows, "file:" + path, batch_size));
        own.push_back(TimeCopy(path, directory.File("copy")));
        receiver.push_back(TimeReceiver(rows, directory.File("received")));
    }
    const std::string what = "file, " + std::to_string(batch_size) + " rows a batch, beside ";
    Report(what + "cat", rows.ids.size(), server, own);
    Report(what + "receiving", rows.ids.size(), server, receiver);
}

} // namespace

int main(int argc, char **argv) {
    const size_t row_count = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 500000;
    const int round_count = argc > 2 ? std::atoi(argv[2]) : 5;
    const std::string stores = argc > 3 ? argv[3] : "sqlite,file,mysql";
    const Rows rows = MakeRows(row_count);
    for (size_t batch_size : {500, 5000}) {
        if (stores.find("sqlite") != std::string::npos) {
            CompareSqlite(rows, round_count, batch_size);
        }
        if (stores.find("file") != std::string::npos) {
            CompareFile(rows, round_count, batch_size);
        }
    }
}
