#include <string.h>

#include "server/records/store/sqlite_store_parts.h"

static const char CREATE[] = "CREATE TABLE IF NOT EXISTS user_data ("
                             " id TEXT NOT NULL, name TEXT NOT NULL, age TEXT NOT NULL);"
                             "CREATE INDEX IF NOT EXISTS user_data_id ON user_data (id);";

/* What of a table that was there before may refuse a record, or change or hide it, with the remedy,
 * one a row. A rowid (INTEGER PRIMARY KEY) in a column of its own is given by SQLite and refuses
 * none. A text stays what it is in a column whose type is a text by SQLite's rules, or none at all.
 */
static const char SELECT_OBSTACLES[] =
    "SELECT 'may refuse records: it has the unique index ' || name || '; drop it'"
    " FROM pragma_index_list('user_data') WHERE \"unique\""
    " UNION ALL SELECT 'may refuse records: it has the primary key ' || name || '; make it a column"
    " of type TEXT' FROM pragma_table_info('user_data')"
    " WHERE pk > 0 AND lower(name) IN ('id', 'name', 'age')"
    " UNION ALL SELECT 'may refuse records: it has the column ' || name || ', NOT NULL and without"
    " a default; give it one' FROM pragma_table_info('user_data')"
    " WHERE \"notnull\" AND dflt_value IS NULL AND pk = 0"
    " AND lower(name) NOT IN ('id', 'name', 'age')"
    " UNION ALL SELECT 'would change texts: its column ' || name || ' is ' || type || '; make it"
    " TEXT' FROM pragma_table_info('user_data')"
    " WHERE lower(name) IN ('id', 'name', 'age') AND (type LIKE '%INT%' OR NOT (type LIKE '%CHAR%'"
    " OR type LIKE '%CLOB%' OR type LIKE '%TEXT%' OR type = '' OR (type LIKE '%BLOB%' AND NOT"
    " (SELECT strict FROM pragma_table_list('user_data') WHERE schema = 'main'))))"
    " UNION ALL SELECT 'has a column called rowid, which hides the numbers of its rows; rename it'"
    " FROM pragma_table_xinfo('user_data')"
    " WHERE lower(name) = 'rowid' AND NOT (pk = 1 AND upper(type) = 'INTEGER')";

/* Puts the database in WAL mode, which some file systems and settings do not allow: then readers
 * and the writer keep each other waiting. */
static bool use_wal(const struct sqlite_store *store, sqlite3 *database) {
    sqlite3_stmt *pragma = NULL;
    bool is_run = sqlite_store_prepare(database, "PRAGMA journal_mode = WAL", &pragma) &&
                  sqlite3_step(pragma) == SQLITE_ROW;
    const char *mode = is_run ? (const char *)sqlite3_column_text(pragma, 0) : NULL;
    if (mode != NULL && strcmp(mode, "wal") != 0) {
        logger_print(store->logger, LOG_LEVEL_WARNING,
                     "the store sqlite:%s cannot be put in WAL mode, it stays in mode %s: queries "
                     "and writes wait for each other",
                     store->path, mode);
    }
    return sqlite3_finalize(pragma) == SQLITE_OK && is_run;
}

/* Whether it can be written to at all. That somebody else does so at the moment is no reason. */
static bool can_write(sqlite3 *database) {
    int result = sqlite3_exec(database, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    if (result == SQLITE_OK) {
        result = sqlite3_exec(database, "ROLLBACK", NULL, NULL, NULL);
    }
    return result == SQLITE_OK || result == SQLITE_BUSY;
}

/* Makes what is missing, and checks that the statements fit what is there. */
static bool make_table(const struct sqlite_store *store, sqlite3 *database) {
    sqlite3_stmt *insert = NULL;
    bool is_made =
        use_wal(store, database) && sqlite3_exec(database, CREATE, NULL, NULL, NULL) == SQLITE_OK &&
        sqlite_store_prepare(database, SQLITE_STORE_INSERT, &insert) && can_write(database);
    (void)sqlite3_finalize(insert);
    return is_made;
}

static bool has_obstacle(sqlite3 *database, char *message) {
    sqlite3_stmt *select = NULL;
    int result = SQLITE_ERROR;
    if (sqlite_store_prepare(database, SELECT_OBSTACLES, &select)) {
        result = sqlite3_step(select);
    }
    if (result == SQLITE_ROW) {
        message_format(message, "SQLite: user_data %s",
                       (const char *)sqlite3_column_text(select, 0));
    } else if (result != SQLITE_DONE) {
        sqlite_store_describe_error(database, message);
    }
    (void)sqlite3_finalize(select);
    return result != SQLITE_DONE;
}

/* Whether an id equals no other: under NOCASE and RTRIM it does. */
static bool is_exact(sqlite3 *database, char *message) {
    const char *collation = NULL;
    if (sqlite3_table_column_metadata(database, "main", "user_data", "id", NULL, &collation, NULL,
                                      NULL, NULL) != SQLITE_OK) {
        sqlite_store_describe_error(database, message);
        return false;
    }
    bool is_binary = sqlite3_stricmp(collation, "BINARY") == 0;
    if (!is_binary) {
        message_format(message,
                       "SQLite: user_data finds other ids than it is asked for: its column id is "
                       "COLLATE %s; make it COLLATE BINARY",
                       collation);
    }
    return is_binary;
}

bool sqlite_schema_prepare(const struct sqlite_store *store, sqlite3 *database, char *message) {
    if (sqlite3_db_readonly(database, "main") != 0) {
        message_format(message,
                       "SQLite: %s is read-only; this user must be able to write to the file and "
                       "to its directory",
                       store->path);
        return false;
    }
    if (!make_table(store, database)) {
        message_format(message, "SQLite: %s: %s", store->path, sqlite3_errmsg(database));
        return false;
    }
    return !has_obstacle(database, message) && is_exact(database, message);
}
