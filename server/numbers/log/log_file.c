#include "server/numbers/log/log_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/numbers/limits.h"
#include "server/numbers/session.h"
#include "server/runtime/directory.h"
#include "server/runtime/os.h"

enum {
    /* A server that was killed a moment ago leaves the lock to its tail guard for as long as it
     * takes to cut a torn line off: wait that long before taking the lock for another server's. */
    LOCK_TRY_COUNT = 50,
    LOCK_TRY_PAUSE_MS = 10,
};

static enum log_file_status fail(const struct log_file *log, const struct logger *logger,
                                 const char *action, int error) {
    logger_print(logger, LOG_LEVEL_ERROR, "cannot %s %s: %s", action, log->path, strerror(-error));
    return LOG_FILE_FAILED;
}

static int lock(int fd) {
    int error = os_lock_exclusive(fd);
    for (int try_count = 1; error == -EWOULDBLOCK && try_count < LOCK_TRY_COUNT; try_count++) {
        (void)os_poll(NULL, 0, LOCK_TRY_PAUSE_MS);
        error = os_lock_exclusive(fd);
    }
    return error;
}

/* Whether reports or messages would get into the log: `server --log=FILE >FILE`. */
static bool is_standard_stream(const struct stat *log_status) {
    for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++) {
        struct stat status;
        if (fstat(fd, &status) == 0 && status.st_dev == log_status->st_dev &&
            status.st_ino == log_status->st_ino) {
            return true;
        }
    }
    return false;
}

static enum log_file_status check_and_lock(struct log_file *log, const struct logger *logger) {
    struct stat status;
    if (fstat(log->fd, &status) != 0) {
        return fail(log, logger, "examine", -errno);
    }
    if (!S_ISREG(status.st_mode) && !S_ISCHR(status.st_mode)) {
        logger_print(logger, LOG_LEVEL_ERROR, "cannot use %s as a log: it is no regular file",
                     log->path);
        return LOG_FILE_FAILED;
    }
    log->is_regular = S_ISREG(status.st_mode);
    if (!log->is_regular) {
        return LOG_FILE_OK;
    }
    if (is_standard_stream(&status)) {
        logger_print(logger, LOG_LEVEL_ERROR,
                     "cannot use %s as a log: standard output or standard error goes there",
                     log->path);
        return LOG_FILE_FAILED;
    }
    int error = lock(log->fd);
    if (error == -EWOULDBLOCK) {
        logger_print(logger, LOG_LEVEL_ERROR, "%s is in use by another server", log->path);
        return LOG_FILE_FAILED;
    }
    return error == 0 ? LOG_FILE_OK : fail(log, logger, "lock", error);
}

enum log_file_status log_file_open(struct log_file *log, const char *path,
                                   const struct logger *logger) {
    *log = (struct log_file){.path = path, .stop_fd = -1};
    log->fd = os_open(path, O_RDWR | O_CREAT | O_APPEND | O_NOCTTY, 0644);
    if (log->fd < 0) {
        return fail(log, logger, "open", log->fd);
    }
    enum log_file_status status = check_and_lock(log, logger);
    if (status != LOG_FILE_OK) {
        log_file_close(log);
    }
    return status;
}

enum log_file_status log_file_clear(struct log_file *log, const struct logger *logger) {
    if (!log->is_regular) {
        return LOG_FILE_OK;
    }
    int error = os_ftruncate(log->fd, 0);
    return error == 0 ? LOG_FILE_OK : fail(log, logger, "clear", error);
}

/* What log_file_load works with. */
struct loading {
    struct log_file *log;
    struct dedup_map *map;
    const struct line_parser *parser;
    const struct logger *logger;
    struct session session;
    uint64_t line_count; /* lines loaded */
    uint32_t numbers[RECEIVED_NUMBER_CAPACITY];
    uint32_t new_numbers[RECEIVED_NUMBER_CAPACITY];
    char buffer[SESSION_HEADROOM_SIZE + RECEIVE_SIZE];
};

static enum log_file_status refuse(const struct loading *loading, uint64_t line_index,
                                   const char *reason) {
    logger_print(loading->logger, LOG_LEVEL_ERROR,
                 "cannot resume from %s: line %" PRIu64 " %s; the file was left alone",
                 loading->log->path, line_index + 1, reason);
    return LOG_FILE_FAILED;
}

/* Inserts the numbers just read. New numbers keep their order, so the first that is missing among
 * them is the one that was there before. */
static enum log_file_status insert_numbers(struct loading *loading, size_t count) {
    size_t new_count =
        dedup_map_insert_batch(loading->map, loading->numbers, count, loading->new_numbers);
    if (new_count < count) {
        size_t index = 0;
        while (index < new_count && loading->new_numbers[index] == loading->numbers[index]) {
            index++;
        }
        return refuse(loading, loading->line_count + index, "has a number that was there before");
    }
    loading->line_count += count;
    return LOG_FILE_OK;
}

/* Takes the next size bytes, which lie in the buffer behind the headroom. */
static enum log_file_status load_bytes(struct loading *loading, size_t size) {
    enum line_parser_stop stop;
    size_t count =
        session_receive(&loading->session, loading->parser, loading->buffer + SESSION_HEADROOM_SIZE,
                        size, loading->numbers, &stop);
    enum log_file_status status = insert_numbers(loading, count);
    if (status == LOG_FILE_OK && stop != LINE_PARSER_NEEDS_MORE) {
        return refuse(loading, loading->line_count, "is not nine digits");
    }
    return status;
}

/* The rest of a line at the end of the file: cut off if it is the start of a number. */
static enum log_file_status cut_torn_line(struct loading *loading) {
    const struct session *session = &loading->session;
    if (session->rest_size == 0) {
        return LOG_FILE_OK;
    }
    if (session->rest[0] < '0' || session->rest[0] > '9') {
        return refuse(loading, loading->line_count, "is not nine digits");
    }
    int error = os_ftruncate(loading->log->fd, (off_t)loading->line_count * LINE_SIZE);
    if (error != 0) {
        return fail(loading->log, loading->logger, "cut the torn last line of", error);
    }
    logger_print(loading->logger, LOG_LEVEL_WARNING, "cut a torn last line off %s",
                 loading->log->path);
    return LOG_FILE_OK;
}

/* Whether somebody wants the loading, which may take minutes, to stop. */
static bool is_stopped(const struct loading *loading) {
    struct pollfd polled = {.fd = loading->log->stop_fd, .events = POLLIN};
    return os_poll(&polled, 1, 0) == 1;
}

static enum log_file_status load_file(struct loading *loading) {
    enum log_file_status status = LOG_FILE_OK;
    off_t offset = 0;
    ssize_t size = 0;
    do {
        if (is_stopped(loading)) {
            return LOG_FILE_STOPPED;
        }
        size = os_pread(loading->log->fd, loading->buffer + SESSION_HEADROOM_SIZE, RECEIVE_SIZE,
                        offset);
        if (size > 0) {
            offset += size;
            status = load_bytes(loading, (size_t)size);
        }
    } while (size > 0 && status == LOG_FILE_OK);
    if (size < 0) {
        return fail(loading->log, loading->logger, "read", (int)size);
    }
    return status == LOG_FILE_OK ? cut_torn_line(loading) : status;
}

enum log_file_status log_file_load(struct log_file *log, struct dedup_map *map,
                                   const struct line_parser *parser, const struct logger *logger) {
    if (!log->is_regular) {
        return LOG_FILE_OK;
    }
    struct loading *loading = os_map_memory(sizeof *loading);
    if (loading == NULL) {
        return fail(log, logger, "load", -ENOMEM);
    }
    loading->log = log;
    loading->map = map;
    loading->parser = parser;
    loading->logger = logger;
    session_init(&loading->session);
    enum log_file_status status = load_file(loading);
    if (status == LOG_FILE_OK) {
        logger_print(logger, LOG_LEVEL_INFO, "resumed from %s with %" PRIu64 " number%s", log->path,
                     loading->line_count, loading->line_count == 1 ? "" : "s");
    }
    os_unmap_memory(loading, sizeof *loading);
    return status;
}

enum log_file_status log_file_sync(const struct log_file *log, const struct logger *logger) {
    if (!log->is_regular) {
        return LOG_FILE_OK;
    }
    int error = os_fsync(log->fd);
    if (error != 0) {
        return fail(log, logger, "sync", error);
    }
    error = directory_sync(log->path);
    if (error != 0) {
        /* Not to be allowed to read the directory, say, is no reason not to serve. */
        logger_print(logger, LOG_LEVEL_WARNING, "cannot sync the directory of %s: %s", log->path,
                     strerror(-error));
    }
    return LOG_FILE_OK;
}

void log_file_close(struct log_file *log) {
    (void)os_close(log->fd);
    log->fd = -1;
}
