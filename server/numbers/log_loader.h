/*
 * Resuming: the numbers of a log into the map.
 *
 * Threading: main thread.
 */
#ifndef SERVER_NUMBERS_LOG_LOADER_H_
#define SERVER_NUMBERS_LOG_LOADER_H_

#include <stdint.h>
#include <sys/types.h>

#include "dedup/dedup_map.h"
#include "parser/line_parser.h"
#include "server/numbers/log/log_file.h"
#include "server/runtime/logger.h"

#ifdef __cplusplus
extern "C" {
#endif

struct log_loader_configuration {
    const struct log_file *log;
    struct dedup_map *map;
    const struct line_parser *parser;
    uint64_t loaded_count; /* so many lines are in the map already: it goes on behind them */
    int stop_fd;           /* once it is readable, loading stops; -1: never */
    const struct logger *logger;
};

/*
 * Inserts the numbers that are in the log into the map, and says in *kept_size how much of the file
 * are whole lines. What follows them may be what a crash or a power loss leaves, the beginning of a
 * line and then NUL bytes: that is for the caller to cut off (log_file_cut), and was warned of. Any
 * other file (another byte, a number twice) is refused with the line and the offset named. The file
 * is left alone in each case.
 */
enum log_file_status log_loader_load(const struct log_loader_configuration *configuration,
                                     off_t *kept_size);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_NUMBERS_LOG_LOADER_H_ */
