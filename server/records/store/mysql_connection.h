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
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "server/records/json/limits.h"
#include "server/records/store/mysql_location.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    /* A row at its longest: every byte escaped, quotes and commas. */
    MYSQL_ROW_SIZE_MAX = 2 * RECORDS_RECORD_SIZE_MAX + 16,
    /* What a statement is beside its rows, at most. */
    MYSQL_STATEMENT_OVERHEAD = 128,
};

/* The database, and which of its hosts is used: the last one that could be connected, by all. */
struct mysql_server {
    struct mysql_location location;
    char *password; /* NULL: none */
    atomic_size_t host_index;
};

/* Connects to the host that is used, or else to the next one that can be connected; `host_index`
 * receives which. End it with mysql_close. NULL: `message` says why not. */
MYSQL *mysql_connection_open(struct mysql_server *server, size_t *host_index, char *message);

/* Goes on with the next host, after an error (mysql_errno) that says that this one is of no use at
 * the moment, though it can be connected: it is no part of its cluster, or takes no writes. */
void mysql_connection_leave_host(struct mysql_server *server, size_t host_index, unsigned error);

/* Runs a statement. False: see mysql_connection_describe_error. */
bool mysql_connection_run(MYSQL *connection, const char *statement);

/* Runs a statement and returns all rows that it selects, each of column_count columns, any of which
 * may be NULL; the caller frees them. NULL: `message` says why not. */
MYSQL_RES *mysql_connection_select(MYSQL *connection, const char *statement, unsigned column_count,
                                   char *message);

/* Reads how long a statement may be, in bytes. False: it cannot be read, or is less than a record
 * may need; `message` says so. */
bool mysql_connection_read_packet_size(MYSQL *connection, uint64_t *size, char *message);

/* Reads a column that has to be a whole number without a sign. False: it is none, or is NULL. */
bool mysql_connection_read_number(const char *text, uint64_t *number);

void mysql_connection_describe_error(MYSQL *connection, char *message);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RECORDS_STORE_MYSQL_CONNECTION_H_ */
