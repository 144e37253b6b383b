/*
 * Connections of the MySQL store, all made alike: in UTF-8, strict, with limits of time, and
 * without automatic commits. What a server answers is not to be trusted: it may be another one than
 * we think, so it gets no password in clear and no file, and its results are looked at before use.
 *
 * Threading: a connection belongs to one thread at a time.
 */
#ifndef SERVER_RECORDS_STORE_MYSQL_CONNECTION_H_
#define SERVER_RECORDS_STORE_MYSQL_CONNECTION_H_

#include <mariadb/mysql.h>
#include <stdbool.h>
#include <stdint.h>

#include "server/records/store/mysql_location.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Connects; end it with mysql_close. NULL: `message` says why not. */
MYSQL *mysql_connection_open(const struct mysql_location *location, const char *password,
                             char *message);

/* Runs a statement. False: see mysql_connection_describe_error. */
bool mysql_connection_run(MYSQL *connection, const char *statement);

/* Runs a statement and returns all rows that it selects, each of column_count columns, any of which
 * may be NULL; the caller frees them. NULL: `message` says why not. */
MYSQL_RES *mysql_connection_select(MYSQL *connection, const char *statement, unsigned column_count,
                                   char *message);

/* Reads a column that has to be a whole number without a sign. False: it is none, or is NULL. */
bool mysql_connection_read_number(const char *text, uint64_t *number);

void mysql_connection_describe_error(MYSQL *connection, char *message);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RECORDS_STORE_MYSQL_CONNECTION_H_ */
