// An SQLite database as another program uses it.
//
// Threading: any.
#ifndef SERVER_RECORDS_STORE_SQLITE_DATABASE_H_
#define SERVER_RECORDS_STORE_SQLITE_DATABASE_H_

#include <string>

namespace harness {

// Runs statements, waits for what others hold locked, and returns the first column of what they
// select, a row a line. Fails the running test where that cannot be.
std::string RunSqlite(const std::string &path, const std::string &statements);

} // namespace harness

#endif // SERVER_RECORDS_STORE_SQLITE_DATABASE_H_
