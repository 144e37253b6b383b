#include "server/numbers/resume.h"

#include "server/numbers/bulk_loader.h"
#include "server/numbers/log_loader.h"

/* Through the pipeline; in *line_count how many lines need no second look. */
static enum bulk_loader_outcome load_fast(const struct resume_configuration *configuration,
                                          uint64_t *line_count) {
    const struct bulk_loader_configuration bulk = {
        .log = configuration->log,
        .parser = configuration->parser,
        .pipeline = configuration->pipeline,
        .progress = configuration->progress,
        .stop_fd = configuration->stop_fd,
        .logger = configuration->logger,
    };
    enum bulk_loader_outcome outcome = bulk_loader_load(&bulk, line_count);
    if (outcome == BULK_LOADER_REPEATED || outcome == BULK_LOADER_FAILED) {
        /* Once more, one line after the other, to say which one is wrong. */
        *line_count = 0;
        dedup_map_clear(configuration->map);
    }
    return outcome;
}

enum log_file_status resume_load(const struct resume_configuration *configuration,
                                 off_t *kept_size) {
    struct log_loader_configuration loader = {
        .log = configuration->log,
        .map = configuration->map,
        .parser = configuration->parser,
        .stop_fd = configuration->stop_fd,
        .logger = configuration->logger,
    };
    if (configuration->log->is_regular &&
        load_fast(configuration, &loader.loaded_count) == BULK_LOADER_STOPPED) {
        return LOG_FILE_STOPPED;
    }
    return log_loader_load(&loader, kept_size);
}
