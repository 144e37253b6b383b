/* What the parts of the SQLite store share: sqlite_store.c opens, sqlite_schema.c looks at the
 * table, sqlite_writer.c writes, sqlite_reader.c reads. */
#ifndef SERVER_RECORDS_STORE_SQLITE_STORE_PARTS_H_
#define SERVER_RECORDS_STORE_SQLITE_STORE_PARTS_H_

#include <pthread.h>
#include <sqlite3.h>
#include <sys/queue.h>

#include "server/records/store/rejects.h"
#include "server/records/store/store.h"
#include "server/runtime/logger.h"

#define SQLITE_STORE_INSERT "INSERT INTO user_data (id, name, age) VALUES (?1, ?2, ?3)"

struct sqlite_store {
    struct store base;
    char *path;
    bool syncs_always;
    struct rejects *rejects;
    const struct logger *logger;
    /* Names the file that the store has open, by its device and inode; 0 before there is one. */
    _Atomic uint64_t file_id;
    /* Counts how often the writer has left a file or a log for another: readers connect anew. */
    _Atomic uint64_t generation;
    /* Read while a reader works, written while the file or the log that was moved is left for
     * another: SQLite may then shorten what it shares with connections to the old one, which must
     * not look at it. Readers' connections are used and ended by those who hold it only. */
    pthread_rwlock_t file_lock;
    SLIST_HEAD(, sqlite_reader) readers; /* all of them; guarded by the lock, too */
};

/* Connects, flags being those of sqlite3_open_v2. NULL: `message` says why not. */
sqlite3 *sqlite_store_connect(const struct sqlite_store *store, int flags, int timeout_ms,
                              char *message);

/* Whether the path does not name the file of the connection any more. */
bool sqlite_store_has_moved(sqlite3 *database);

/* Names the file at the path, which may lead over links that SQLite follows but once; 0: there is
 * none, or it was emptied. */
uint64_t sqlite_store_file_id(const struct sqlite_store *store);

/* The same for the log (`-wal`) beside the file of the connection, and for the log's index
 * (`-shm`). */
uint64_t sqlite_store_log_id(sqlite3 *database);
uint64_t sqlite_store_index_id(sqlite3 *database);

/* Connects and makes what is missing: a writer's connection, after a start or after the file was
 * moved. NULL: `message` says why not. */
sqlite3 *sqlite_store_connect_writer(struct sqlite_store *store, int timeout_ms, char *message);

/* Makes the table where it is missing, and checks one that is there: it has to be writable, refuse
 * no record, keep texts as they are and find them by their id. False: `message` says why not, and
 * what would help. */
bool sqlite_schema_prepare(const struct sqlite_store *store, sqlite3 *database, char *message);

/* Says in `message` what failed last. */
static inline void sqlite_store_describe_error(sqlite3 *database, char *message) {
    message_format(message, "SQLite: %s", sqlite3_errmsg(database));
}

/* Prepares a statement that is run often. */
static inline bool sqlite_store_prepare(sqlite3 *database, const char *sql,
                                        sqlite3_stmt **statement) {
    return sqlite3_prepare_v3(database, sql, -1, SQLITE_PREPARE_PERSISTENT, statement, NULL) ==
           SQLITE_OK;
}

/* Binds a text that stays as it is until the statement has run. */
static inline bool sqlite_store_bind_text(sqlite3_stmt *statement, int index,
                                          struct record_text text) {
    return sqlite3_bind_text64(statement, index, text.bytes, text.size, SQLITE_STATIC,
                               SQLITE_UTF8) == SQLITE_OK;
}

struct store_writer *sqlite_writer_open(struct store *store);
struct store_reader *sqlite_reader_open(struct store *store);
struct store_reader *sqlite_quick_reader_open(struct store *store);

/* Ends the connections of all readers, with the store's lock held for writing: what a connection of
 * this process shares with a new one is what was there before. */
void sqlite_readers_disconnect(struct sqlite_store *store);

#endif /* SERVER_RECORDS_STORE_SQLITE_STORE_PARTS_H_ */
