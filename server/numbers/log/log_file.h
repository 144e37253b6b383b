/*
 * The log as a file: opened, locked, cut to what is kept of it, and opened anew under its name.
 *
 * Ownership: the log_file owns its descriptors, and with one of them the lock. The number of that
 * one stays the same when the log is opened anew. Threading: the main thread's until the log writer
 * starts; log_file_reopen, log_file_is_in_place and the descriptor past the page cache are the
 * writer thread's.
 */
#ifndef SERVER_NUMBERS_LOG_LOG_FILE_H_
#define SERVER_NUMBERS_LOG_LOG_FILE_H_

#include <stdbool.h>
#include <sys/types.h>

#include "server/runtime/logger.h"

#ifdef __cplusplus
extern "C" {
#endif

struct tail_guard;

struct log_file {
    const char *path;
    int fd;
    bool is_regular; /* not a device such as /dev/null, which has no length and cannot be synced */
    bool is_direct;  /* can be written past the page cache, too, by the next descriptor */
    int direct_fd;
    const struct tail_guard
        *guard; /* follows to the new file; NULL, as after log_file_open: none */
};

enum log_file_status {
    LOG_FILE_OK,
    LOG_FILE_FAILED,  /* the reason was printed */
    LOG_FILE_STOPPED, /* loading (log_loader.h) was asked to stop */
};

/* Opens the log, creating it where it does not exist, and locks it against a second server. Its
 * content stays as it is. A file system that knows no locks gets a warning. */
enum log_file_status log_file_open(struct log_file *log, const char *path,
                                   const struct logger *logger);

/* Opens the log for writing past the page cache (O_DIRECT) as well, if its file system can do that.
 * A file that is nowhere but in memory (tmpfs) would gain nothing by it. */
void log_file_open_direct(struct log_file *log);

void log_file_close_direct(struct log_file *log);

/* Makes what is in the log durable, and that the file exists: whatever is added later is confirmed
 * on top of it. */
enum log_file_status log_file_sync(const struct log_file *log, const struct logger *logger);

/* Cuts the log to its first kept_size bytes; 0 empties it. Where a torn line cannot be cut off for
 * want of room, the writer will do it before it writes anything. */
enum log_file_status log_file_cut(const struct log_file *log, off_t kept_size,
                                  const struct logger *logger);

/*
 * Opens the log anew under its name, after the file was renamed or removed; there has to be no file
 * or an empty one. What is in the old file is durable before the new one is written to, unless
 * is_durable is false. Where that cannot be done, the reason is printed and the old file stays the
 * log. 0, or the negative errno value that making the old one durable failed with, which is final.
 */
int log_file_reopen(struct log_file *log, bool is_durable, const struct logger *logger);

/* Whether the name still means the file that is open; also if that cannot be told. */
bool log_file_is_in_place(const struct log_file *log);

void log_file_close(struct log_file *log);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_NUMBERS_LOG_LOG_FILE_H_ */
