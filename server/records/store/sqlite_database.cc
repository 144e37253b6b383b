#include "server/records/store/sqlite_database.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

namespace harness {

std::string RunSqlite(const std::string &path, const std::string &statements) {
    sqlite3 *database = nullptr;
    std::string rows;
    EXPECT_EQ(sqlite3_open(path.c_str(), &database), SQLITE_OK);
    sqlite3_busy_timeout(database, 10000);
    EXPECT_EQ(sqlite3_exec(
                  database, statements.c_str(),
                  [](void *context, int, char **values, char **) {
                      *static_cast<std::string *>(context) += std::string(values[0]) + "\n";
                      return 0;
                  },
                  &rows, nullptr),
              SQLITE_OK)
        << sqlite3_errmsg(database);
    sqlite3_close(database);
    return rows;
}

} // namespace harness
