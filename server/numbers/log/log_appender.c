#include "server/numbers/log/log_appender.h"

#include <errno.h>

#include "server/numbers/log/log_tail.h"
#include "server/runtime/os.h"

enum { UNKNOWN_OFFSET = -1 };

void log_appender_init(struct log_appender *appender, const struct log_file *log, size_t line_size,
                       const struct logger *logger) {
    *appender = (struct log_appender){
        .log = log, .line_size = line_size, .logger = logger, .end_offset = UNKNOWN_OFFSET};
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

int log_appender_append(struct log_appender *appender, const char *bytes, size_t size,
                        size_t *done_size) {
    while (*done_size < size) {
        int error = settle(appender, done_size);
        if (error != 0) {
            return error;
        }
        ssize_t count = os_append(appender->log->fd, bytes + *done_size, size - *done_size);
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
    }
    return error;
}

void log_appender_start_anew(struct log_appender *appender) {
    appender->end_offset = UNKNOWN_OFFSET;
}
