#include "server/numbers/log/log_appender.h"

#include <errno.h>
#include <string.h>

#include "server/numbers/log/log_tail.h"
#include "server/runtime/os.h"

enum {
    UNKNOWN_OFFSET = -1,

    /* How much of the cache is flushed at a time before a direct write: more than that is not
     * waited for. */
    FLUSH_SIZE_MAX = 32 * 1024 * 1024,
};

void log_appender_init(struct log_appender *appender, struct log_file *log, size_t line_size,
                       struct disk_patience patience, const struct logger *logger) {
    *appender = (struct log_appender){
        .log = log, .line_size = line_size, .logger = logger, .pace = {.patience = patience}};
    log_appender_start_anew(appender);
}

/* Makes sure that the file ends where the next byte belongs. 0, or a negative errno value. */
static int settle(struct log_appender *appender, size_t *done_size) {
    if (!appender->log->is_regular) {
        return 0;
    }
    off_t size = os_file_size(appender->log->fd);
    if (size < 0 || size == appender->end_offset) {
        return size < 0 ? (int)size : 0;
    }
    off_t line_end = log_tail_cut(appender->log->fd);
    if (line_end < 0) {
        return (int)line_end;
    }
    if (appender->end_offset == UNKNOWN_OFFSET || appender->cached_from > line_end) {
        appender->cached_from = line_end;
    }
    if (appender->end_offset != UNKNOWN_OFFSET &&
        warning_limiter_allows(&appender->change_warning, os_now_ms())) {
        logger_print(appender->logger, LOG_LEVEL_WARNING,
                     "somebody else has changed the size of %s from %lld bytes to %lld; the log "
                     "goes on at its end",
                     appender->log->path, (long long)appender->end_offset, (long long)size);
    }
    appender->end_offset = line_end;
    *done_size -= *done_size % appender->line_size; /* its begin is gone */
    return 0;
}

bool log_appender_is_direct(const struct log_appender *appender) {
    return appender->log->is_direct && !disk_pace_is_slow(&appender->pace);
}

static bool is_aligned(uint64_t value) {
    return value % LOG_APPENDER_ALIGNMENT == 0;
}

static bool can_go_directly(const struct log_appender *appender, const char *bytes, size_t size) {
    return log_appender_is_direct(appender) && size >= LOG_APPENDER_DIRECT_SIZE_MIN &&
           is_aligned(size) && is_aligned((uintptr_t)bytes) &&
           is_aligned((uint64_t)appender->end_offset);
}

/* Those errors of a direct write, or of what goes before it, that are no reason not to try the
 * cache. */
static bool is_refusal(ssize_t error) {
    return error == -EINVAL || error == -EOPNOTSUPP || error == -ENOSYS;
}

/* Flushes a piece of what the cache holds. How much, or a negative errno value; an error that is no
 * refusal means lost data, and is final. */
static ssize_t flush_cache(struct log_appender *appender) {
    off_t size = appender->end_offset - appender->cached_from;
    if (size <= 0) {
        return 0;
    }
    size = size < FLUSH_SIZE_MAX ? size : FLUSH_SIZE_MAX;
    int error = os_flush_range(appender->log->fd, appender->cached_from, size);
    if (error != 0) {
        /* What there was no room for is gone from the cache, too: waiting for room is no help. */
        return log_tail_is_disk_full(error) ? -EIO : error;
    }
    appender->cached_from += size;
    return (ssize_t)size;
}

/* 0, and nothing is written: the cache holds more than is waited for. */
static ssize_t write_directly(struct log_appender *appender, const char *bytes, size_t size) {
    int64_t begin_ns = os_now_ns();
    ssize_t flushed_size = flush_cache(appender);
    ssize_t size_written = flushed_size < 0 ? flushed_size : 0;
    if (flushed_size >= 0 && appender->cached_from >= appender->end_offset) {
        size_written = os_append(appender->log->direct_fd, bytes, size);
    }
    if (size_written >= 0) {
        disk_pace_note(&appender->pace, (size_t)(flushed_size + size_written), begin_ns,
                       os_now_ns());
        appender->direct_size += (uint64_t)size_written;
        appender->cached_from += size_written;
    }
    return size_written;
}

/* Some file systems open a file for direct writing and then refuse it. Where the file has changed
 * under our hands, it is the offset that was refused. */
static void note_refusal(struct log_appender *appender, ssize_t error) {
    if (is_refusal(error) && os_file_size(appender->log->fd) == appender->end_offset) {
        logger_print(appender->logger, LOG_LEVEL_DEBUG,
                     "the log is written through the page cache: its file system refuses another "
                     "way: %s",
                     strerror((int)-error));
        log_file_close_direct(appender->log);
    }
}

/* Writes some of the bytes, one way or the other. How many, or a negative errno value. */
static ssize_t write_some(struct log_appender *appender, const char *bytes, size_t size) {
    if (can_go_directly(appender, bytes, size)) {
        ssize_t size_written = write_directly(appender, bytes, size);
        if (size_written > 0 || (size_written < 0 && !is_refusal(size_written) &&
                                 !log_tail_is_disk_full(size_written))) {
            return size_written;
        }
        note_refusal(appender, size_written);
    }
    return os_append(appender->log->fd, bytes, size);
}

int log_appender_append(struct log_appender *appender, const char *bytes, size_t size,
                        size_t *done_size) {
    while (*done_size < size) {
        int error = settle(appender, done_size);
        if (error != 0) {
            return error;
        }
        ssize_t count = write_some(appender, bytes + *done_size, size - *done_size);
        if (count <= 0) {
            return count < 0 ? (int)count : -EIO;
        }
        *done_size += (size_t)count;
        appender->end_offset += count;
    }
    return 0;
}

int log_appender_drop_torn_line(struct log_appender *appender, size_t *done_size) {
    size_t torn_size = *done_size % appender->line_size;
    if (torn_size == 0 || !appender->log->is_regular) {
        return 0;
    }
    int error = settle(appender, done_size);
    torn_size = *done_size % appender->line_size;
    if (error == 0 && torn_size > 0) {
        error = os_ftruncate(appender->log->fd, appender->end_offset - (off_t)torn_size);
    }
    if (error == 0) {
        *done_size -= torn_size;
        appender->end_offset -= (off_t)torn_size;
        if (appender->cached_from > appender->end_offset) {
            appender->cached_from = appender->end_offset;
        }
    }
    return error;
}

void log_appender_note_synced(struct log_appender *appender) {
    appender->cached_from = appender->end_offset;
    if (disk_pace_is_slow(&appender->pace)) {
        disk_pace_try_again(&appender->pace, os_now_ns());
    }
}

void log_appender_start_anew(struct log_appender *appender) {
    appender->end_offset = UNKNOWN_OFFSET;
    appender->cached_from = UNKNOWN_OFFSET;
    appender->pace.debt_ns = 0;
}
