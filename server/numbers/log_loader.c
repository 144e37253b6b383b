#include "server/numbers/log_loader.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "server/numbers/limits.h"
#include "server/numbers/session.h"
#include "server/runtime/os.h"

struct loading {
    struct log_loader_configuration configuration;
    struct session session;
    uint64_t line_count; /* lines loaded */
    uint32_t numbers[RECEIVED_NUMBER_CAPACITY];
    uint32_t new_numbers[RECEIVED_NUMBER_CAPACITY];
    char buffer[SESSION_HEADROOM_SIZE + RECEIVE_SIZE];
};

static enum log_file_status fail(const struct log_loader_configuration *configuration,
                                 const char *action, int error) {
    logger_print(configuration->logger, LOG_LEVEL_ERROR, "cannot %s %s: %s", action,
                 configuration->log->path, strerror(-error));
    return LOG_FILE_FAILED;
}

static enum log_file_status refuse(const struct loading *loading, uint64_t line_index,
                                   const char *reason) {
    uint64_t offset = line_index * LINE_SIZE;
    const char *path = loading->configuration.log->path;
    logger_print(loading->configuration.logger, LOG_LEVEL_ERROR,
                 "cannot resume from %s: line %" PRIu64 ", at byte %" PRIu64
                 ", %s; the file was left alone, and truncate --size=%" PRIu64
                 " would keep the lines before that",
                 path, line_index + 1, offset, reason, offset);
    return LOG_FILE_FAILED;
}

/* Inserts the numbers just read. New numbers keep their order, so the first that is missing among
 * them is the one that was there before. */
static enum log_file_status insert_numbers(struct loading *loading, size_t count) {
    size_t new_count = dedup_map_insert_batch(loading->configuration.map, loading->numbers, count,
                                              loading->new_numbers);
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

/* Takes the next size bytes, which lie in the buffer behind the headroom. False in *is_log: what
 * follows the lines loaded so far is no line. */
static enum log_file_status load_bytes(struct loading *loading, size_t size, bool *is_log) {
    enum line_parser_stop stop;
    size_t count =
        session_receive(&loading->session, loading->configuration.parser,
                        loading->buffer + SESSION_HEADROOM_SIZE, size, loading->numbers, &stop);
    *is_log = stop == LINE_PARSER_NEEDS_MORE;
    return insert_numbers(loading, count);
}

/* Whether somebody wants the loading, which may take long, to stop. */
static bool is_stopped(const struct loading *loading) {
    struct pollfd polled = {.fd = loading->configuration.stop_fd, .events = POLLIN};
    return os_poll(&polled, 1, 0) == 1;
}

static ssize_t read_some(struct loading *loading, off_t offset) {
    return os_pread(loading->configuration.log->fd, loading->buffer + SESSION_HEADROOM_SIZE,
                    RECEIVE_SIZE, offset);
}

/* Loads whole lines up to the end of the file, or to what is none. */
static enum log_file_status load_lines(struct loading *loading) {
    enum log_file_status status = LOG_FILE_OK;
    bool is_log = true;
    off_t offset = (off_t)loading->line_count * LINE_SIZE;
    ssize_t size = 1;
    while (size > 0 && status == LOG_FILE_OK && is_log) {
        if (is_stopped(loading)) {
            return LOG_FILE_STOPPED;
        }
        size = read_some(loading, offset);
        if (size > 0) {
            offset += size;
            status = load_bytes(loading, (size_t)size, &is_log);
        }
    }
    return size < 0 ? fail(&loading->configuration, "read", (int)size) : status;
}

/* What is behind the last whole line. */
struct tail {
    size_t digit_count; /* then */
    size_t nul_count;
    bool is_torn; /* and nothing else */
};

/* Adds the next bytes of the file to the tail. */
static void extend_tail(struct tail *tail, const char *bytes, size_t size) {
    for (size_t index = 0; index < size && tail->is_torn; index++) {
        bool is_digit = bytes[index] >= '0' && bytes[index] <= '9';
        if (is_digit && tail->nul_count == 0 && tail->digit_count < LINE_SIZE - 1) {
            tail->digit_count++;
        } else if (bytes[index] == '\0') {
            tail->nul_count++;
        } else {
            tail->is_torn = false;
        }
    }
}

/* A power loss may leave a file that was made longer before its bytes were there: NULs at the
 * end. */
static enum log_file_status examine_tail(struct loading *loading) {
    struct tail tail = {.is_torn = true};
    off_t offset = (off_t)loading->line_count * LINE_SIZE;
    ssize_t size = 1;
    while (size > 0 && tail.is_torn) {
        if (is_stopped(loading)) {
            return LOG_FILE_STOPPED;
        }
        size = read_some(loading, offset);
        if (size > 0) {
            extend_tail(&tail, loading->buffer + SESSION_HEADROOM_SIZE, (size_t)size);
            offset += size;
        }
    }
    if (size < 0) {
        return fail(&loading->configuration, "read", (int)size);
    }
    if (!tail.is_torn) {
        return refuse(loading, loading->line_count, "is not nine digits");
    }
    if (tail.digit_count + tail.nul_count > 0) {
        logger_print(loading->configuration.logger, LOG_LEVEL_WARNING,
                     "the end of %s is cut off: a torn line of %zu byte%s and %zu NUL byte%s",
                     loading->configuration.log->path, tail.digit_count,
                     tail.digit_count == 1 ? "" : "s", tail.nul_count,
                     tail.nul_count == 1 ? "" : "s");
    }
    return LOG_FILE_OK;
}

enum log_file_status log_loader_load(const struct log_loader_configuration *configuration,
                                     off_t *kept_size) {
    *kept_size = 0;
    if (!configuration->log->is_regular) {
        return LOG_FILE_OK;
    }
    struct loading *loading = os_map_memory(sizeof *loading);
    if (loading == NULL) {
        return fail(configuration, "load", -ENOMEM);
    }
    loading->configuration = *configuration;
    loading->line_count = configuration->loaded_count;
    session_init(&loading->session);
    enum log_file_status status = load_lines(loading);
    if (status == LOG_FILE_OK) {
        status = examine_tail(loading);
    }
    if (status == LOG_FILE_OK) {
        *kept_size = (off_t)loading->line_count * LINE_SIZE;
        logger_print(configuration->logger, LOG_LEVEL_INFO,
                     "resumed from %s with %" PRIu64 " number%s", configuration->log->path,
                     loading->line_count, loading->line_count == 1 ? "" : "s");
    }
    os_unmap_memory(loading, sizeof *loading);
    return status;
}
