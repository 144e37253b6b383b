/*
 * Appends blocks of whole lines to the log, and keeps it a log of whole lines.
 *
 * The file is open for appending, so that it goes on at its new end where somebody else truncates
 * it. Before each write the appender looks whether the file ends where it left it. If not, what is
 * behind the last newline is cut off: it belongs to no line of ours any more, and the next line
 * must not be added to it. A line that a full disk has torn stays as it is, and is finished when
 * there is room: to cut it off takes room, too, on some file systems.
 *
 * Where the log is open for it, whole aligned blocks go past the page cache: the disk takes them
 * several times faster than the kernel writes back what the cache holds, and for less processor
 * time. Everything else goes through the cache: smaller pieces; what a file system refuses or has
 * no room for; all of it on a disk that is slow, until the disk has caught up.
 *
 * What goes directly never gets to the disk before something in front of it that went through the
 * cache: the cache is flushed first. A power loss would otherwise leave a hole in the log.
 *
 * Threading: belongs to one thread.
 */
#ifndef SERVER_NUMBERS_LOG_LOG_APPENDER_H_
#define SERVER_NUMBERS_LOG_LOG_APPENDER_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/numbers/log/disk_pace.h"
#include "server/numbers/log/log_file.h"
#include "server/runtime/logger.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    /* Memory, offset and size of a direct write are multiples of this: what every file system and
     * every disk is content with. */
    LOG_APPENDER_ALIGNMENT = 4096,

    /* The smallest piece that is whole lines of ten bytes and aligned. */
    LOG_APPENDER_UNIT_SIZE = 5 * LOG_APPENDER_ALIGNMENT,

    /* Below that a direct write's fixed cost is more than what it saves. */
    LOG_APPENDER_DIRECT_SIZE_MIN = 5 * LOG_APPENDER_UNIT_SIZE,
};

struct log_appender {
    struct log_file *log;
    size_t line_size;
    const struct logger *logger;
    struct warning_limiter change_warning;
    off_t end_offset;  /* where the file ends as far as is known; -1: not looked at yet */
    off_t cached_from; /* from here to the end the cache may hold what the disk does not */
    struct disk_pace pace;
    uint64_t direct_size; /* bytes that went past the cache */
};

void log_appender_init(struct log_appender *appender, struct log_file *log, size_t line_size,
                       struct disk_patience patience, const struct logger *logger);

/*
 * Appends bytes[*done_size, size), and moves *done_size on. 0 when all of it is in the file, or the
 * negative errno value that stopped it; call it again to go on. bytes are whole lines.
 */
int log_appender_append(struct log_appender *appender, const char *bytes, size_t size,
                        size_t *done_size);

/* Cuts off the line that *done_size ends in the middle of, if it does, and moves *done_size back to
 * its begin. 0, or a negative errno value with nothing changed. */
int log_appender_drop_torn_line(struct log_appender *appender, size_t *done_size);

/* Whether aligned blocks go past the page cache at present. */
bool log_appender_is_direct(const struct log_appender *appender);

/* All that was appended is on the disk: a slow one has caught up. */
void log_appender_note_synced(struct log_appender *appender);

/* The log is another file from now on. */
void log_appender_start_anew(struct log_appender *appender);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_NUMBERS_LOG_LOG_APPENDER_H_ */
