// What a connection costs the records server, beside a server that does nothing but send a line
// back (//bench:echo) on the same loop:
//
//   senders  one record a connection under --ack, from the 1000 users of //bench/records:load
//   lookups  `id X` at a SQLite store of ROWS records, a connection each, 1 and 16 at a time
//   all      the whole store, beside the program sqlite3 printing the same by json_object
//   intake   of MariaDB while 12 clients ask for `all` without end, beside what it is alone
//
// All run by turns (comparison.h).
//
//   bazel run //bench/records:connections -- [ROWS [ROUNDS]]
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
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
#include "testing/process_facts.h"

namespace {

using harness::MariadbServer;
using harness::RecordsServer;
using harness::TemporaryDirectory;

constexpr int kUserCount = 1000;
constexpr int kRecordsPerUser = 60;
constexpr int kLookupCount = 20000;
constexpr int kIntakeCount = 50000;
constexpr int kReaderCount = 12;
constexpr int kSourceCount = 200; // addresses of this machine: a port rests after a connection
constexpr std::chrono::minutes kPatience{5};
constexpr int64_t kIngestCount = 100000; // records in memory at a time

class Socket {
  public:
    // Connects from one of this machine's addresses and sends `line` and the end of the stream.
    Socket(std::uint16_t port, const std::string &line, int source_index) {
        const int yes = 1;
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr =
            htonl(INADDR_LOOPBACK + 1 + static_cast<std::uint32_t>(source_index % kSourceCount));
        setsockopt(fd_, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
        (void)bind(fd_, reinterpret_cast<sockaddr *>(&address), sizeof address);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        address.sin_port = htons(port);
        if (connect(fd_, reinterpret_cast<sockaddr *>(&address), sizeof address) != 0 ||
            send(fd_, line.data(), line.size(), MSG_MORE) != static_cast<ssize_t>(line.size())) {
            harness::ThrowErrno("connect and send");
        }
        shutdown(fd_, SHUT_WR);
    }
    Socket(const Socket &) = delete;
    Socket &operator=(const Socket &) = delete;
    ~Socket() {
        close(fd_);
    }
    // Reads to the end and returns the size of what came.
    size_t Drain() const {
        size_t total = 0;
        ssize_t size;
        thread_local char bytes[256 * 1024];
        while ((size = recv(fd_, bytes, sizeof bytes, 0)) > 0) {
            total += static_cast<size_t>(size);
        }
        if (size < 0) {
            harness::ThrowErrno("receive");
        }
        return total;
    }

  private:
    const int fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
};

// Records with the ids user0, user1, ... in a store of SQLite.
void MakeDatabase(const std::string &path, int64_t row_count) {
    RecordsServer server({"--store=sqlite:" + path, "--ack"});
    for (int64_t first = 0; first < row_count; first += kIngestCount) {
        std::vector<std::string> ids;
        for (int64_t i = first; i < std::min(row_count, first + kIngestCount); i++) {
            ids.push_back("user" + std::to_string(i));
        }
        server.Ingest(harness::RecordLines(ids));
    }
    server.Stop();
}

double TimeSenders(std::uint16_t port) {
    return bench::SecondsOf([&] {
        bench::Run({bench::BuiltProgram("bench/records/load"), "--port=" + std::to_string(port),
                    "--concurrent-users=" + std::to_string(kUserCount),
                    "--requests-per-user=" + std::to_string(kRecordsPerUser), "--quiet"},
                   kPatience);
    });
}

// So many lookups of existing ids, `width` of them at a time.
double TimeLookups(std::uint16_t port, int width, int64_t row_count) {
    const int64_t stride = 7919; // so that neighbours in time are none in the table
    return bench::SecondsOf([&] {
        for (int64_t first = 0; first < kLookupCount; first += width) {
            std::vector<std::unique_ptr<Socket>> sockets;
            for (int64_t index = first; index < first + width; index++) {
                sockets.push_back(std::make_unique<Socket>(
                    port, "id user" + std::to_string(index * stride % row_count) + "\n",
                    static_cast<int>(index)));
            }
            for (const auto &socket : sockets) {
                if (socket->Drain() == 0) {
                    throw std::runtime_error("no answer");
                }
            }
        }
    });
}

double TimeAll(std::uint16_t port) {
    return bench::SecondsOf([&] {
        if (Socket(port, "all\n", 0).Drain() == 0) {
            throw std::runtime_error("no answer");
        }
    });
}

double TimeSqlite3(const std::string &path) {
    return bench::SecondsOf([&] {
        const std::string command =
            "sqlite3 '" + path +
            "' \"SELECT json_object('id', id, 'name', name, 'age', age) FROM user_data\"";
        FILE *lines = popen(command.c_str(), "re");
        static char bytes[256 * 1024];
        size_t total = 0;
        while (const size_t size = fread(bytes, 1, sizeof bytes, lines)) {
            total += size;
        }
        if (pclose(lines) != 0 || total == 0) {
            throw std::runtime_error("sqlite3 (package sqlite3) does not print the store");
        }
    });
}

void CompareSenders(int64_t round_count, const std::string &echo_path) {
    constexpr int kCount = kUserCount * kRecordsPerUser;
    for (const std::string store : {"sqlite", "file"}) {
        double cpu_seconds = 0;
        const auto time_server = [&] {
            const TemporaryDirectory directory;
            RecordsServer server({"--store=" + store + ":" + directory.File("records"), "--ack"});
            const double seconds = TimeSenders(server.ingest_port());
            cpu_seconds +=
                std::chrono::duration<double>(harness::ReadProcessorTime(server.process().pid()))
                    .count();
            server.Stop();
            return seconds;
        };
        const auto time_echo = [&] {
            bench::Server echo({echo_path});
            const double seconds = TimeSenders(echo.port());
            echo.Stop();
            return seconds;
        };
        bench::CompareByTurns("a record a connection, " + store, kCount, round_count, time_server,
                              "echo", time_echo);
        std::printf("%-42s %8.1f us of processor time a connection\n", "",
                    1e6 * cpu_seconds / kCount / static_cast<double>(round_count));
    }
}

void CompareQueries(const bench::Size &size, const std::string &echo_path) {
    const TemporaryDirectory directory;
    const std::string path = directory.File("records.db");
    MakeDatabase(path, size.row_count);
    RecordsServer server({"--store=sqlite:" + path});
    bench::Server echo({echo_path});
    for (const int width : {1, 16}) {
        bench::CompareByTurns(
            "id X, " + std::to_string(width) + " at a time", kLookupCount, size.round_count,
            [&] { return TimeLookups(server.query_port(), width, size.row_count); }, "echo",
            [&] { return TimeLookups(echo.port(), width, size.row_count); });
    }
    bench::CompareByTurns(
        "records of `all`", size.row_count, size.round_count,
        [&] { return TimeAll(server.query_port()); }, "sqlite3", [&] { return TimeSqlite3(path); });
    echo.Stop();
    server.Stop();
}

// Sends so many records over one connection and waits until they are stored.
double TimeIntake(const MariadbServer &mariadb, const RecordsServer &server) {
    mariadb.Query("TRUNCATE TABLE user_data");
    const std::string lines = harness::RecordLines(harness::MakeIds("", kIntakeCount));
    return bench::SecondsOf([&] { server.Ingest(lines); });
}

// The same while readers ask for everything without end.
double TimeIntakeBesideReaders(const MariadbServer &mariadb, const RecordsServer &server) {
    std::atomic<bool> is_over{false};
    std::vector<std::thread> readers;
    for (int count = 0; count < kReaderCount; count++) {
        readers.emplace_back([&] {
            while (!is_over) {
                Socket(server.query_port(), "all\n", 0).Drain();
            }
        });
    }
    const double seconds = TimeIntake(mariadb, server);
    is_over = true;
    for (std::thread &reader : readers) {
        reader.join();
    }
    return seconds;
}

void CompareIntake(int64_t round_count) {
    if (!MariadbServer::WhyNot().empty()) {
        std::printf("MariaDB: skipped, %s\n", MariadbServer::WhyNot().c_str());
        return;
    }
    const MariadbServer mariadb;
    RecordsServer server({"--store=" + mariadb.Location(), "--ack"},
                         {{"RECORDS_PASSWORD", MariadbServer::kPassword}});
    bench::CompareByTurns(
        "intake beside `all`", kIntakeCount, round_count,
        [&] { return TimeIntakeBesideReaders(mariadb, server); }, "alone",
        [&] { return TimeIntake(mariadb, server); });
    server.Stop();
}

} // namespace

int main(int argc, char **argv) {
    bench::Size size{1000000, 3};
    const options line =
        bench::CommandLine("records_connections", "[ROWS [ROUNDS]]",
                           "Compares what a connection costs the records server with what it costs "
                           "an echo server,\nand `all` with the program sqlite3. ROWS in the store "
                           "are 1000000, ROUNDS 3\nwhere they are not given.",
                           "  records_connections 100000 1\n");
    (void)setenv("RECORDS_SERVER", bench::BuiltProgram("server/records/server").c_str(), 0);
    return bench::Main(
        line, argc, argv,
        [&](int first) {
            return bench::TakeSize(line, {argv + first, argv + argc}, 2, 1, &size);
        },
        [&] {
            const std::string echo_path = bench::BuiltProgram("bench/echo");
            CompareSenders(size.round_count, echo_path);
            CompareQueries(size, echo_path);
            CompareIntake(size.round_count);
            return true;
        });
}
