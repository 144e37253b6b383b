/*
 * The tables of a MySQL store: made where they are missing, checked where they are there.
 *
 * Threading: as the connection.
 */
#ifndef SERVER_RECORDS_STORE_MYSQL_SCHEMA_H_
#define SERVER_RECORDS_STORE_MYSQL_SCHEMA_H_

#include <mariadb/mysql.h>
#include <stdbool.h>

#include "server/records/json/record.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Makes the tables user_data and user_data_writers where they are missing, and checks that a
 * user_data that is there can hold what we write: InnoDB, because a batch has to be a transaction,
 * columns that keep any text in UTF-8, no key, partition or further column that would refuse a
 * record, and with it all that come later; and that this user may write to it on this server.
 * `limits` receives how many characters fit into each column. False: `message` says why, and what
 * would help. */
bool mysql_schema_prepare(MYSQL *connection, struct record_limits *limits, char *message);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RECORDS_STORE_MYSQL_SCHEMA_H_ */
