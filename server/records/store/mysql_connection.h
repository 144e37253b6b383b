/*
 * Connections of the MySQL store, all made alike: over TCP, in UTF-8, strict, with limits of time,
 * and without automatic commits.
 *
 * Threading: a connection belongs to one thread at a time.
 */
#ifndef SERVER_RECORDS_STORE_MYSQL_CONNECTION_H_
#define SERVER_RECORDS_STORE_MYSQL_CONNECTION_H_

#include <mariadb/mysql.h>
#include <stdbool.h>

#include "server/records/store/mysql_location.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Connects; end it with mysql_close. NULL: `message` says why not. */
MYSQL *mysql_connection_open(const struct mysql_location *location, const char *password,
                             char *message);

/* Runs a statement. False: see mysql_connection_describe_error. */
bool mysql_connection_run(MYSQL *connection, const char *statement);

void mysql_connection_describe_error(MYSQL *connection, char *message);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RECORDS_STORE_MYSQL_CONNECTION_H_ */
