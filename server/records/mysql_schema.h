/*
 * The tables of a MySQL store: made where they are missing, checked where they are there.
 *
 * Threading: as the connection.
 */
#ifndef SERVER_RECORDS_MYSQL_SCHEMA_H_
#define SERVER_RECORDS_MYSQL_SCHEMA_H_

#include <mariadb/mysql.h>
#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Makes the tables user_data and user_data_writers where they are missing, and checks that a
 * user_data that is there can hold what we write: InnoDB, because a batch has to be a transaction,
 * texts in UTF-8, and no key or further column that would refuse a record, and with it all that
 * come later. `member_character_max` receives how many characters fit into its columns, or 0 when
 * every record fits. False: `message` says why. */
bool mysql_schema_prepare(MYSQL *connection, size_t *member_character_max, char *message);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RECORDS_MYSQL_SCHEMA_H_ */
