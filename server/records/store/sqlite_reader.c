#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "server/records/store/record_page.h"
#include "server/records/store/sqlite_store_parts.h"

/* How long a reader waits for another process's lock. */
enum { READER_TIMEOUT_MS = 2000 };

/* After so many of SQLite's own instructions, some milliseconds, or twice as many, a quick reader
 * gives up: a lookup by an index needs about fifty. */
enum { QUICK_STEP_COUNT = 20 * 1000 };

static const char SELECT_LAST[] = "SELECT coalesce(max(rowid), 0) FROM user_data";
static const char SELECT_PAGE[] = "SELECT rowid, id, name, age FROM user_data"
                                  " WHERE rowid > ?1 AND rowid <= ?2 ORDER BY rowid";
static const char SELECT_PAGE_OF_ID[] = "SELECT rowid, id, name, age FROM user_data"
                                        " WHERE rowid > ?1 AND rowid <= ?2 AND id = ?3"
                                        " ORDER BY rowid";

struct sqlite_reader {
    struct store_reader base;
    struct sqlite_store *store;
    SLIST_ENTRY(sqlite_reader) next;
    const struct record_text *id;
    sqlite3 *database; /* NULL while not connected */
    uint64_t generation;
    sqlite3_stmt *select_last;
    sqlite3_stmt *select_all;
    sqlite3_stmt *select_id;
    sqlite3_stmt *select; /* one of the two */
    sqlite3_int64 read_row;
    sqlite3_int64 last_row; /* INT64_MAX: of a lookup, while one page may be all of it */
    struct record_page page;
    size_t page_index;
    bool is_last_page;
    bool is_quick;
    int pause_count; /* of a quick one: how often QUICK_STEP_COUNT came to an end since it began */
};

/* False: a quick one would have to wait. */
static bool lock_file(struct sqlite_reader *reader) {
    pthread_rwlock_t *lock = &reader->store->file_lock;
    return (reader->is_quick ? pthread_rwlock_tryrdlock(lock) : pthread_rwlock_rdlock(lock)) == 0;
}

static void unlock_file(struct sqlite_reader *reader) {
    (void)pthread_rwlock_unlock(&reader->store->file_lock);
}

static enum store_status report_locked(char *message) {
    message_format(message, "SQLite: the database is being opened anew");
    return STORE_UNAVAILABLE;
}

/* Called by SQLite. The first end may belong to the steps of lookups before this one. */
static int give_up(void *context) {
    struct sqlite_reader *reader = context;
    return ++reader->pause_count > 1;
}

static void disconnect(struct sqlite_reader *reader) {
    (void)sqlite3_finalize(reader->select_last);
    (void)sqlite3_finalize(reader->select_all);
    (void)sqlite3_finalize(reader->select_id);
    reader->select_last = reader->select_all = reader->select_id = reader->select = NULL;
    (void)sqlite3_close(reader->database);
    reader->database = NULL;
}

void sqlite_readers_disconnect(struct sqlite_store *store) {
    struct sqlite_reader *reader;
    SLIST_FOREACH(reader, &store->readers, next) {
        disconnect(reader);
    }
}

/* Whether the connection is to a file or a log that is not the writer's any more. */
static bool is_behind(const struct sqlite_reader *reader) {
    return reader->generation != atomic_load(&reader->store->generation) ||
           sqlite_store_has_moved(reader->database);
}

static enum store_status connect_database(struct sqlite_reader *reader, char *message) {
    if (reader->database != NULL && !is_behind(reader)) {
        return STORE_OK;
    }
    disconnect(reader);
    reader->generation = atomic_load(&reader->store->generation);
    /* Beside a file that is not the writer's there may be the writer's log, which is not for it. */
    if (sqlite_store_file_id(reader->store) != atomic_load(&reader->store->file_id)) {
        message_format(message, "SQLite: the database was moved, removed or replaced; it is opened "
                                "anew with the next record");
        return STORE_UNAVAILABLE;
    }
    reader->database = sqlite_store_connect(reader->store, SQLITE_OPEN_READWRITE,
                                            reader->is_quick ? 0 : READER_TIMEOUT_MS, message);
    if (reader->database == NULL) {
        return STORE_UNAVAILABLE;
    }
    if (reader->is_quick) {
        sqlite3_progress_handler(reader->database, QUICK_STEP_COUNT, give_up, reader);
    }
    if (!sqlite_store_prepare(reader->database, SELECT_LAST, &reader->select_last) ||
        !sqlite_store_prepare(reader->database, SELECT_PAGE, &reader->select_all) ||
        !sqlite_store_prepare(reader->database, SELECT_PAGE_OF_ID, &reader->select_id)) {
        sqlite_store_describe_error(reader->database, message);
        disconnect(reader);
        return STORE_UNAVAILABLE;
    }
    return STORE_OK;
}

static enum store_status sqlite_reader_connect(struct store_reader *base, char *message) {
    struct sqlite_reader *reader = (struct sqlite_reader *)base;
    if (!lock_file(reader)) {
        return report_locked(message);
    }
    reader->pause_count = 0;
    enum store_status status = connect_database(reader, message);
    unlock_file(reader);
    return status;
}

static bool read_last_row(struct sqlite_reader *reader) {
    bool is_read = sqlite3_step(reader->select_last) == SQLITE_ROW;
    if (is_read) {
        reader->last_row = sqlite3_column_int64(reader->select_last, 0);
    }
    return sqlite3_reset(reader->select_last) == SQLITE_OK && is_read;
}

static enum store_status report_moved(char *message) {
    message_format(message, "SQLite: the database or its log was moved, removed or replaced");
    return STORE_UNAVAILABLE;
}

/* One page of a lookup is one statement, whose snapshot nothing needs to be told. */
static enum store_status begin(struct sqlite_reader *reader, char *message) {
    if (reader->database == NULL || (reader->id == NULL && is_behind(reader))) {
        return report_moved(message);
    }
    reader->select = reader->id == NULL ? reader->select_all : reader->select_id;
    bool is_begun = reader->id == NULL ? read_last_row(reader)
                                       : sqlite_store_bind_text(reader->select, 3, *reader->id);
    if (!is_begun) {
        sqlite_store_describe_error(reader->database, message);
        disconnect(reader);
        return STORE_UNAVAILABLE;
    }
    return STORE_OK;
}

static enum store_status sqlite_reader_begin(struct store_reader *base,
                                             const struct record_text *id, char *message) {
    struct sqlite_reader *reader = (struct sqlite_reader *)base;
    reader->id = id;
    reader->read_row = INT64_MIN;
    reader->last_row = INT64_MAX;
    reader->page_index = 0;
    reader->is_last_page = false;
    record_page_clear(&reader->page);
    if (!lock_file(reader)) {
        return report_locked(message);
    }
    enum store_status status = begin(reader, message);
    unlock_file(reader);
    return status;
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

static enum store_status read_page_of_file(struct sqlite_reader *reader, char *message) {
    record_page_clear(&reader->page);
    reader->page_index = 0;
    if (is_behind(reader)) {
        return report_moved(message);
    }
    if (sqlite3_bind_int64(reader->select, 1, reader->read_row) != SQLITE_OK ||
        sqlite3_bind_int64(reader->select, 2, reader->last_row) != SQLITE_OK) {
        sqlite_store_describe_error(reader->database, message);
        return STORE_UNAVAILABLE;
    }
    int result = step_page(reader);
    if (result == SQLITE_ROW && reader->last_row == INT64_MAX && !read_last_row(reader)) {
        result = SQLITE_ERROR; /* asked inside the statement, so for what it sees */
    }
    if (result != SQLITE_ROW && result != SQLITE_DONE) {
        message_format(message, "SQLite: %s", sqlite3_errstr(result));
        return STORE_UNAVAILABLE;
    }
    reader->is_last_page = result == SQLITE_DONE;
    (void)sqlite3_reset(reader->select);
    return STORE_OK;
}

static enum store_status read_page(struct sqlite_reader *reader, char *message) {
    if (!lock_file(reader)) {
        return report_locked(message);
    }
    enum store_status status = read_page_of_file(reader, message);
    if (status != STORE_OK) {
        disconnect(reader);
    }
    unlock_file(reader);
    return status;
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
    (void)pthread_rwlock_wrlock(&reader->store->file_lock);
    SLIST_REMOVE(&reader->store->readers, reader, sqlite_reader, next);
    disconnect(reader);
    (void)pthread_rwlock_unlock(&reader->store->file_lock);
    record_page_destroy(&reader->page);
    free(reader);
}

/* No stored_sequence: a failed transaction is never in doubt here. No end: no statement is left
 * open between two pages. */
static const struct store_reader_operations operations = {
    .connect = sqlite_reader_connect,
    .begin = sqlite_reader_begin,
    .next = sqlite_reader_next,
    .close = sqlite_reader_close,
};

struct store_reader *sqlite_reader_open(struct store *base) {
    struct sqlite_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL) {
        return NULL;
    }
    reader->base.operations = &operations;
    reader->store = (struct sqlite_store *)base;
    (void)pthread_rwlock_wrlock(&reader->store->file_lock);
    SLIST_INSERT_HEAD(&reader->store->readers, reader, next);
    (void)pthread_rwlock_unlock(&reader->store->file_lock);
    return &reader->base;
}

struct store_reader *sqlite_quick_reader_open(struct store *base) {
    struct store_reader *reader = sqlite_reader_open(base);
    if (reader != NULL) {
        ((struct sqlite_reader *)reader)->is_quick = true;
    }
    return reader;
}
