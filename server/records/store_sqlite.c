#include "server/records/store_sqlite.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "server/records/record_message.h"
#include "server/records/record_page.h"

enum {
    OPEN_TIMEOUT_MS = 5000,
    /* How long one attempt to write waits for another process's lock. Short, because the caller
     * tries again and has to be able to do something else in between. */
    WRITER_TIMEOUT_MS = 100,
    READER_TIMEOUT_MS = 2000,
};

static const char SCHEMA[] = "PRAGMA journal_mode = WAL;"
                             "CREATE TABLE IF NOT EXISTS user_data ("
                             " id TEXT NOT NULL, name TEXT NOT NULL, age TEXT NOT NULL);"
                             "CREATE INDEX IF NOT EXISTS user_data_id ON user_data (id);";
/* What of a table that was there before may refuse a record, one a row. A rowid (INTEGER PRIMARY
 * KEY) in a column of its own is given by SQLite and refuses none. */
static const char SELECT_OBSTACLES[] =
    "SELECT 'the unique index ' || name FROM pragma_index_list('user_data') WHERE \"unique\""
    " UNION ALL SELECT 'the primary key ' || name FROM pragma_table_info('user_data')"
    " WHERE pk > 0 AND lower(name) IN ('id', 'name', 'age')"
    " UNION ALL SELECT 'the column ' || name || ', NOT NULL and without a default'"
    " FROM pragma_table_info('user_data') WHERE \"notnull\" AND dflt_value IS NULL AND pk = 0"
    " AND lower(name) NOT IN ('id', 'name', 'age')";
static const char INSERT[] = "INSERT INTO user_data (id, name, age) VALUES (?1, ?2, ?3)";
static const char SELECT_LAST[] = "SELECT coalesce(max(rowid), 0) FROM user_data";
static const char SELECT_PAGE[] = "SELECT rowid, id, name, age FROM user_data"
                                  " WHERE rowid > ?1 AND rowid <= ?2 ORDER BY rowid";
static const char SELECT_PAGE_OF_ID[] = "SELECT rowid, id, name, age FROM user_data"
                                        " WHERE rowid > ?1 AND rowid <= ?2 AND id = ?3"
                                        " ORDER BY rowid";

struct sqlite_store {
    struct store base;
    char *path;
    bool syncs_always;
};

struct sqlite_writer {
    struct store_writer base;
    const struct sqlite_store *store;
    sqlite3 *database; /* NULL while not connected */
    sqlite3_stmt *begin;
    sqlite3_stmt *insert;
    sqlite3_stmt *commit;
};

struct sqlite_reader {
    struct store_reader base;
    const struct sqlite_store *store;
    const struct record_text *id;
    sqlite3 *database;
    sqlite3_stmt *select;
    sqlite3_int64 read_row;
    sqlite3_int64 last_row;
    struct record_page page;
    size_t page_index;
    bool is_last_page;
};

static void describe_error(sqlite3 *database, char *message) {
    record_message_format(message, "SQLite: %s", sqlite3_errmsg(database));
}

/* Connects. NULL: `message` says why not. */
static sqlite3 *connect_database(const struct sqlite_store *store, int timeout_ms, char *message) {
    sqlite3 *database = NULL;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(store->path, &database, flags, NULL) != SQLITE_OK ||
        sqlite3_busy_timeout(database, timeout_ms) != SQLITE_OK ||
        sqlite3_exec(database,
                     store->syncs_always ? "PRAGMA synchronous = FULL"
                                         : "PRAGMA synchronous = NORMAL",
                     NULL, NULL, NULL) != SQLITE_OK) {
        record_message_format(message, "SQLite: %s: %s", store->path,
                              database == NULL ? "no memory" : sqlite3_errmsg(database));
        (void)sqlite3_close(database);
        return NULL;
    }
    return database;
}

static bool prepare(sqlite3 *database, const char *sql, sqlite3_stmt **statement) {
    return sqlite3_prepare_v3(database, sql, -1, SQLITE_PREPARE_PERSISTENT, statement, NULL) ==
           SQLITE_OK;
}

static void sqlite_close(struct store *base) {
    struct sqlite_store *store = (struct sqlite_store *)base;
    free(store->path);
    free(store);
}

static struct store_writer *sqlite_writer_open(struct store *base, size_t writer_index) {
    (void)writer_index;
    struct sqlite_writer *writer = calloc(1, sizeof *writer);
    if (writer != NULL) {
        writer->base.operations = base->operations;
        writer->store = (struct sqlite_store *)base;
    }
    return writer == NULL ? NULL : &writer->base;
}

static void disconnect_writer(struct sqlite_writer *writer) {
    (void)sqlite3_finalize(writer->begin);
    (void)sqlite3_finalize(writer->insert);
    (void)sqlite3_finalize(writer->commit);
    writer->begin = writer->insert = writer->commit = NULL;
    /* A transaction that is still open is rolled back by this. */
    (void)sqlite3_close(writer->database);
    writer->database = NULL;
}

static bool connect_writer(struct sqlite_writer *writer, char *message) {
    if (writer->database != NULL) {
        return true;
    }
    writer->database = connect_database(writer->store, WRITER_TIMEOUT_MS, message);
    if (writer->database == NULL) {
        return false;
    }
    if (!prepare(writer->database, "BEGIN IMMEDIATE", &writer->begin) ||
        !prepare(writer->database, INSERT, &writer->insert) ||
        !prepare(writer->database, "COMMIT", &writer->commit)) {
        describe_error(writer->database, message);
        disconnect_writer(writer);
        return false;
    }
    return true;
}

static bool run(sqlite3_stmt *statement) {
    bool is_done = sqlite3_step(statement) == SQLITE_DONE;
    return sqlite3_reset(statement) == SQLITE_OK && is_done;
}

static bool bind_text(sqlite3_stmt *statement, int index, struct record_text text) {
    return sqlite3_bind_text64(statement, index, text.bytes, text.size, SQLITE_STATIC,
                               SQLITE_UTF8) == SQLITE_OK;
}

static bool insert_line(sqlite3_stmt *insert, const struct record_line *line) {
    struct record record = record_line_read(line);
    return bind_text(insert, 1, record.id) && bind_text(insert, 2, record.name) &&
           bind_text(insert, 3, record.age) && run(insert);
}

static bool write_transaction(struct sqlite_writer *writer, const struct record_batch *batch) {
    if (!run(writer->begin)) {
        return false;
    }
    for (size_t index = 0; index < batch->count; index++) {
        if (!insert_line(writer->insert, &batch->lines[index])) {
            return false;
        }
    }
    return run(writer->commit);
}

static enum store_status sqlite_writer_write(struct store_writer *base,
                                             const struct record_batch *batch, char *message) {
    struct sqlite_writer *writer = (struct sqlite_writer *)base;
    if (!connect_writer(writer, message)) {
        return STORE_UNAVAILABLE;
    }
    if (write_transaction(writer, batch)) {
        return STORE_OK;
    }
    describe_error(writer->database, message);
    /* A new connection next time: whatever was wrong with this one, nothing of it stays. */
    disconnect_writer(writer);
    return STORE_UNAVAILABLE;
}

static void sqlite_writer_close(struct store_writer *base) {
    disconnect_writer((struct sqlite_writer *)base);
    free(base);
}

static struct store_reader *sqlite_reader_open(struct store *base) {
    struct sqlite_reader *reader = calloc(1, sizeof *reader);
    if (reader != NULL) {
        reader->base.operations = base->operations;
        reader->store = (struct sqlite_store *)base;
    }
    return reader == NULL ? NULL : &reader->base;
}

static bool read_last_row(struct sqlite_reader *reader) {
    sqlite3_stmt *select = NULL;
    bool is_read =
        prepare(reader->database, SELECT_LAST, &select) && sqlite3_step(select) == SQLITE_ROW;
    if (is_read) {
        reader->last_row = sqlite3_column_int64(select, 0);
    }
    (void)sqlite3_finalize(select);
    return is_read;
}

static enum store_status sqlite_reader_begin(struct store_reader *base,
                                             const struct record_text *id, char *message) {
    struct sqlite_reader *reader = (struct sqlite_reader *)base;
    reader->id = id;
    reader->database = connect_database(reader->store, READER_TIMEOUT_MS, message);
    if (reader->database == NULL) {
        return STORE_UNAVAILABLE;
    }
    if (!read_last_row(reader) ||
        !prepare(reader->database, id == NULL ? SELECT_PAGE : SELECT_PAGE_OF_ID, &reader->select) ||
        (id != NULL && !bind_text(reader->select, 3, *id))) {
        describe_error(reader->database, message);
        return STORE_UNAVAILABLE;
    }
    return STORE_OK;
}

static uint64_t sqlite_reader_stored_sequence(struct store_reader *base, size_t writer_index) {
    /* A failed transaction is never in doubt here. */
    (void)base;
    (void)writer_index;
    return 0;
}

static struct record_text column_text(sqlite3_stmt *select, int column) {
    const char *bytes = (const char *)sqlite3_column_text(select, column);
    int size = sqlite3_column_bytes(select, column);
    return bytes == NULL ? (struct record_text){"", 0} : (struct record_text){bytes, (size_t)size};
}

/* Fills the page with the rows behind read_row. Returns an SQLite result code: SQLITE_ROW for a
 * page with more behind it, SQLITE_DONE for the last one. */
static int step_page(struct sqlite_reader *reader) {
    sqlite3_stmt *select = reader->select;
    int result = SQLITE_ROW;
    while (!record_page_is_full(&reader->page)) {
        result = sqlite3_step(select);
        if (result != SQLITE_ROW) {
            return result;
        }
        struct record record = {.id = column_text(select, 1),
                                .name = column_text(select, 2),
                                .age = column_text(select, 3)};
        if (!record_page_add(&reader->page, &record)) {
            return SQLITE_NOMEM;
        }
        reader->read_row = sqlite3_column_int64(select, 0);
    }
    return result;
}

static enum store_status read_page(struct sqlite_reader *reader, char *message) {
    record_page_clear(&reader->page);
    reader->page_index = 0;
    if (sqlite3_bind_int64(reader->select, 1, reader->read_row) != SQLITE_OK ||
        sqlite3_bind_int64(reader->select, 2, reader->last_row) != SQLITE_OK) {
        describe_error(reader->database, message);
        return STORE_UNAVAILABLE;
    }
    int result = step_page(reader);
    if (result != SQLITE_ROW && result != SQLITE_DONE) {
        record_message_format(message, "SQLite: %s", sqlite3_errstr(result));
        return STORE_UNAVAILABLE;
    }
    reader->is_last_page = result == SQLITE_DONE;
    (void)sqlite3_reset(reader->select);
    return STORE_OK;
}

static enum store_status sqlite_reader_next(struct store_reader *base, struct record *record,
                                            char *message) {
    struct sqlite_reader *reader = (struct sqlite_reader *)base;
    if (reader->page_index == reader->page.count) {
        if (reader->is_last_page) {
            return STORE_END;
        }
        enum store_status status = read_page(reader, message);
        if (status != STORE_OK) {
            return status;
        }
        if (reader->page.count == 0) {
            return STORE_END;
        }
    }
    *record = record_page_get(&reader->page, reader->page_index++);
    return STORE_OK;
}

static void sqlite_reader_close(struct store_reader *base) {
    struct sqlite_reader *reader = (struct sqlite_reader *)base;
    (void)sqlite3_finalize(reader->select);
    (void)sqlite3_close(reader->database);
    record_page_destroy(&reader->page);
    free(reader);
}

static const struct store_operations operations = {
    .close = sqlite_close,
    .writer_open = sqlite_writer_open,
    .writer_write = sqlite_writer_write,
    .writer_close = sqlite_writer_close,
    .reader_open = sqlite_reader_open,
    .reader_begin = sqlite_reader_begin,
    .reader_stored_sequence = sqlite_reader_stored_sequence,
    .reader_next = sqlite_reader_next,
    .reader_close = sqlite_reader_close,
};

/* Creates the table and checks that the statements fit it. */
static bool prepare_schema(sqlite3 *database, const char *path, char *message) {
    sqlite3_stmt *insert = NULL;
    sqlite3_stmt *select = NULL;
    int result = SQLITE_ERROR;
    if (sqlite3_exec(database, SCHEMA, NULL, NULL, NULL) == SQLITE_OK &&
        prepare(database, INSERT, &insert) && prepare(database, SELECT_OBSTACLES, &select)) {
        result = sqlite3_step(select);
    }
    if (result == SQLITE_ROW) {
        record_message_format(message, "SQLite: user_data may refuse records: it has %s",
                              (const char *)sqlite3_column_text(select, 0));
    } else if (result != SQLITE_DONE) {
        record_message_format(message, "SQLite: %s: %s", path, sqlite3_errmsg(database));
    }
    (void)sqlite3_finalize(insert);
    (void)sqlite3_finalize(select);
    return result == SQLITE_DONE;
}

/* Whether the database is a file. One in memory (`:memory:`, or what SQLite understands as such a
 * URI) or a temporary one would be another one for each connection. */
static bool check_file(sqlite3 *database, const char *path, char *message) {
    const char *name = sqlite3_db_filename(database, "main");
    bool is_file = name != NULL && name[0] != '\0';
    if (!is_file) {
        record_message_format(message, "the store sqlite:%s is no file, so nothing would stay",
                              path);
    }
    return is_file;
}

static bool create_schema(const struct sqlite_store *store, bool *is_usage_error, char *message) {
    sqlite3 *database = connect_database(store, OPEN_TIMEOUT_MS, message);
    if (database == NULL) {
        return false;
    }
    *is_usage_error = !check_file(database, store->path, message);
    bool is_prepared = !*is_usage_error && prepare_schema(database, store->path, message);
    (void)sqlite3_close(database);
    return is_prepared;
}

struct store *store_sqlite_open(const char *rest, const struct store_options *options,
                                bool *is_usage_error, char *message) {
    struct sqlite_store *store = calloc(1, sizeof *store);
    char *path = strdup(rest);
    if (store == NULL || path == NULL) {
        record_message_format(message, "no memory");
        free(store);
        free(path);
        return NULL;
    }
    store->base = (struct store){.operations = &operations, .writer_count_max = 1};
    store->path = path;
    store->syncs_always = options->syncs_always;
    *is_usage_error = rest[0] == '\0';
    if (*is_usage_error) {
        record_message_format(message, "the store sqlite: needs a path");
    }
    if (*is_usage_error || !create_schema(store, is_usage_error, message)) {
        sqlite_close(&store->base);
        return NULL;
    }
    return &store->base;
}
