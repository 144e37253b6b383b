#include "server/records/store_mysql.h"

#include <inttypes.h>
#include <mariadb/mysql.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "server/records/mysql_connection.h"
#include "server/records/mysql_location.h"
#include "server/records/mysql_schema.h"
#include "server/records/record_message.h"

enum {
    /* A client of ours that reads slowly may keep the server waiting this long. */
    SLOW_READER_TIMEOUT_S = 600,
    /* Rows are sent in statements of about this size, the last row may exceed it. */
    STATEMENT_SIZE = 256 * 1024,
    /* A row at its longest: every byte escaped, quotes and commas. */
    ROW_SIZE_MAX = 2 * RECORDS_RECORD_SIZE_MAX + 16,
    STATEMENT_CAPACITY = STATEMENT_SIZE + ROW_SIZE_MAX + 64,
    QUERY_CAPACITY = 512,
    RUN_SIZE = 16,
    RUN_TEXT_SIZE = 2 * RUN_SIZE + 1,
    /* Affected rows of INSERT ... ON DUPLICATE KEY UPDATE that found the very same values. */
    AFFECTED_NONE = 0,
};

static const char INSERT_PREFIX[] = "INSERT INTO user_data (id, name, age) VALUES ";

struct mysql_store {
    struct store base;
    struct mysql_location location;
    char *password;
    char run[RUN_TEXT_SIZE]; /* names this run of the program */
    struct mysql_canceller canceller;
};

struct mysql_writer {
    struct store_writer base;
    struct mysql_store *store;
    size_t index;
    MYSQL *connection; /* NULL while not connected */
    char statement[STATEMENT_CAPACITY];
    size_t statement_size;
};

struct mysql_reader {
    struct store_reader base;
    struct mysql_store *store;
    const struct record_text *id;
    MYSQL *connection;
    MYSQL_RES *rows;
    uint64_t sequences[RECORDS_WORKERS_MAX];
};

static MYSQL *connect_store(struct mysql_store *store, char *message) {
    return mysql_connection_open(&store->location, store->password, &store->canceller, message);
}

static void mysql_store_close(struct store *base) {
    struct mysql_store *store = (struct mysql_store *)base;
    mysql_location_destroy(&store->location);
    mysql_canceller_destroy(&store->canceller);
    free(store->password);
    free(store);
}

static void mysql_store_cancel(struct store *base) {
    mysql_canceller_cancel(&((struct mysql_store *)base)->canceller);
}

static struct store_writer *mysql_writer_open(struct store *base, size_t writer_index) {
    struct mysql_writer *writer = calloc(1, sizeof *writer);
    if (writer == NULL) {
        return NULL;
    }
    writer->base.operations = base->operations;
    writer->store = (struct mysql_store *)base;
    writer->index = writer_index;
    return &writer->base;
}

static void disconnect_writer(struct mysql_writer *writer) {
    if (writer->connection != NULL) {
        mysql_connection_close(writer->connection, &writer->store->canceller);
        writer->connection = NULL;
    }
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

/* Writes the batch's sequence into the writer's row, where it waits for an earlier attempt's
 * transaction that is still alive. Sets `is_stored` if the sequence was there already. */
static bool register_batch(struct mysql_writer *writer, const struct record_batch *batch,
                           bool *is_stored) {
    char query[QUERY_CAPACITY];
    (void)snprintf(query, sizeof query,
                   "INSERT INTO user_data_writers (run, writer, sequence) VALUES ('%s', %zu, "
                   "%" PRIu64 ") ON DUPLICATE KEY UPDATE sequence = VALUES(sequence)",
                   writer->store->run, writer->index, batch->sequence);
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

static enum store_status mysql_writer_write(struct store_writer *base,
                                            const struct record_batch *batch, char *message) {
    struct mysql_writer *writer = (struct mysql_writer *)base;
    if (writer->connection == NULL) {
        writer->connection = connect_store(writer->store, message);
    }
    if (writer->connection == NULL) {
        return STORE_UNAVAILABLE;
    }
    if (write_transaction(writer, batch)) {
        return STORE_OK;
    }
    mysql_connection_describe_error(writer->connection, message);
    /* The server rolls back what it has of the transaction; the next attempt connects anew. */
    disconnect_writer(writer);
    return STORE_UNAVAILABLE;
}

static void mysql_writer_close(struct store_writer *base) {
    struct mysql_writer *writer = (struct mysql_writer *)base;
    if (writer->connection != NULL) {
        char query[QUERY_CAPACITY];
        (void)snprintf(query, sizeof query,
                       "DELETE FROM user_data_writers WHERE run = '%s' AND writer = %zu",
                       writer->store->run, writer->index);
        /* A row that stays does no harm. */
        if (mysql_connection_run(writer->connection, query)) {
            (void)mysql_commit(writer->connection);
        }
    }
    disconnect_writer(writer);
    free(writer);
}

static struct store_reader *mysql_reader_open(struct store *base) {
    struct mysql_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL) {
        return NULL;
    }
    reader->base.operations = base->operations;
    reader->store = (struct mysql_store *)base;
    return &reader->base;
}

static bool begin_snapshot(MYSQL *connection) {
    char query[QUERY_CAPACITY];
    (void)snprintf(query, sizeof query, "SET SESSION net_write_timeout = %d",
                   SLOW_READER_TIMEOUT_S);
    return mysql_connection_run(connection, query) &&
           mysql_connection_run(connection,
                                "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ") &&
           mysql_connection_run(connection, "START TRANSACTION WITH CONSISTENT SNAPSHOT");
}

static bool read_sequences(struct mysql_reader *reader) {
    char query[QUERY_CAPACITY];
    (void)snprintf(query, sizeof query,
                   "SELECT writer, sequence FROM user_data_writers WHERE run = '%s'",
                   reader->store->run);
    if (!mysql_connection_run(reader->connection, query)) {
        return false;
    }
    MYSQL_RES *rows = mysql_store_result(reader->connection);
    if (rows == NULL) {
        return false;
    }
    for (MYSQL_ROW row = mysql_fetch_row(rows); row != NULL; row = mysql_fetch_row(rows)) {
        size_t writer_index = strtoul(row[0], NULL, 10);
        if (writer_index < RECORDS_WORKERS_MAX) {
            reader->sequences[writer_index] = strtoull(row[1], NULL, 10);
        }
    }
    mysql_free_result(rows);
    return true;
}

static bool select_rows(struct mysql_reader *reader) {
    static const char SELECT[] = "SELECT id, name, age FROM user_data";
    if (reader->id == NULL) {
        return mysql_connection_run(reader->connection, SELECT);
    }
    char *query = malloc(sizeof SELECT + 2 * reader->id->size + 64);
    if (query == NULL) {
        return false;
    }
    int size = sprintf(query, "%s WHERE id = '", SELECT);
    unsigned long escaped_size = mysql_real_escape_string(
        reader->connection, query + size, reader->id->bytes, (unsigned long)reader->id->size);
    (void)strcpy(query + size + escaped_size, "'");
    bool is_selected = mysql_connection_run(reader->connection, query);
    free(query);
    return is_selected;
}

static enum store_status mysql_reader_begin(struct store_reader *base, const struct record_text *id,
                                            char *message) {
    struct mysql_reader *reader = (struct mysql_reader *)base;
    reader->id = id;
    reader->connection = connect_store(reader->store, message);
    if (reader->connection == NULL) {
        return STORE_UNAVAILABLE;
    }
    if (begin_snapshot(reader->connection) && read_sequences(reader) && select_rows(reader)) {
        /* Rows are taken from the server as they are asked for. */
        reader->rows = mysql_use_result(reader->connection);
    }
    if (reader->rows == NULL) {
        mysql_connection_describe_error(reader->connection, message);
        return STORE_UNAVAILABLE;
    }
    return STORE_OK;
}

static uint64_t mysql_reader_stored_sequence(struct store_reader *base, size_t writer_index) {
    return ((struct mysql_reader *)base)->sequences[writer_index];
}

static struct record_text column_text(MYSQL_ROW row, const unsigned long *sizes, size_t column) {
    return row[column] == NULL ? (struct record_text){"", 0}
                               : (struct record_text){row[column], sizes[column]};
}

/* The collation may take more for equal than we do: letter case, spaces at the end. */
static bool is_wanted(const struct mysql_reader *reader, const struct record *record) {
    return reader->id == NULL || record_text_equals(*reader->id, record->id);
}

static enum store_status mysql_reader_next(struct store_reader *base, struct record *record,
                                           char *message) {
    struct mysql_reader *reader = (struct mysql_reader *)base;
    do {
        MYSQL_ROW row = mysql_fetch_row(reader->rows);
        if (row == NULL) {
            if (mysql_errno(reader->connection) == 0) {
                return STORE_END;
            }
            mysql_connection_describe_error(reader->connection, message);
            return STORE_UNAVAILABLE;
        }
        const unsigned long *sizes = mysql_fetch_lengths(reader->rows);
        *record = (struct record){.id = column_text(row, sizes, 0),
                                  .name = column_text(row, sizes, 1),
                                  .age = column_text(row, sizes, 2)};
    } while (!is_wanted(reader, record));
    return STORE_OK;
}

static void mysql_reader_close(struct store_reader *base) {
    struct mysql_reader *reader = (struct mysql_reader *)base;
    if (reader->rows != NULL) {
        /* Cut off first, or freeing the result would read what is left of its rows. */
        (void)mariadb_cancel(reader->connection);
        mysql_free_result(reader->rows);
    }
    if (reader->connection != NULL) {
        mysql_connection_close(reader->connection, &reader->store->canceller);
    }
    free(reader);
}

static const struct store_operations operations = {
    .close = mysql_store_close,
    .cancel = mysql_store_cancel,
    .writer_open = mysql_writer_open,
    .writer_write = mysql_writer_write,
    .writer_close = mysql_writer_close,
    .reader_open = mysql_reader_open,
    .reader_begin = mysql_reader_begin,
    .reader_stored_sequence = mysql_reader_stored_sequence,
    .reader_next = mysql_reader_next,
    .reader_close = mysql_reader_close,
};

static bool prepare_schema(struct mysql_store *store, char *message) {
    MYSQL *connection = connect_store(store, message);
    if (connection == NULL) {
        return false;
    }
    bool is_prepared = mysql_schema_prepare(connection, &store->base.member_character_max, message);
    mysql_connection_close(connection, &store->canceller);
    return is_prepared;
}

/* Fills `run` with random hexadecimal digits. */
static bool name_run(char *run) {
    unsigned char bytes[RUN_SIZE];
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes) {
        return false;
    }
    for (size_t index = 0; index < sizeof bytes; index++) {
        (void)sprintf(run + 2 * index, "%02x", bytes[index]);
    }
    return true;
}

static bool fill_store(struct mysql_store *store, const struct store_options *options,
                       char *message) {
    store->base =
        (struct store){.operations = &operations, .writer_count_max = RECORDS_WORKERS_MAX};
    if (options->password != NULL) {
        store->password = strdup(options->password);
    }
    if ((options->password != NULL && store->password == NULL) || !name_run(store->run)) {
        record_message_format(message, "no memory or no randomness");
        return false;
    }
    return prepare_schema(store, message);
}

struct store *store_mysql_open(const char *rest, const struct store_options *options,
                               bool *is_usage_error, char *message) {
    struct mysql_store *store = calloc(1, sizeof *store);
    if (store == NULL) {
        record_message_format(message, "no memory");
        return NULL;
    }
    if (!mysql_location_parse(&store->location, rest, message)) {
        *is_usage_error = true;
        free(store);
        return NULL;
    }
    if (mysql_canceller_init(&store->canceller) != 0) {
        record_message_format(message, "no memory");
        mysql_location_destroy(&store->location);
        free(store);
        return NULL;
    }
    if (!fill_store(store, options, message)) {
        mysql_store_close(&store->base);
        return NULL;
    }
    return &store->base;
}
