/*
 * The log: opened, locked, and cleared or loaded, before the writer gets it.
 *
 * Ownership: the log_file owns its descriptor, and with it the lock. Threading: main thread.
 */
#ifndef SERVER_NUMBERS_LOG_LOG_FILE_H_
#define SERVER_NUMBERS_LOG_LOG_FILE_H_

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "dedup/dedup_map.h"
#include "parser/line_parser.h"
#include "server/runtime/logger.h"

#ifdef __cplusplus
extern "C" {
#endif

struct log_file {
    const char *path;
    int fd;
    int stop_fd;     /* once it is readable, loading stops; -1, as after log_file_open: never */
    bool is_regular; /* not a device such as /dev/null, which has no length and cannot be synced */
};

enum log_file_status {
    LOG_FILE_OK,
    LOG_FILE_FAILED,  /* the reason was printed */
    LOG_FILE_STOPPED, /* loading was asked to stop by stop_fd */
};

/* Opens the log, creating it where it does not exist, and locks it against a second server. Its
 * content stays as it is. */
enum log_file_status log_file_open(struct log_file *log, const char *path,
                                   const struct logger *logger);

/* Empties it. */
enum log_file_status log_file_clear(struct log_file *log, const struct logger *logger);

/*
 * Inserts the numbers that are in the log into the map, and cuts off a torn last line. A file that
 * is no such log (another byte, a number twice) is refused with the line named and left alone, as
 * is one whose loading is stopped.
 */
enum log_file_status log_file_load(struct log_file *log, struct dedup_map *map,
                                   const struct line_parser *parser, const struct logger *logger);

/* Makes what is in the log durable, and that the file exists: whatever is added later is confirmed
 * on top of it. */
enum log_file_status log_file_sync(const struct log_file *log, const struct logger *logger);

void log_file_close(struct log_file *log);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_NUMBERS_LOG_LOG_FILE_H_ */
