#include "server/numbers/log/log_file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "server/numbers/log/lock_holder.h"
#include "server/numbers/log/log_tail.h"
#include "server/numbers/log/tail_guard.h"
#include "server/runtime/directory.h"
#include "server/runtime/os.h"

enum {
    OPEN_FLAGS = O_RDWR | O_CREAT | O_APPEND | O_NOCTTY,
    OPEN_MODE = 0644,

    /* A server that was killed a moment ago leaves the lock to its tail guard for as long as it
     * takes to cut a torn line off: wait that long before taking the lock for another server's. */
    LOCK_TRY_COUNT = 50,
    LOCK_TRY_PAUSE_MS = 10,

    DESCRIPTOR_PATH_CAPACITY = 32,
};

static enum log_file_status fail(const struct log_file *log, const struct logger *logger,
                                 const char *action, int error) {
    logger_print(logger, LOG_LEVEL_ERROR, "cannot %s %s: %s", action, log->path, strerror(-error));
    return LOG_FILE_FAILED;
}

static bool is_same(const struct stat *left, const struct stat *right) {
    return left->st_dev == right->st_dev && left->st_ino == right->st_ino;
}

static int lock(int fd) {
    int error = os_lock_exclusive(fd);
    for (int try_count = 1; error == -EWOULDBLOCK && try_count < LOCK_TRY_COUNT; try_count++) {
        (void)os_poll(NULL, 0, LOCK_TRY_PAUSE_MS);
        error = os_lock_exclusive(fd);
    }
    return error;
}

/* Says who has the lock, as far as that can be found out. */
static void blame(const struct log_file *log, const struct logger *logger) {
    struct lock_holder holder = lock_holder_find(log->fd);
    if (holder.pid == 0) {
        logger_print(logger, LOG_LEVEL_ERROR, "%s is in use by another server", log->path);
    } else if (holder.pid == getpid()) {
        logger_print(logger, LOG_LEVEL_ERROR,
                     "%s is locked through descriptor %d, which whoever started this server has "
                     "opened and left to it",
                     log->path, holder.fd);
    } else if (strcmp(holder.name, TAIL_GUARD_NAME) == 0) {
        logger_print(logger, LOG_LEVEL_ERROR,
                     "%s is in use: the tail guard of a server that has ended, process %d, %s",
                     log->path, (int)holder.pid,
                     holder.is_stopped
                         ? "was stopped by a signal; let it go on with kill -CONT"
                         : "cannot cut a torn line off yet, for want of room perhaps");
    } else {
        logger_print(logger, LOG_LEVEL_ERROR, "%s is in use by another server: process %d (%s)%s",
                     log->path, (int)holder.pid, holder.name,
                     holder.is_stopped ? ", which was stopped by a signal" : "");
    }
}

static bool knows_no_locks(int error) {
    return error == -ENOLCK || error == -ENOSYS || error == -EOPNOTSUPP || error == -EINVAL;
}

static enum log_file_status lock_log(const struct log_file *log, const struct logger *logger) {
    int error = lock(log->fd);
    if (error == -EWOULDBLOCK) {
        blame(log, logger);
        return LOG_FILE_FAILED;
    }
    if (knows_no_locks(error)) {
        logger_print(logger, LOG_LEVEL_WARNING,
                     "cannot lock %s: %s; nothing keeps a second server from writing to it",
                     log->path, strerror(-error));
        return LOG_FILE_OK;
    }
    return error == 0 ? LOG_FILE_OK : fail(log, logger, "lock", error);
}

/* Whether reports or messages would get into the log: `server --log=FILE >FILE`. */
static bool is_standard_stream(const struct stat *log_status) {
    for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++) {
        struct stat status;
        if (fstat(fd, &status) == 0 && is_same(&status, log_status)) {
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
    return lock_log(log, logger);
}

enum log_file_status log_file_open(struct log_file *log, const char *path,
                                   const struct logger *logger) {
    *log = (struct log_file){.path = path};
    log->fd = os_open(path, OPEN_FLAGS, OPEN_MODE);
    if (log->fd < 0) {
        return fail(log, logger, "open", log->fd);
    }
    enum log_file_status status = check_and_lock(log, logger);
    if (status != LOG_FILE_OK) {
        log_file_close(log);
    }
    return status;
}

static bool is_in_memory(const struct log_file *log) {
    struct statfs status;
    return fstatfs(log->fd, &status) == 0 &&
           (status.f_type == TMPFS_MAGIC || status.f_type == RAMFS_MAGIC);
}

void log_file_open_direct(struct log_file *log) {
    if (!log->is_regular || is_in_memory(log)) {
        return;
    }
    /* By the descriptor: the name may mean another file by now. */
    char path[DESCRIPTOR_PATH_CAPACITY];
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", log->fd);
    int fd = os_open(path, O_WRONLY | O_APPEND | O_NOCTTY | O_DIRECT, 0);
    log->is_direct = fd >= 0;
    log->direct_fd = fd;
}

void log_file_close_direct(struct log_file *log) {
    if (log->is_direct) {
        (void)os_close(log->direct_fd);
        log->is_direct = false;
    }
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

enum log_file_status log_file_cut(const struct log_file *log, off_t kept_size,
                                  const struct logger *logger) {
    if (!log->is_regular || os_file_size(log->fd) == kept_size) {
        return LOG_FILE_OK;
    }
    int error = os_ftruncate(log->fd, kept_size);
    if (error == 0 || (kept_size > 0 && log_tail_is_disk_full(error))) {
        return LOG_FILE_OK;
    }
    return fail(log, logger, kept_size > 0 ? "cut the torn last line of" : "clear", error);
}

/* Whether the file just opened under the log's name can be the log from now on; says why not. */
static bool is_fit(struct log_file *new_log, const struct log_file *log,
                   const struct logger *logger) {
    struct stat status;
    struct stat old_status;
    if (fstat(log->fd, &old_status) == 0 && fstat(new_log->fd, &status) == 0 &&
        is_same(&status, &old_status)) {
        logger_print(logger, LOG_LEVEL_INFO, "%s was not moved: it stays the log", log->path);
        return false;
    }
    if (check_and_lock(new_log, logger) != LOG_FILE_OK) {
        return false;
    }
    if (!new_log->is_regular || os_file_size(new_log->fd) != 0) {
        logger_print(logger, LOG_LEVEL_ERROR,
                     "cannot open %s anew: what is there now is no empty file", log->path);
        return false;
    }
    return true;
}

/* Puts the new file in the old one's place. 0, or the error of making the old one durable. */
static int take_over(struct log_file *log, const struct log_file *new_log, bool is_durable,
                     const struct logger *logger) {
    if (is_durable && log_file_sync(new_log, logger) != LOG_FILE_OK) {
        return 0;
    }
    int error = is_durable ? os_fdatasync(log->fd) : 0;
    if (error != 0) {
        return error;
    }
    /* A guard that cannot follow is gone, and that is warned of where it is watched. */
    bool is_followed = log->guard != NULL && tail_guard_follow(log->guard, new_log->fd) == 0;
    /* Another thread may be syncing the old file this very moment: it gets on with it. */
    error = os_replace_descriptor(log->fd, new_log->fd);
    if (error != 0) {
        (void)fail(log, logger, "open anew", error);
        return 0;
    }
    if (is_followed) {
        tail_guard_let_go(log->guard);
    }
    if (log->is_direct) {
        log_file_close_direct(log);
        log_file_open_direct(log);
    }
    logger_print(logger, LOG_LEVEL_INFO, "opened %s anew", log->path);
    return 0;
}

int log_file_reopen(struct log_file *log, bool is_durable, const struct logger *logger) {
    if (!log->is_regular) {
        return 0;
    }
    struct log_file new_log = {.path = log->path};
    new_log.fd = os_open(log->path, OPEN_FLAGS, OPEN_MODE);
    if (new_log.fd < 0) {
        (void)fail(log, logger, "open anew", new_log.fd);
        return 0;
    }
    int error = 0;
    if (is_fit(&new_log, log, logger)) {
        error = take_over(log, &new_log, is_durable, logger);
    }
    (void)os_close(new_log.fd); /* the log has it under its own number, if it is the log now */
    return error;
}

bool log_file_is_in_place(const struct log_file *log) {
    struct stat status;
    struct stat named_status;
    if (!log->is_regular || fstat(log->fd, &status) != 0) {
        return true;
    }
    if (stat(log->path, &named_status) != 0) {
        return errno != ENOENT;
    }
    return is_same(&status, &named_status);
}

void log_file_close(struct log_file *log) {
    log_file_close_direct(log);
    (void)os_close(log->fd);
    log->fd = -1;
}
