/*
 * Appends blocks of whole lines to the log, and keeps it a log of whole lines.
 *
 * The file is open for appending, so that it goes on at its new end where somebody else truncates
 * it. Before each write the appender looks whether the file ends where it left it. If not, what is
 * behind the last newline is cut off: it belongs to no line of ours any more, and the next line
 * must not be added to it. A line that a full disk has torn stays as it is, and is finished when
 * there is room: to cut it off takes room, too, on some file systems.
 *
 * Threading: belongs to one thread.
 */
#ifndef SERVER_NUMBERS_LOG_LOG_APPENDER_H_
#define SERVER_NUMBERS_LOG_LOG_APPENDER_H_

#include <stddef.h>

#include "server/numbers/log/log_file.h"
#include "server/runtime/logger.h"

#ifdef __cplusplus
extern "C" {
#endif

struct log_appender {
    const struct log_file *log;
    size_t line_size;
    const struct logger *logger;
    struct warning_limiter change_warning;
    off_t end_offset; /* where the file ends as far as is known; -1: not looked at yet */
};

void log_appender_init(struct log_appender *appender, const struct log_file *log, size_t line_size,
                       const struct logger *logger);

/*
 * Appends bytes[*done_size, size), and moves *done_size on. 0 when all of it is in the file, or the
 * negative errno value that stopped it; call it again to go on. bytes are whole lines.
 */
int log_appender_append(struct log_appender *appender, const char *bytes, size_t size,
                        size_t *done_size);

/* Cuts off the line that *done_size ends in the middle of, if it does, and moves *done_size back to
 * its begin. 0, or a negative errno value with nothing changed. */
int log_appender_drop_torn_line(struct log_appender *appender, size_t *done_size);

/* The log is another file from now on. */
void log_appender_start_anew(struct log_appender *appender);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_NUMBERS_LOG_LOG_APPENDER_H_ */
