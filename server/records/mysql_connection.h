/*
 * Connections of the MySQL store, all made alike: over TCP, in UTF-8, strict, with limits of time,
 * and without automatic commits.
 *
 * Threading: a connection belongs to one thread at a time.
 */
#ifndef SERVER_RECORDS_MYSQL_CONNECTION_H_
#define SERVER_RECORDS_MYSQL_CONNECTION_H_

#include <mariadb/mysql.h>
#include <stdbool.h>

#include "server/records/mysql_canceller.h"
#include "server/records/mysql_location.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Connects; `canceller` can cut the connection off as soon as it is established. NULL: `message`
 * says why not. */
MYSQL *mysql_connection_open(const struct mysql_location *location, const char *password,
                             struct mysql_canceller *canceller, char *message);

void mysql_connection_close(MYSQL *connection, struct mysql_canceller *canceller);

/* Runs a statement. False: see mysql_connection_describe_error. */
bool mysql_connection_run(MYSQL *connection, const char *statement);

void mysql_connection_describe_error(MYSQL *connection, char *message);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RECORDS_MYSQL_CONNECTION_H_ */
