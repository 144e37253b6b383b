// The records server as a process, and the stores it is tried with.
//
// The program's path comes from the environment variable RECORDS_SERVER, which the test's target
// sets. Ownership: the objects own their processes and directories. Threading: as Process.
#ifndef SERVER_RECORDS_RECORDS_PROCESS_H_
#define SERVER_RECORDS_RECORDS_PROCESS_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "testing/files.h"
#include "testing/process.h"
#include "testing/tcp_client.h"

namespace harness {

using Ids = std::vector<std::string>;

// Options of a process that runs the program with `arguments` and nothing else.
ProcessOptions RecordsServerCommand(const std::vector<std::string> &arguments);

class RecordsServer {
  public:
    // Starts the server on free ports and waits until it is ready. Throws std::runtime_error with
    // what it wrote when it does not start.
    // `environment` brings variables that it gets more.
    explicit RecordsServer(const std::vector<std::string> &arguments,
                           const std::map<std::string, std::string> &environment = {});
    // A sanitizer's report on its standard error fails the running test.
    ~RecordsServer();

    Process &process() {
        return *process_;
    }
    std::uint16_t ingest_port() const {
        return ingest_port_;
    }
    std::uint16_t query_port() const {
        return query_port_;
    }

    // Sends `bytes` over a connection of its own, ends the stream, and returns the answer. Fails
    // the running test when the server does not end the connection in an orderly way.
    std::string Ingest(const std::string &bytes) const;
    // The same at the query port.
    std::string Query(const std::string &request) const;

    // How many lines with `part` the server has written to standard error so far.
    size_t CountMessages(const std::string &part) const;

    // SIGTERM, and its exit.
    std::optional<ExitStatus> Stop();

  private:
    std::unique_ptr<Process> process_;
    std::uint16_t ingest_port_ = 0;
    std::uint16_t query_port_ = 0;
};

// A record as a sender writes it, with a newline.
std::string RecordLine(const std::string &id);
// The same as the server shows it.
std::string ShownLine(const std::string &id);

// The ids of the lines of an answer. A line that is no record fails the running test.
std::vector<std::string> IdsOf(const std::string &answer);

// "PREFIX0", "PREFIX1", …
std::vector<std::string> MakeIds(const std::string &prefix, size_t count);
// The records with these ids, one a line.
std::string RecordLines(const std::vector<std::string> &ids);

// Fails the running test unless `ids` are just these, in any order, each of them once.
void ExpectEachOnce(std::vector<std::string> ids, std::vector<std::string> expected);

// A store for the server to use, looked into from outside.
class TestedStore {
  public:
    virtual ~TestedStore() = default;
    virtual std::string Location() const = 0;
    // The ids of all records in it. A record that is damaged fails the running test.
    virtual std::vector<std::string> ReadIds() const = 0;
    // How many records it holds by now. Unlike ReadIds, it may be asked while the server writes.
    virtual size_t CountStored() const = 0;
    // Makes it unavailable, and available again. Not for the file.
    virtual void GoDown() {
        throw std::logic_error("a file does not go down");
    }
    virtual void ComeBack() {}
    // Makes it answer nothing any more, until it goes down. Only for MySQL.
    virtual void Hang() {
        throw std::logic_error("only a server can hang");
    }
};

// `kind` is "sqlite", "file" or "mysql". MariaDB is one server for all tests of a program, with
// its tables cleared.
std::unique_ptr<TestedStore> MakeTestedStore(const std::string &kind);

// Tests that are run with stores of several kinds, as far as this machine has them.
class StoresTest : public testing::TestWithParam<const char *> {
  protected:
    void SetUp() override;

    std::unique_ptr<TestedStore> store_;
};

inline std::string KindOf(const testing::TestParamInfo<const char *> &parameter) {
    return parameter.param;
}

// Tests with an SQLite store in a directory of their own.
class SqliteTest : public testing::Test {
  protected:
    TemporaryDirectory directory_;
    std::string location_ = "--store=sqlite:" + directory_.File("records.db");
};

} // namespace harness

#endif // SERVER_RECORDS_RECORDS_PROCESS_H_
