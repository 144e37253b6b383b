/*
 * How --resume reads the log: fast through the pipeline, and what that does not take, line by line.
 *
 * Threading: main thread, before the server's loop runs.
 */
#ifndef SERVER_NUMBERS_RESUME_H_
#define SERVER_NUMBERS_RESUME_H_

#include <sys/types.h>

#include "dedup/dedup_map.h"
#include "parser/line_parser.h"
#include "server/numbers/log/log_file.h"
#include "server/numbers/pipeline.h"
#include "server/runtime/logger.h"
#include "server/runtime/wakeup.h"

#ifdef __cplusplus
extern "C" {
#endif

struct resume_configuration {
    const struct log_file *log;
    struct dedup_map *map; /* empty */
    const struct line_parser *parser;
    struct pipeline *pipeline;     /* with nothing inside, before and after */
    const struct wakeup *progress; /* the pipeline's */
    int stop_fd;                   /* once it is readable, loading stops */
    const struct logger *logger;
};

/* Counts the numbers of the log as seen, and says in *kept_size how much of it is whole lines; see
 * log_loader_load. After LOG_FILE_STOPPED the pipeline may be at work still: it is to be
 * destroyed. */
enum log_file_status resume_load(const struct resume_configuration *configuration,
                                 off_t *kept_size);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_NUMBERS_RESUME_H_ */
