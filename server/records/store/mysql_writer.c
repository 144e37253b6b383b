#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/records/store/mysql_store_parts.h"

enum {
    /* Rows are sent in statements of about this size, the last row may exceed it. */
    STATEMENT_SIZE = 256 * 1024,
    /* A row at its longest: every byte escaped, quotes and commas. */
    ROW_SIZE_MAX = 2 * RECORDS_RECORD_SIZE_MAX + 16,
    STATEMENT_CAPACITY = STATEMENT_SIZE + ROW_SIZE_MAX + 64,
    /* Affected rows of INSERT ... ON DUPLICATE KEY UPDATE that found the very same values. */
    AFFECTED_NONE = 0,
};

static const char INSERT_PREFIX[] = "INSERT INTO user_data (id, name, age) VALUES ";

struct mysql_writer {
    struct store_writer base;
    struct mysql_store *store;
    MYSQL *connection; /* NULL while not connected */
    char statement[STATEMENT_CAPACITY];
    size_t statement_size;
};

struct store_writer *mysql_writer_open(struct store *base) {
    struct mysql_writer *writer = calloc(1, sizeof *writer);
    if (writer == NULL) {
        return NULL;
    }
    writer->base.operations = base->operations;
    writer->store = (struct mysql_store *)base;
    atomic_fetch_add(&writer->store->writer_count, 1);
    return &writer->base;
}

static void disconnect(struct mysql_writer *writer) {
    if (writer->connection != NULL) {
        mysql_close(writer->connection);
        writer->connection = NULL;
    }
}

enum store_status mysql_writer_connect(struct store_writer *base, char *message) {
    struct mysql_writer *writer = (struct mysql_writer *)base;
    if (writer->connection == NULL) {
        writer->connection =
            mysql_connection_open(&writer->store->location, writer->store->password, message);
    }
    return writer->connection == NULL ? STORE_UNAVAILABLE : STORE_OK;
}

static void append(struct mysql_writer *writer, const char *bytes, size_t size) {
    memcpy(writer->statement + writer->statement_size, bytes, size);
    writer->statement_size += size;
}

static void append_text(struct mysql_writer *writer, struct record_text text) {
    append(writer, "'", 1);
    writer->statement_size += mysql_real_escape_string(
        writer->connection, writer->statement + writer->statement_size, text.bytes, text.size);
    append(writer, "'", 1);
}

static void append_row(struct mysql_writer *writer, const struct record_line *line) {
    struct record record = record_line_read(line);
    append(writer, "(", 1);
    append_text(writer, record.id);
    append(writer, ",", 1);
    append_text(writer, record.name);
    append(writer, ",", 1);
    append_text(writer, record.age);
    append(writer, ")", 1);
}

static bool insert_records(struct mysql_writer *writer, const struct record_batch *batch) {
    size_t index = 0;
    while (index < batch->count) {
        writer->statement_size = 0;
        append(writer, INSERT_PREFIX, sizeof INSERT_PREFIX - 1);
        append_row(writer, &batch->lines[index++]);
        while (index < batch->count && writer->statement_size < STATEMENT_SIZE) {
            append(writer, ",", 1);
            append_row(writer, &batch->lines[index++]);
        }
        if (mysql_real_query(writer->connection, writer->statement, writer->statement_size) != 0) {
            return false;
        }
    }
    return true;
}

/* Writes the batch's sequence into its slot's row, where it waits for an earlier attempt's
 * transaction that is still alive. Sets `is_stored` if the sequence was there already. */
static bool register_batch(struct mysql_writer *writer, const struct record_batch *batch,
                           bool *is_stored) {
    char query[MYSQL_STORE_QUERY_CAPACITY];
    (void)snprintf(query, sizeof query,
                   "INSERT INTO user_data_writers (run, writer, sequence) VALUES ('%s', %zu, "
                   "%" PRIu64 ") ON DUPLICATE KEY UPDATE sequence = VALUES(sequence)",
                   writer->store->run, batch->slot_index, batch->sequence);
    if (!mysql_connection_run(writer->connection, query)) {
        return false;
    }
    *is_stored = mysql_affected_rows(writer->connection) == AFFECTED_NONE;
    return true;
}

static bool write_transaction(struct mysql_writer *writer, const struct record_batch *batch) {
    bool is_stored = false;
    if (!register_batch(writer, batch, &is_stored)) {
        return false;
    }
    if (is_stored) {
        return mysql_rollback(writer->connection) == 0;
    }
    return insert_records(writer, batch) && mysql_commit(writer->connection) == 0;
}

enum store_status mysql_writer_write(struct store_writer *base, const struct record_batch *batch,
                                     char *message) {
    struct mysql_writer *writer = (struct mysql_writer *)base;
    if (write_transaction(writer, batch)) {
        return STORE_OK;
    }
    mysql_connection_describe_error(writer->connection, message);
    /* The server rolls back what it has of the transaction; the next attempt connects anew. */
    disconnect(writer);
    return STORE_UNAVAILABLE;
}

/* The rows that told batches apart, once nobody will write any more. Rows that stay do no harm. */
static void clear_run(struct mysql_writer *writer) {
    char query[MYSQL_STORE_QUERY_CAPACITY];
    (void)snprintf(query, sizeof query, "DELETE FROM user_data_writers WHERE run = '%s'",
                   writer->store->run);
    if (mysql_connection_run(writer->connection, query)) {
        (void)mysql_commit(writer->connection);
    }
}

void mysql_writer_close(struct store_writer *base) {
    struct mysql_writer *writer = (struct mysql_writer *)base;
    bool is_last = atomic_fetch_sub(&writer->store->writer_count, 1) == 1;
    if (is_last && writer->connection != NULL) {
        clear_run(writer);
    }
    disconnect(writer);
    free(writer);
}
