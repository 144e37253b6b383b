// A MariaDB of a test's own: in a fresh directory, on a free port of the loopback interface.
//
// Ownership: the object owns the process and the directory; both are gone after the destructor.
// Threading: one thread.
#ifndef SERVER_RECORDS_STORE_MARIADB_SERVER_H_
#define SERVER_RECORDS_STORE_MARIADB_SERVER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "testing/files.h"
#include "testing/process.h"

namespace harness {

class MariadbServer {
  public:
    // Why there can be none on this machine, or empty.
    static std::string WhyNot();

    // The one of all tests of a program, because making a new one takes seconds; our tables are
    // dropped.
    static MariadbServer *Shared();

    // Creates the database and starts the server. Throws std::runtime_error with what it said when
    // it does not start.
    MariadbServer();

    // Stops it in an orderly way, kills it, starts it again on the same port.
    void Stop();
    void Kill();
    void Start();

    // Ends it in an orderly way and starts it with these options more.
    void Restart(const std::vector<std::string> &more_options);
    // Where its socket is in the file system, under the name "socket".
    std::string data_directory() const {
        return directory_.File("data");
    }

    // Stops its process as a whole: it is there, takes connections, and answers nothing until it is
    // killed.
    void Freeze();

    // The location of its database for the records server, whose password is kPassword; `port` may
    // be that of something in between, 0 is the server's own.
    std::string Location(std::uint16_t port = 0) const;
    static constexpr char kPassword[] = "a 'quoted' password";
    static constexpr char kUser[] = "records";
    static constexpr char kDatabase[] = "tsdb";

    std::uint16_t port() const {
        return port_;
    }

    // Runs a statement and returns the first column of what it selects, a row a line. Throws
    // std::runtime_error when it fails.
    std::string Query(const std::string &statement) const;

    std::string QueryAsRoot(const std::string &statement) const;

  private:
    std::string QueryAs(const char *user, const char *password, const std::string &statement) const;

    TemporaryDirectory directory_;
    std::uint16_t port_ = 0;
    std::vector<std::string> more_options_;
    std::unique_ptr<Process> process_;
};

} // namespace harness

#endif // SERVER_RECORDS_STORE_MARIADB_SERVER_H_
