#include <inttypes.h>
#include <mariadb/mysqld_error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/records/store/mysql_store_parts.h"

enum {
    /* Rows are sent in statements of about this size, the last row may exceed it. */
    STATEMENT_SIZE = 256 * 1024,
    STATEMENT_CAPACITY = STATEMENT_SIZE + MYSQL_ROW_SIZE_MAX + MYSQL_STATEMENT_OVERHEAD,
    /* Affected rows of INSERT ... ON DUPLICATE KEY UPDATE that found the very same values. */
    AFFECTED_NONE = 0,
    /* How often a batch is tried in a row that lost against another transaction. */
    CONFLICTS_MAX = 5,
    /* Of MySQL 8, which MariaDB's header does not name. */
    MYSQL8_CHECK_CONSTRAINT_VIOLATED = 3819,
};

static const char INSERT_PREFIX[] = "INSERT INTO user_data (id, name, age) VALUES ";

struct mysql_writer {
    struct store_writer base;
    struct mysql_store *store;
    MYSQL *connection;         /* NULL while not connected */
    size_t host_index;         /* where it leads */
    size_t statement_size_max; /* after which no further row is added */
    char statement[STATEMENT_CAPACITY];
    size_t statement_size;
};

static void disconnect(struct mysql_writer *writer) {
    if (writer->connection != NULL) {
        mysql_close(writer->connection);
        writer->connection = NULL;
    }
}

static enum store_status mysql_writer_connect(struct store_writer *base, char *message) {
    struct mysql_writer *writer = (struct mysql_writer *)base;
    if (writer->connection != NULL) {
        return STORE_OK;
    }
    uint64_t packet_size = 0;
    writer->connection =
        mysql_connection_open(&writer->store->server, &writer->host_index, message);
    if (writer->connection == NULL ||
        !mysql_connection_read_packet_size(writer->connection, &packet_size, message)) {
        disconnect(writer);
        return STORE_UNAVAILABLE;
    }
    uint64_t size_max = packet_size - MYSQL_ROW_SIZE_MAX - MYSQL_STATEMENT_OVERHEAD;
    writer->statement_size_max = size_max < STATEMENT_SIZE ? (size_t)size_max : STATEMENT_SIZE;
    return STORE_OK;
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

/* Says what failed last, and is false. */
static bool fail(struct mysql_writer *writer, char *message) {
    mysql_connection_describe_error(writer->connection, message);
    return false;
}

/* Whether the last statement failed because of what is in its rows, and would again. */
static bool is_refusal(struct mysql_writer *writer) {
    static const char *const CLASSES[] = {"22", "23", "45"}; /* data, constraint, a SIGNAL */
    const char *state = mysql_sqlstate(writer->connection);
    switch (mysql_errno(writer->connection)) {
    case ER_NO_PARTITION_FOR_GIVEN_VALUE:
    case ER_TRUNCATED_WRONG_VALUE_FOR_FIELD:
    case ER_TOO_BIG_ROWSIZE:
    case WARN_DATA_TRUNCATED:
    case MYSQL8_CHECK_CONSTRAINT_VIOLATED:
        return true;
    default:
        break;
    }
    for (size_t index = 0; index < sizeof CLASSES / sizeof CLASSES[0]; index++) {
        if (strncmp(state, CLASSES[index], 2) == 0) {
            return true;
        }
    }
    return false;
}

/* Inserts the records from `begin` on, but not those that were refused, in one statement. Returns
 * the index behind the last one; `is_inserted` tells whether it succeeded. */
static size_t insert_some(struct mysql_writer *writer, const struct record_batch *batch,
                          size_t begin, size_t end, bool *is_inserted) {
    size_t row_count = 0;
    size_t index = begin;
    writer->statement_size = 0;
    append(writer, INSERT_PREFIX, sizeof INSERT_PREFIX - 1);
    for (; index < end && (row_count == 0 || writer->statement_size < writer->statement_size_max);
         index++) {
        if (!rejects_has(writer->store->rejects, batch, index)) {
            if (row_count++ > 0) {
                append(writer, ",", 1);
            }
            append_row(writer, &batch->lines[index]);
        }
    }
    *is_inserted = row_count == 0 || mysql_real_query(writer->connection, writer->statement,
                                                      writer->statement_size) == 0;
    return index;
}

/* Inserts records one by one, and puts down those that are refused twice. */
static bool insert_singly(struct mysql_writer *writer, const struct record_batch *batch,
                          size_t begin, size_t end, char *message) {
    for (size_t index = begin; index < end; index++) {
        bool is_inserted = false;
        for (int count = 0; count < 2 && !is_inserted; count++) {
            (void)insert_some(writer, batch, index, index + 1, &is_inserted);
            if (!is_inserted && !is_refusal(writer)) {
                return fail(writer, message);
            }
        }
        if (!is_inserted) {
            char reason[MESSAGE_SIZE];
            mysql_connection_describe_error(writer->connection, reason);
            if (!rejects_add(writer->store->rejects, batch, index, reason, message)) {
                return false;
            }
        }
    }
    return true;
}

static bool insert_records(struct mysql_writer *writer, const struct record_batch *batch,
                           char *message) {
    size_t index = 0;
    while (index < batch->count) {
        bool is_inserted;
        size_t end = insert_some(writer, batch, index, batch->count, &is_inserted);
        /* The server has undone this statement, and nothing else of the transaction. */
        if (!is_inserted && !is_refusal(writer)) {
            return fail(writer, message);
        }
        if (!is_inserted && !insert_singly(writer, batch, index, end, message)) {
            return false;
        }
        index = end;
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

static bool write_transaction(struct mysql_writer *writer, const struct record_batch *batch,
                              char *message) {
    bool is_stored = false;
    if (!register_batch(writer, batch, &is_stored)) {
        return fail(writer, message);
    }
    if (is_stored) {
        return mysql_rollback(writer->connection) == 0 || fail(writer, message);
    }
    return insert_records(writer, batch, message) &&
           rejects_settle(writer->store->rejects, batch, message) &&
           (mysql_commit(writer->connection) == 0 || fail(writer, message));
}

/* Whether the transaction was ended in favour of another one, which is nobody's fault. */
static bool is_conflict(unsigned error) {
    return error == ER_LOCK_DEADLOCK || error == ER_LOCK_WAIT_TIMEOUT || error == ER_CHECKREAD;
}

static enum store_status mysql_writer_write(struct store_writer *base,
                                            const struct record_batch *batch, char *message) {
    struct mysql_writer *writer = (struct mysql_writer *)base;
    for (int count = 0; count < CONFLICTS_MAX; count++) {
        if (write_transaction(writer, batch, message)) {
            return STORE_OK;
        }
        unsigned error = mysql_errno(writer->connection);
        if (!is_conflict(error) || mysql_rollback(writer->connection) != 0) {
            mysql_connection_leave_host(&writer->store->server, writer->host_index, error);
            /* The server rolls back what it has of the transaction; the next attempt connects. */
            disconnect(writer);
            return STORE_UNAVAILABLE;
        }
        if (error == ER_LOCK_WAIT_TIMEOUT) {
            return STORE_UNAVAILABLE; /* it has waited long enough */
        }
    }
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

static void mysql_writer_close(struct store_writer *base) {
    struct mysql_writer *writer = (struct mysql_writer *)base;
    bool is_last = atomic_fetch_sub(&writer->store->writer_count, 1) == 1;
    if (is_last && writer->connection != NULL) {
        clear_run(writer);
    }
    disconnect(writer);
    free(writer);
}

static const struct store_writer_operations operations = {
    .connect = mysql_writer_connect,
    .write = mysql_writer_write,
    .close = mysql_writer_close,
};

struct store_writer *mysql_writer_open(struct store *base) {
    struct mysql_writer *writer = calloc(1, sizeof *writer);
    if (writer == NULL) {
        return NULL;
    }
    writer->base.operations = &operations;
    writer->store = (struct mysql_store *)base;
    atomic_fetch_add(&writer->store->writer_count, 1);
    return &writer->base;
}
