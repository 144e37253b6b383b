#include "server/records/records_process.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sqlite3.h>

#include <algorithm>
#include <cstdlib>

#include "server/records/store/mariadb_server.h"
#include "server/records/store/sqlite_database.h"
#include "testing/daemon.h"

namespace harness {
namespace {

constexpr char kName[] = "John Doe";
constexpr char kAge[] = "25";

std::string Exchange(std::uint16_t port, const std::string &bytes) {
    TcpClient client(port);
    EXPECT_TRUE(client.Send(bytes));
    client.HalfClose();
    EXPECT_EQ(client.WaitForEnding(), Ending::kFin);
    return client.received();
}

// The number behind `words`, or 0.
std::uint16_t PortBehind(const std::string &words, const std::string &text) {
    size_t at = text.find(words);
    return at == std::string::npos ? std::uint16_t{0}
                                   : static_cast<std::uint16_t>(std::strtoul(
                                         text.c_str() + at + words.size(), nullptr, 10));
}

// A store that answers SQL.
class Database : public TestedStore {
  public:
    std::vector<std::string> ReadIds() const override {
        EXPECT_EQ(
            Query(std::string("SELECT count(*) FROM user_data WHERE coalesce(name, '') != '") +
                  kName + "' OR coalesce(age, '') != '" + kAge + "'"),
            "0\n");
        return SplitLines(Query("SELECT id FROM user_data"));
    }
    size_t CountStored() const override {
        return std::stoul(Query("SELECT count(*) FROM user_data"));
    }

  protected:
    // The first column of what the statement selects, a row a line.
    virtual std::string Query(const std::string &statement) const = 0;
};

class SqliteFile : public Database {
  public:
    ~SqliteFile() override {
        sqlite3_close(locker_);
    }
    std::string Location() const override {
        return "sqlite:" + path_;
    }
    std::vector<std::string> ReadIds() const override {
        EXPECT_EQ(Query("PRAGMA integrity_check"), "ok\n");
        return Database::ReadIds();
    }
    // Another program's transaction keeps the database to itself.
    void GoDown() override {
        ASSERT_EQ(sqlite3_open(path_.c_str(), &locker_), SQLITE_OK);
        sqlite3_busy_timeout(locker_, 10000);
        ASSERT_EQ(sqlite3_exec(locker_, "BEGIN EXCLUSIVE", nullptr, nullptr, nullptr), SQLITE_OK);
    }
    void ComeBack() override {
        ASSERT_EQ(sqlite3_exec(locker_, "COMMIT", nullptr, nullptr, nullptr), SQLITE_OK);
        sqlite3_close(locker_);
        locker_ = nullptr;
    }

  protected:
    std::string Query(const std::string &statement) const override {
        return RunSqlite(path_, statement);
    }

  private:
    TemporaryDirectory directory_;
    const std::string path_ = directory_.File("records.db");
    sqlite3 *locker_ = nullptr;
};

class LinesFile : public TestedStore {
  public:
    std::string Location() const override {
        return "file:" + directory_.File("records.jsonl");
    }
    std::vector<std::string> ReadIds() const override {
        return IdsOf(ReadFile(directory_.File("records.jsonl")));
    }
    // Behind the last newline there may be a line that is being written.
    size_t CountStored() const override {
        const std::string content = ReadFile(directory_.File("records.jsonl"));
        return static_cast<size_t>(std::count(content.begin(), content.end(), '\n'));
    }

  private:
    TemporaryDirectory directory_;
};

class Mariadb : public Database {
  public:
    Mariadb() {
        setenv("RECORDS_PASSWORD", MariadbServer::kPassword, 1);
    }
    std::string Location() const override {
        return server_->Location();
    }
    // Killed, which may be in the middle of anything.
    void GoDown() override {
        server_->Kill();
    }
    void ComeBack() override {
        server_->Start();
    }
    void Hang() override {
        server_->Freeze();
    }

  protected:
    std::string Query(const std::string &statement) const override {
        return server_->Query(statement);
    }

  private:
    MariadbServer *const server_ = MariadbServer::Shared();
};

} // namespace

ProcessOptions RecordsServerCommand(const std::vector<std::string> &arguments) {
    const char *program = std::getenv("RECORDS_SERVER");
    if (program == nullptr) {
        throw std::runtime_error("RECORDS_SERVER is not set");
    }
    ProcessOptions options;
    options.arguments = {program};
    options.arguments.insert(options.arguments.end(), arguments.begin(), arguments.end());
    options.environment["BUILD_WORKING_DIRECTORY"] = std::nullopt;
    return options;
}

RecordsServer::RecordsServer(const std::vector<std::string> &arguments,
                             const std::map<std::string, std::string> &environment) {
    std::vector<std::string> all = {"--ingest-port=0", "--query-port=0"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    ProcessOptions options = RecordsServerCommand(all);
    for (const auto &[name, value] : environment) {
        options.environment[name] = value;
    }
    process_ = std::make_unique<Process>(options);
    bool is_ready = process_->WaitForErrors(HasLineWith("ready: "));
    const std::string errors = process_->errors();
    ingest_port_ = PortBehind("records on port ", errors);
    query_port_ = PortBehind("queries on port ", errors);
    if (!is_ready || ingest_port_ == 0 || query_port_ == 0) {
        throw std::runtime_error("the records server does not start: " + errors);
    }
}

RecordsServer::~RecordsServer() {
    ExpectNoSanitizerReport(process_->errors());
}

std::string RecordsServer::Ingest(const std::string &bytes) const {
    return Exchange(ingest_port_, bytes);
}

std::string RecordsServer::Query(const std::string &request) const {
    return Exchange(query_port_, request);
}

size_t RecordsServer::CountMessages(const std::string &part) const {
    return CountLinesWith(process_->errors(), part);
}

std::optional<ExitStatus> RecordsServer::Stop() {
    process_->Signal(SIGTERM);
    return process_->WaitForExit();
}

std::string RecordLine(const std::string &id) {
    return "{\"Id\":\"" + id + "\",\"Name\":\"" + kName + "\",\"Age\":\"" + kAge + "\"}\n";
}

std::string ShownLine(const std::string &id) {
    return "{\"id\": \"" + id + "\", \"name\": \"" + kName + "\", \"age\": \"" + kAge + "\"}\n";
}

std::vector<std::string> IdsOf(const std::string &answer) {
    const std::string model = ShownLine("?");
    const std::string before = model.substr(0, model.find('?'));
    const std::string after = model.substr(model.find('?') + 1, model.size() - before.size() - 2);
    std::vector<std::string> ids;
    for (const std::string &line : SplitLines(answer)) {
        bool is_record = line.size() >= before.size() + after.size() &&
                         line.compare(0, before.size(), before) == 0 &&
                         line.compare(line.size() - after.size(), after.size(), after) == 0;
        EXPECT_TRUE(is_record) << line;
        if (is_record) {
            ids.push_back(line.substr(before.size(), line.size() - before.size() - after.size()));
        }
    }
    EXPECT_TRUE(answer.empty() || answer.back() == '\n') << "torn: " << answer;
    return ids;
}

std::vector<std::string> MakeIds(const std::string &prefix, size_t count) {
    std::vector<std::string> ids;
    for (size_t index = 0; index < count; index++) {
        ids.push_back(prefix + std::to_string(index));
    }
    return ids;
}

std::string RecordLines(const std::vector<std::string> &ids) {
    std::string lines;
    for (const std::string &id : ids) {
        lines += RecordLine(id);
    }
    return lines;
}

void ExpectEachOnce(std::vector<std::string> ids, std::vector<std::string> expected) {
    std::sort(ids.begin(), ids.end());
    std::sort(expected.begin(), expected.end());
    EXPECT_EQ(ids.size(), expected.size());
    EXPECT_EQ(std::adjacent_find(ids.begin(), ids.end()), ids.end()) << "a record is there twice";
    EXPECT_TRUE(ids == expected) << "records are missing, or there are others";
}

std::unique_ptr<TestedStore> MakeTestedStore(const std::string &kind) {
    if (kind == "sqlite") {
        return std::make_unique<SqliteFile>();
    }
    if (kind == "file") {
        return std::make_unique<LinesFile>();
    }
    return std::make_unique<Mariadb>();
}

void StoresTest::SetUp() {
    if (GetParam() == std::string("mysql") && !MariadbServer::WhyNot().empty()) {
        GTEST_SKIP() << MariadbServer::WhyNot();
    }
    store_ = MakeTestedStore(GetParam());
}

} // namespace harness
