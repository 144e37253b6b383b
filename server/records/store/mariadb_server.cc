#include "server/records/store/mariadb_server.h"

#include <csignal>
#include <mariadb/mysql.h>
#include <unistd.h>

#include <stdexcept>
#include <vector>

#include "testing/daemon.h"
#include "testing/patience.h"

namespace harness {
namespace {

constexpr char kServer[] = "/usr/sbin/mariadbd";
constexpr char kInstaller[] = "/usr/bin/mariadb-install-db";

// A program that the test needs, and Debian's package with it.
struct Need {
    const char *program;
    const char *package;
};
constexpr Need kNeeds[] = {{kServer, "mariadb-server-core"},
                           {kInstaller, "mariadb-server-core"},
                           {"/usr/bin/my_print_defaults", "mariadb-client-core"}};

// MariaDB refuses to run as root unless it is told to.
void AddUser(std::vector<std::string> *arguments) {
    if (geteuid() == 0) {
        arguments->push_back("--user=root");
    }
}

} // namespace

std::string MariadbServer::WhyNot() {
    for (const Need &need : kNeeds) {
        if (access(need.program, X_OK) != 0) {
            return std::string("no ") + need.program + " (package " + need.package + ")";
        }
    }
    return "";
}

MariadbServer *MariadbServer::Shared() {
    static auto *const shared = new MariadbServer;
    shared->Query("DROP TABLE IF EXISTS user_data, user_data_writers");
    return shared;
}

MariadbServer::MariadbServer() : port_(FindFreePort()) {
    ProcessOptions options;
    options.arguments = {kInstaller,
                         "--no-defaults",
                         "--force", // where not even localhost has an address
                         "--datadir=" + directory_.File("data"),
                         "--tmpdir=" + directory_.path(),
                         "--auth-root-authentication-method=normal",
                         "--skip-test-db"};
    AddUser(&options.arguments);
    ProcessResult result = RunToEnd(options);
    if (result.status != Exited(0)) {
        throw std::runtime_error("mariadb-install-db: " + result.output + result.errors);
    }
    WriteFile(directory_.File("init.sql"),
              std::string("CREATE DATABASE IF NOT EXISTS ") + kDatabase +
                  ";\nCREATE USER IF NOT EXISTS '" + kUser +
                  "'@'%' IDENTIFIED BY 'a ''quoted'' password';\nGRANT ALL ON " + kDatabase +
                  ".* TO '" + kUser +
                  "'@'%';\nCREATE USER IF NOT EXISTS 'root'@'127.0.0.1';\n"
                  "GRANT ALL ON *.* TO 'root'@'127.0.0.1' WITH GRANT OPTION;\n");
    Start();
}

void MariadbServer::Start() {
    ProcessOptions options;
    // The socket's path is relative to the data directory: absolute it might be too long.
    options.arguments = {kServer, "--no-defaults", "--datadir=" + directory_.File("data"),
                         "--init-file=" + directory_.File("init.sql"), "--bind-address=127.0.0.1",
                         "--port=" + std::to_string(port_),
                         // Two servers in one /tmp would delete each other's tables.
                         "--tmpdir=" + directory_.path(), "--socket=socket", "--pid-file=pid",
                         "--skip-name-resolve", "--performance-schema=off",
                         "--innodb-buffer-pool-size=32M"};
    options.arguments.insert(options.arguments.end(), more_options_.begin(), more_options_.end());
    AddUser(&options.arguments);
    process_ = std::make_unique<Process>(options);
    if (!process_->WaitForErrors(HasLineWith("ready for connections"))) {
        throw std::runtime_error("mariadbd: " + process_->errors());
    }
}

void MariadbServer::Stop() {
    process_->Signal(SIGTERM);
    if (!process_->WaitForExit()) {
        throw std::runtime_error("mariadbd does not stop");
    }
}

void MariadbServer::Restart(const std::vector<std::string> &more_options) {
    Stop();
    more_options_ = more_options;
    Start();
}

void MariadbServer::Kill() {
    process_->Signal(SIGKILL);
    process_->WaitForExit();
}

void MariadbServer::Freeze() {
    process_->Signal(SIGSTOP);
}

std::string MariadbServer::Location(std::uint16_t port) const {
    return std::string("mysql://") + kUser +
           "@127.0.0.1:" + std::to_string(port == 0 ? port_ : port) + "/" + kDatabase;
}

std::string MariadbServer::Query(const std::string &statement) const {
    return QueryAs(kUser, kPassword, statement);
}

std::string MariadbServer::QueryAsRoot(const std::string &statement) const {
    return QueryAs("root", "", statement);
}

std::string MariadbServer::QueryAs(const char *user, const char *password,
                                   const std::string &statement) const {
    std::unique_ptr<MYSQL, decltype(&mysql_close)> connection(mysql_init(nullptr), mysql_close);
    mysql_options(connection.get(), MYSQL_SET_CHARSET_NAME, "utf8mb4");
    if (mysql_real_connect(connection.get(), "127.0.0.1", user, password, kDatabase, port_, nullptr,
                           0) == nullptr ||
        mysql_real_query(connection.get(), statement.data(), statement.size()) != 0) {
        throw std::runtime_error(mysql_error(connection.get()));
    }
    std::unique_ptr<MYSQL_RES, decltype(&mysql_free_result)> rows(
        mysql_store_result(connection.get()), mysql_free_result);
    std::string result;
    while (rows != nullptr) {
        MYSQL_ROW row = mysql_fetch_row(rows.get());
        if (row == nullptr) {
            break;
        }
        result += std::string(row[0] == nullptr ? "NULL" : row[0]) + "\n";
    }
    return result;
}

} // namespace harness
