#include <stdatomic.h>
#include <stdlib.h>

#include "server/records/store/sqlite_store_parts.h"

/* How long one attempt to write waits for another process's lock. Short, because the caller tries
 * again and has to be able to do something else in between. */
enum { WRITER_TIMEOUT_MS = 100 };

struct sqlite_writer {
    struct store_writer base;
    struct sqlite_store *store;
    sqlite3 *database; /* NULL while not connected */
    uint64_t log_id;   /* of the log that it writes */
    uint64_t index_id; /* of the index of that log */
    sqlite3_stmt *begin;
    sqlite3_stmt *insert;
    sqlite3_stmt *commit;
};

static void disconnect(struct sqlite_writer *writer) {
    (void)sqlite3_finalize(writer->begin);
    (void)sqlite3_finalize(writer->insert);
    (void)sqlite3_finalize(writer->commit);
    writer->begin = writer->insert = writer->commit = NULL;
    /* A transaction that is still open is rolled back by this. */
    (void)sqlite3_close(writer->database);
    writer->database = NULL;
}

/* Whether the path names another file, or none, or nothing is left of it. */
static bool has_lost_file(const struct sqlite_writer *writer) {
    return sqlite_store_has_moved(writer->database) ||
           atomic_load(&writer->store->file_id) != sqlite_store_file_id(writer->store);
}

static bool has_lost_log(const struct sqlite_writer *writer) {
    return writer->log_id != sqlite_store_log_id(writer->database);
}

/* Whether nobody would find under the store's name what is written now. */
static bool is_away(const struct sqlite_writer *writer) {
    return has_lost_file(writer) || has_lost_log(writer) ||
           writer->index_id != sqlite_store_index_id(writer->database);
}

/* Puts what the log holds into the database: where one of them was moved, so that it is not lost
 * with the log, and nobody takes it for the log of another file. Otherwise both are where they
 * were, and others may have written since. False: a log that is lost cannot be left yet. */
static bool empty_log(const struct sqlite_writer *writer, char *message) {
    bool has_moved = sqlite_store_has_moved(writer->database);
    if (!has_moved && !has_lost_log(writer)) {
        return true;
    }
    int result =
        sqlite3_wal_checkpoint_v2(writer->database, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    if (!has_moved && result != SQLITE_OK) {
        message_format(message,
                       "SQLite: the log was removed, and what it held cannot be put into the "
                       "database: %s",
                       sqlite3_errstr(result));
        return false;
    }
    return true;
}

/* The file was moved, removed, replaced or emptied, or its log or the log's index was. False: it
 * cannot be left yet. */
static bool leave_file(struct sqlite_writer *writer, char *message) {
    struct sqlite_store *store = writer->store;
    bool has_file = !has_lost_file(writer);
    if (!empty_log(writer, message)) {
        return false;
    }
    logger_print(store->logger, LOG_LEVEL_WARNING,
                 has_file ? "the log of the store sqlite:%s was removed or replaced, or its index; "
                            "the database is opened anew"
                          : "the store sqlite:%s was moved, removed or replaced; it is opened anew",
                 store->path);
    atomic_fetch_add(&store->generation, 1);
    sqlite_readers_disconnect(store);
    /* The last connection would do what is done or must not be, with files of these names. */
    (void)sqlite3_db_config(writer->database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    disconnect(writer);
    return true;
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
    writer->log_id = sqlite_store_log_id(writer->database);
    writer->index_id = sqlite_store_index_id(writer->database);
    return true;
}

static enum store_status sqlite_writer_connect(struct store_writer *base, char *message) {
    struct sqlite_writer *writer = (struct sqlite_writer *)base;
    if (writer->database != NULL && !is_away(writer)) {
        return STORE_OK;
    }
    (void)pthread_rwlock_wrlock(&writer->store->file_lock);
    bool is_free = writer->database == NULL || leave_file(writer, message);
    bool is_connected = is_free && connect_database(writer, message);
    (void)pthread_rwlock_unlock(&writer->store->file_lock);
    return is_connected ? STORE_OK : STORE_UNAVAILABLE;
}

static bool run(sqlite3_stmt *statement) {
    bool is_done = sqlite3_step(statement) == SQLITE_DONE;
    return sqlite3_reset(statement) == SQLITE_OK && is_done;
}

/* Inserts a record. SQLITE_OK; SQLITE_CONSTRAINT: the table refuses it, as far as can be seen for
 * good; another result: it cannot be inserted now. */
static int insert(struct sqlite_writer *writer, const struct record_line *line, char *message) {
    struct record record = record_line_read(line);
    bool is_inserted = sqlite_store_bind_text(writer->insert, 1, record.id) &&
                       sqlite_store_bind_text(writer->insert, 2, record.name) &&
                       sqlite_store_bind_text(writer->insert, 3, record.age) && run(writer->insert);
    if (is_inserted && sqlite3_changes(writer->database) == 1) {
        return SQLITE_OK;
    }
    if (is_inserted) {
        message_format(message, "SQLite: a trigger or a constraint ignores it");
        return SQLITE_CONSTRAINT;
    }
    sqlite_store_describe_error(writer->database, message);
    int result = sqlite3_errcode(writer->database);
    if (result == SQLITE_ERROR) {
        /* A function that fails for this record, in an index or a trigger, or a table that has
         * been changed so that nothing can be inserted? */
        sqlite3_stmt *same = NULL;
        bool is_possible = sqlite_store_prepare(writer->database, SQLITE_STORE_INSERT, &same);
        (void)sqlite3_finalize(same);
        return is_possible ? SQLITE_CONSTRAINT : SQLITE_ERROR;
    }
    bool is_refused =
        result == SQLITE_CONSTRAINT || result == SQLITE_MISMATCH || result == SQLITE_TOOBIG;
    return is_refused ? SQLITE_CONSTRAINT : result;
}

/* Inserts a record, or puts it down among the refused ones after a second attempt. False: neither;
 * or a trigger has rolled back the transaction, which then has to be made again without it. */
static bool insert_or_reject(struct sqlite_writer *writer, const struct record_batch *batch,
                             size_t index, char *message) {
    const struct record_line *line = &batch->lines[index];
    char reason[MESSAGE_SIZE];
    int result = insert(writer, line, message);
    if (result != SQLITE_CONSTRAINT) {
        return result == SQLITE_OK;
    }
    bool is_over = sqlite3_get_autocommit(writer->database) != 0;
    if (is_over && !run(writer->begin)) {
        return false;
    }
    result = insert(writer, line, reason);
    is_over = is_over || sqlite3_get_autocommit(writer->database) != 0;
    if (result == SQLITE_CONSTRAINT) {
        return rejects_add(writer->store->rejects, batch, index, reason, message) && !is_over;
    }
    return result == SQLITE_OK && !is_over;
}

static bool write_transaction(struct sqlite_writer *writer, const struct record_batch *batch,
                              char *message) {
    struct rejects *rejects = writer->store->rejects;
    if (!run(writer->begin)) {
        sqlite_store_describe_error(writer->database, message);
        return false;
    }
    for (size_t index = 0; index < batch->count; index++) {
        if (!rejects_has(rejects, batch, index) &&
            !insert_or_reject(writer, batch, index, message)) {
            return false;
        }
    }
    if (!rejects_settle(rejects, batch, message)) {
        return false;
    }
    /* The next attempt goes to the file that the path names then. */
    if (is_away(writer)) {
        message_format(message, "SQLite: the database or its log was moved, removed or replaced");
        return false;
    }
    bool is_committed = run(writer->commit);
    if (!is_committed) {
        sqlite_store_describe_error(writer->database, message);
    }
    return is_committed;
}

static enum store_status sqlite_writer_write(struct store_writer *base,
                                             const struct record_batch *batch, char *message) {
    struct sqlite_writer *writer = (struct sqlite_writer *)base;
    if (write_transaction(writer, batch, message)) {
        return STORE_OK;
    }
    if (is_away(writer)) {
        (void)sqlite3_exec(writer->database, "ROLLBACK", NULL, NULL, NULL);
        return STORE_UNAVAILABLE;
    }
    /* A new connection next time: whatever was wrong with this one, nothing of it stays. */
    disconnect(writer);
    return STORE_UNAVAILABLE;
}

static void sqlite_writer_close(struct store_writer *base) {
    disconnect((struct sqlite_writer *)base);
    free(base);
}

static const struct store_writer_operations operations = {
    .connect = sqlite_writer_connect,
    .write = sqlite_writer_write,
    .close = sqlite_writer_close,
};

struct store_writer *sqlite_writer_open(struct store *base) {
    struct sqlite_writer *writer = calloc(1, sizeof *writer);
    if (writer == NULL) {
        return NULL;
    }
    writer->base.operations = &operations;
    writer->store = (struct sqlite_store *)base;
    return &writer->base;
}
