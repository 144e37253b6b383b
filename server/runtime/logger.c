#include "server/runtime/logger.h"

#include <limits.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "server/runtime/escape.h"
#include "server/runtime/output.h"

enum {
    /* Less than PIPE_BUF: see output.h. */
    LINE_CAPACITY = 1024,
    /* A path of any length (options.h) and what is said about it. */
    MESSAGE_CAPACITY = PATH_MAX + LINE_CAPACITY,
};

const char *const log_level_names[] = {"debug", "info", "warning", "error", NULL};

void logger_init(struct logger *logger, enum log_level lowest) {
    logger->lowest = lowest;
    logger->fd = STDERR_FILENO;
}

/* Writes "2026-11-21T03:14:15.926Z level " and returns its length. */
static size_t print_prefix(char *line, enum log_level level) {
    struct timeval now;
    struct tm utc;
    (void)gettimeofday(&now, NULL);
    (void)gmtime_r(&now.tv_sec, &utc);
    size_t size = strftime(line, LINE_CAPACITY, "%Y-%m-%dT%H:%M:%S", &utc);
    int rest_size = snprintf(line + size, LINE_CAPACITY - size, ".%03dZ %s ",
                             (int)(now.tv_usec / 1000), log_level_names[level]);
    return size + (size_t)rest_size;
}

static void print(const struct logger *logger, enum log_level level, const char *format,
                  va_list arguments) {
    char message[MESSAGE_CAPACITY];
    char line[LINE_CAPACITY];
    if (vsnprintf(message, sizeof message, format, arguments) < 0) {
        return;
    }
    size_t size = print_prefix(line, level);
    (void)escape_message(line + size, LINE_CAPACITY - size, message);
    size = strlen(line);
    line[size] = '\n';
    /* Left out without room: a reader that has stopped reading is not to stop the daemon. And there
     * is nobody left to tell when standard error itself fails. */
    (void)output_write_if_room(logger->fd, line, size + 1);
}

void logger_print(const struct logger *logger, enum log_level level, const char *format, ...) {
    if (level < logger->lowest) {
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    print(logger, level, format, arguments);
    va_end(arguments);
}

void logger_announce(const struct logger *logger, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    print(logger, LOG_LEVEL_INFO, format, arguments);
    va_end(arguments);
}

bool warning_limiter_allows(struct warning_limiter *limiter, int64_t now_ms) {
    if (now_ms < limiter->next_ms) {
        return false;
    }
    limiter->next_ms = now_ms + WARNING_PERIOD_MS;
    return true;
}
