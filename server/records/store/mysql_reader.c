#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/records/store/mysql_store_parts.h"

/* A client of ours that reads slowly may keep the server waiting this long. */
enum { SLOW_READER_TIMEOUT_S = 600 };

struct mysql_reader {
    struct store_reader base;
    struct mysql_store *store;
    const struct record_text *id;
    MYSQL *connection; /* NULL while not connected */
    size_t host_index; /* where it leads */
    MYSQL_RES *rows;   /* from when they are asked for until the end */
    bool is_at_end;    /* all of them were taken */
    uint64_t sequences[RECORDS_WORKERS_MAX];
};

static void disconnect(struct mysql_reader *reader) {
    if (reader->connection != NULL) {
        mysql_close(reader->connection);
        reader->connection = NULL;
    }
}

static void drop_rows(struct mysql_reader *reader) {
    if (!reader->is_at_end) {
        /* Cut off first, or freeing the result would read what is left of its rows. */
        (void)mariadb_cancel(reader->connection);
    }
    mysql_free_result(reader->rows);
    reader->rows = NULL;
}

/* Connects, each statement a transaction of its own. */
static bool connect_anew(struct mysql_reader *reader, char *message) {
    char query[MYSQL_STORE_QUERY_CAPACITY];
    disconnect(reader);
    reader->connection =
        mysql_connection_open(&reader->store->server, &reader->host_index, message);
    if (reader->connection == NULL) {
        return false;
    }
    (void)snprintf(query, sizeof query, "SET SESSION net_write_timeout = %d",
                   SLOW_READER_TIMEOUT_S);
    if (mysql_autocommit(reader->connection, 1) != 0 ||
        !mysql_connection_run(reader->connection, query) ||
        !mysql_connection_run(reader->connection,
                              "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")) {
        mysql_connection_describe_error(reader->connection, message);
        disconnect(reader);
        return false;
    }
    /* Where there is a cluster, what was stored on another node is seen on this one too. */
    (void)mysql_connection_run(reader->connection, "SET SESSION wsrep_sync_wait = 1");
    return true;
}

static enum store_status mysql_reader_connect(struct store_reader *base, char *message) {
    struct mysql_reader *reader = (struct mysql_reader *)base;
    /* The server may have gone, or have ended a connection that was idle for too long. */
    bool is_connected = reader->connection != NULL && mysql_ping(reader->connection) == 0;
    return is_connected || connect_anew(reader, message) ? STORE_OK : STORE_UNAVAILABLE;
}

static bool read_sequence(struct mysql_reader *reader, MYSQL_ROW row) {
    uint64_t slot_index;
    uint64_t sequence;
    if (!mysql_connection_read_number(row[0], &slot_index) || slot_index >= RECORDS_WORKERS_MAX ||
        !mysql_connection_read_number(row[1], &sequence)) {
        return false;
    }
    reader->sequences[slot_index] = sequence;
    return true;
}

static bool read_sequences(struct mysql_reader *reader, char *message) {
    char query[MYSQL_STORE_QUERY_CAPACITY];
    (void)snprintf(query, sizeof query,
                   "SELECT writer, sequence FROM user_data_writers WHERE run = '%s'",
                   reader->store->run);
    MYSQL_RES *rows = mysql_connection_select(reader->connection, query, 2, message);
    if (rows == NULL) {
        return false;
    }
    MYSQL_ROW row = mysql_fetch_row(rows);
    while (row != NULL && read_sequence(reader, row)) {
        row = mysql_fetch_row(rows);
    }
    mysql_free_result(rows);
    if (row != NULL) {
        message_format(message, "MySQL: user_data_writers has a row that is not ours");
    }
    return row == NULL;
}

static bool begin_snapshot(struct mysql_reader *reader, char *message) {
    if (!mysql_connection_run(reader->connection, "START TRANSACTION WITH CONSISTENT SNAPSHOT")) {
        mysql_connection_describe_error(reader->connection, message);
        return false;
    }
    return read_sequences(reader, message);
}

static bool select_rows(struct mysql_reader *reader) {
    if (reader->id == NULL) {
        return mysql_connection_run(reader->connection, "SELECT id, name, age FROM user_data");
    }
    static const char SELECT_ID[] = "SELECT id, name, age FROM user_data WHERE id = '";
    enum { PREFIX_SIZE = sizeof SELECT_ID - 1 };
    char *query = malloc(PREFIX_SIZE + 2 * reader->id->size + sizeof "'");
    if (query == NULL) {
        return false;
    }
    memcpy(query, SELECT_ID, PREFIX_SIZE);
    unsigned long size =
        PREFIX_SIZE + mysql_real_escape_string(reader->connection, query + PREFIX_SIZE,
                                               reader->id->bytes, (unsigned long)reader->id->size);
    query[size++] = '\'';
    bool is_selected = mysql_real_query(reader->connection, query, size) == 0;
    free(query);
    return is_selected;
}

/* Rows are taken from the server as they are asked for. */
static bool use_rows(struct mysql_reader *reader, char *message) {
    reader->rows = select_rows(reader) ? mysql_use_result(reader->connection) : NULL;
    if (reader->rows == NULL) {
        mysql_connection_describe_error(reader->connection, message);
        return false;
    }
    if (mysql_num_fields(reader->rows) != RECORD_MEMBER_COUNT) {
        message_format(message, "MySQL: it answers something else than it was asked for");
        drop_rows(reader);
        return false;
    }
    return true;
}

static enum store_status mysql_reader_begin(struct store_reader *base, const struct record_text *id,
                                            char *message) {
    struct mysql_reader *reader = (struct mysql_reader *)base;
    reader->id = id;
    reader->is_at_end = false;
    memset(reader->sequences, 0, sizeof reader->sequences);
    /* A lookup is one statement, whose batches nobody asks for. The rows of all are asked for
     * later: the writers wait until this is over. */
    bool is_begun = id != NULL ? use_rows(reader, message) : begin_snapshot(reader, message);
    if (!is_begun) {
        mysql_connection_leave_host(&reader->store->server, reader->host_index,
                                    mysql_errno(reader->connection));
        disconnect(reader);
        return STORE_UNAVAILABLE;
    }
    return STORE_OK;
}

static uint64_t mysql_reader_stored_sequence(struct store_reader *base, size_t slot_index) {
    return ((struct mysql_reader *)base)->sequences[slot_index];
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
    if (reader->rows == NULL && !use_rows(reader, message)) {
        return STORE_UNAVAILABLE;
    }
    do {
        MYSQL_ROW row = mysql_fetch_row(reader->rows);
        if (row == NULL) {
            if (mysql_errno(reader->connection) == 0) {
                reader->is_at_end = true;
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

static void mysql_reader_end(struct store_reader *base) {
    struct mysql_reader *reader = (struct mysql_reader *)base;
    if (reader->rows != NULL) {
        drop_rows(reader);
    }
    bool is_usable =
        reader->is_at_end && (reader->id != NULL || mysql_rollback(reader->connection) == 0);
    if (!is_usable) {
        disconnect(reader);
    }
}

static void mysql_reader_close(struct store_reader *base) {
    disconnect((struct mysql_reader *)base);
    free(base);
}

static const struct store_reader_operations operations = {
    .connect = mysql_reader_connect,
    .begin = mysql_reader_begin,
    .stored_sequence = mysql_reader_stored_sequence,
    .next = mysql_reader_next,
    .end = mysql_reader_end,
    .close = mysql_reader_close,
};

struct store_reader *mysql_reader_open(struct store *base) {
    struct mysql_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL) {
        return NULL;
    }
    reader->base.operations = &operations;
    reader->store = (struct mysql_store *)base;
    return &reader->base;
}
