/*
 * Loads a large log fast: through the pipeline, whose workers insert while the next numbers are
 * read and parsed.
 *
 * It is for logs as they should be. What it finds otherwise it leaves to the log loader, which
 * takes line by line and can say which one is wrong.
 *
 * Threading: main thread, before the server's loop runs.
 */
#ifndef SERVER_NUMBERS_BULK_LOADER_H_
#define SERVER_NUMBERS_BULK_LOADER_H_

#include <stdint.h>

#include "parser/line_parser.h"
#include "server/numbers/log/log_file.h"
#include "server/numbers/pipeline.h"
#include "server/runtime/logger.h"
#include "server/runtime/wakeup.h"

#ifdef __cplusplus
extern "C" {
#endif

struct bulk_loader_configuration {
    const struct log_file *log;
    const struct line_parser *parser;
    struct pipeline *pipeline;     /* with nothing inside, before and after */
    const struct wakeup *progress; /* the pipeline's */
    int stop_fd;                   /* once it is readable, loading stops */
    const struct logger *logger;
};

enum bulk_loader_outcome {
    BULK_LOADER_LOADED,
    BULK_LOADER_REPEATED, /* a number was there before, in the log or in the map */
    BULK_LOADER_FAILED,   /* no memory, or the log cannot be read */
    BULK_LOADER_STOPPED,  /* the pipeline may be at work still: it is to be destroyed */
};

/* Inserts the numbers of the log's whole lines, up to its end or to what is no line, and says in
 * *line_count how many these are. */
enum bulk_loader_outcome bulk_loader_load(const struct bulk_loader_configuration *configuration,
                                          uint64_t *line_count);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_NUMBERS_BULK_LOADER_H_ */
