#include <stdlib.h>

#include "server/records/store/sqlite_store_parts.h"

/* How long one attempt to write waits for another process's lock. Short, because the caller tries
 * again and has to be able to do something else in between. */
enum { WRITER_TIMEOUT_MS = 100 };

struct sqlite_writer {
    struct store_writer base;
    struct sqlite_store *store;
    sqlite3 *database; /* NULL while not connected */
    sqlite3_stmt *begin;
    sqlite3_stmt *insert;
    sqlite3_stmt *commit;
};

struct store_writer *sqlite_writer_open(struct store *base) {
    struct sqlite_writer *writer = calloc(1, sizeof *writer);
    if (writer == NULL) {
        return NULL;
    }
    writer->base.operations = base->operations;
    writer->store = (struct sqlite_store *)base;
    return &writer->base;
}

static void disconnect(struct sqlite_writer *writer) {
    (void)sqlite3_finalize(writer->begin);
    (void)sqlite3_finalize(writer->insert);
    (void)sqlite3_finalize(writer->commit);
    writer->begin = writer->insert = writer->commit = NULL;
    /* A transaction that is still open is rolled back by this. */
    (void)sqlite3_close(writer->database);
    writer->database = NULL;
}

/* The file was moved, removed or replaced. What is in the log beside the path belongs to the file
 * that we have open: it goes there, so that nobody takes it for the log of another file. */
static void leave_moved_file(struct sqlite_writer *writer) {
    const struct sqlite_store *store = writer->store;
    logger_print(store->logger, LOG_LEVEL_WARNING,
                 "the store sqlite:%s was moved, removed or replaced; it is opened anew",
                 store->path);
    (void)sqlite3_wal_checkpoint_v2(writer->database, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL,
                                    NULL);
    disconnect(writer);
}

static bool connect_database(struct sqlite_writer *writer, char *message) {
    writer->database = sqlite_store_connect_writer(writer->store, WRITER_TIMEOUT_MS, message);
    if (writer->database == NULL) {
        return false;
    }
    if (!sqlite_store_prepare(writer->database, "BEGIN IMMEDIATE", &writer->begin) ||
        !sqlite_store_prepare(writer->database, SQLITE_STORE_INSERT, &writer->insert) ||
        !sqlite_store_prepare(writer->database, "COMMIT", &writer->commit)) {
        sqlite_store_describe_error(writer->database, message);
        disconnect(writer);
        return false;
    }
    return true;
}

enum store_status sqlite_writer_connect(struct store_writer *base, char *message) {
    struct sqlite_writer *writer = (struct sqlite_writer *)base;
    if (writer->database != NULL && !sqlite_store_has_moved(writer->database)) {
        return STORE_OK;
    }
    (void)pthread_rwlock_wrlock(&writer->store->file_lock);
    if (writer->database != NULL) {
        leave_moved_file(writer);
    }
    bool is_connected = connect_database(writer, message);
    (void)pthread_rwlock_unlock(&writer->store->file_lock);
    return is_connected ? STORE_OK : STORE_UNAVAILABLE;
}

static bool run(sqlite3_stmt *statement) {
    bool is_done = sqlite3_step(statement) == SQLITE_DONE;
    return sqlite3_reset(statement) == SQLITE_OK && is_done;
}

static bool insert_line(sqlite3_stmt *insert, const struct record_line *line) {
    struct record record = record_line_read(line);
    return sqlite_store_bind_text(insert, 1, record.id) &&
           sqlite_store_bind_text(insert, 2, record.name) &&
           sqlite_store_bind_text(insert, 3, record.age) && run(insert);
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
    /* The next attempt goes to the file that the path names then. */
    return !sqlite_store_has_moved(writer->database) && run(writer->commit);
}

enum store_status sqlite_writer_write(struct store_writer *base, const struct record_batch *batch,
                                      char *message) {
    struct sqlite_writer *writer = (struct sqlite_writer *)base;
    if (write_transaction(writer, batch)) {
        return STORE_OK;
    }
    if (sqlite_store_has_moved(writer->database)) {
        message_format(message, "SQLite: the database was moved, removed or replaced");
        (void)sqlite3_exec(writer->database, "ROLLBACK", NULL, NULL, NULL);
        return STORE_UNAVAILABLE;
    }
    sqlite_store_describe_error(writer->database, message);
    /* A new connection next time: whatever was wrong with this one, nothing of it stays. */
    disconnect(writer);
    return STORE_UNAVAILABLE;
}

void sqlite_writer_close(struct store_writer *base) {
    disconnect((struct sqlite_writer *)base);
    free(base);
}
