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
enum store_status mysql_writer_connect(struct store_writer *writer, char *message);
enum store_status mysql_writer_write(struct store_writer *writer, const struct record_batch *batch,
                                     char *message);
void mysql_writer_close(struct store_writer *writer);

struct store_reader *mysql_reader_open(struct store *store);
enum store_status mysql_reader_connect(struct store_reader *reader, char *message);
enum store_status mysql_reader_begin(struct store_reader *reader, const struct record_text *id,
                                     char *message);
uint64_t mysql_reader_stored_sequence(struct store_reader *reader, size_t slot_index);
enum store_status mysql_reader_next(struct store_reader *reader, struct record *record,
                                    char *message);
void mysql_reader_end(struct store_reader *reader);
void mysql_reader_close(struct store_reader *reader);

#endif /* SERVER_RECORDS_STORE_MYSQL_STORE_PARTS_H_ */
