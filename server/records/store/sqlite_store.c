#include "server/records/store/sqlite_store.h"

#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "server/records/store/sqlite_store_parts.h"
#include "server/runtime/os.h"

/* How long the start waits for another process's lock. */
enum { OPEN_TIMEOUT_MS = 5000, FILE_MODE = 0640 };

sqlite3 *sqlite_store_connect(const struct sqlite_store *store, int flags, int timeout_ms,
                              char *message) {
    sqlite3 *database = NULL;
    if (sqlite3_open_v2(store->path, &database, flags | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK ||
        sqlite3_busy_timeout(database, timeout_ms) != SQLITE_OK ||
        sqlite3_exec(database,
                     store->syncs_always ? "PRAGMA synchronous = FULL"
                                         : "PRAGMA synchronous = NORMAL",
                     NULL, NULL, NULL) != SQLITE_OK) {
        message_format(message, "SQLite: %s: %s", store->path,
                       database == NULL ? "no memory" : sqlite3_errmsg(database));
        (void)sqlite3_close(database);
        return NULL;
    }
    return database;
}

static void sqlite_close(struct store *base) {
    struct sqlite_store *store = (struct sqlite_store *)base;
    (void)pthread_rwlock_destroy(&store->file_lock);
    free(store->path);
    free(store);
}

static const struct store_operations operations = {
    .close = sqlite_close,
    .writer_open = sqlite_writer_open,
    .reader_open = sqlite_reader_open,
    .quick_reader_open = sqlite_quick_reader_open,
};

/* Whether the database is a file. One in memory (`:memory:`, or what SQLite understands as such a
 * URI) or a temporary one would be another one for each connection. */
static bool check_file(sqlite3 *database, const char *path, char *message) {
    const char *name = sqlite3_db_filename(database, "main");
    bool is_file = name != NULL && name[0] != '\0';
    if (!is_file) {
        message_format(message, "the store sqlite:%s is no file, so nothing would stay", path);
    }
    return is_file;
}

bool sqlite_store_has_moved(sqlite3 *database) {
    int has_moved = 0;
    return sqlite3_file_control(database, "main", SQLITE_FCNTL_HAS_MOVED, &has_moved) ==
               SQLITE_OK &&
           has_moved != 0;
}

/* 0: there is no file, or one that is shorter than that. */
static uint64_t id_of(const char *path, off_t size_min) {
    struct stat status;
    /* Two files that are there at the same time on one device have different inodes. */
    return stat(path, &status) != 0 || status.st_size < size_min
               ? 0
               : (uint64_t)status.st_ino ^ status.st_dev << 48;
}

uint64_t sqlite_store_file_id(const struct sqlite_store *store) {
    return id_of(store->path, 1);
}

uint64_t sqlite_store_log_id(sqlite3 *database) {
    return id_of(sqlite3_filename_wal(sqlite3_db_filename(database, "main")), 0);
}

uint64_t sqlite_store_index_id(sqlite3 *database) {
    char path[PATH_MAX];
    int size = snprintf(path, sizeof path, "%s-shm", sqlite3_db_filename(database, "main"));
    return size < 0 || (size_t)size >= sizeof path ? 0 : id_of(path, 0);
}

/* SQLite would make it readable by all. Where it cannot be made here, SQLite says why; what is no
 * plain path to SQLite it opens by itself. */
static void create_file(const struct sqlite_store *store) {
    bool is_path = store->path[0] != ':' && strncmp(store->path, "file:", 5) != 0;
    int fd =
        !is_path ? -1 : os_open(store->path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, FILE_MODE);
    if (fd >= 0) {
        (void)os_close(fd);
    }
}

sqlite3 *sqlite_store_connect_writer(struct sqlite_store *store, int timeout_ms, char *message) {
    create_file(store);
    sqlite3 *database = sqlite_store_connect(store, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                                             timeout_ms, message);
    if (database == NULL) {
        return NULL;
    }
    if (!sqlite_schema_prepare(store, database, message)) {
        (void)sqlite3_close(database);
        return NULL;
    }
    atomic_store(&store->file_id, sqlite_store_file_id(store));
    return database;
}

static bool create_schema(struct sqlite_store *store, bool *is_usage_error, char *message) {
    create_file(store);
    sqlite3 *database = sqlite_store_connect(store, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                                             OPEN_TIMEOUT_MS, message);
    *is_usage_error = database != NULL && !check_file(database, store->path, message);
    (void)sqlite3_close(database);
    if (database == NULL || *is_usage_error) {
        return false;
    }
    database = sqlite_store_connect_writer(store, OPEN_TIMEOUT_MS, message);
    (void)sqlite3_close(database);
    return database != NULL;
}

struct store *sqlite_store_open(const char *rest, const struct store_options *options,
                                bool *is_usage_error, char *message) {
    struct sqlite_store *store = calloc(1, sizeof *store);
    char *path = strdup(rest);
    if (store == NULL || path == NULL || pthread_rwlock_init(&store->file_lock, NULL) != 0) {
        message_format(message, "no memory");
        free(store);
        free(path);
        return NULL;
    }
    store->base = (struct store){.operations = &operations, .writer_count_max = 1};
    SLIST_INIT(&store->readers);
    store->path = path;
    store->syncs_always = options->syncs_always;
    store->rejects = options->rejects;
    store->logger = options->logger;
    *is_usage_error = rest[0] == '\0';
    if (*is_usage_error) {
        message_format(message, "the store sqlite: needs a path");
    }
    if (*is_usage_error || !create_schema(store, is_usage_error, message)) {
        sqlite_close(&store->base);
        return NULL;
    }
    return &store->base;
}
