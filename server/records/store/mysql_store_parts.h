/* What the parts of the MySQL store share: mysql_store.c opens, mysql_writer.c writes,
 * mysql_reader.c reads. */
#ifndef SERVER_RECORDS_STORE_MYSQL_STORE_PARTS_H_
#define SERVER_RECORDS_STORE_MYSQL_STORE_PARTS_H_

#include <mariadb/mysql.h>
#include <stdatomic.h>

#include "server/records/store/limits.h"
#include "server/records/store/mysql_connection.h"
#include "server/records/store/rejects.h"
#include "server/records/store/store.h"

enum {
    MYSQL_STORE_QUERY_CAPACITY = 512,
    MYSQL_STORE_RUN_SIZE = 16,
    MYSQL_STORE_RUN_TEXT_SIZE = 2 * MYSQL_STORE_RUN_SIZE + 1,
};

struct mysql_store {
    struct store base;
    struct mysql_server server;
    struct rejects *rejects;
    char run[MYSQL_STORE_RUN_TEXT_SIZE]; /* names this run of the program */
    atomic_size_t writer_count;          /* open ones */
};

struct store_writer *mysql_writer_open(struct store *store);
struct store_reader *mysql_reader_open(struct store *store);

#endif /* SERVER_RECORDS_STORE_MYSQL_STORE_PARTS_H_ */
