#include "server/numbers/bulk_loader.h"

#include <inttypes.h>

#include "server/numbers/limits.h"
#include "server/numbers/session.h"
#include "server/runtime/os.h"
#include "server/runtime/progress.h"

enum {
    /* How far ahead of the reading the disk is kept busy, and how much it is asked for at a
     * time. */
    READ_AHEAD_SIZE = 16 * 1024 * 1024,
    READ_AHEAD_STEP_SIZE = 2 * 1024 * 1024,

    /* How often to tell how far it is. */
    NEWS_PERIOD_MS = 10 * 1000,
};

struct loading {
    struct bulk_loader_configuration configuration;
    struct session session;
    off_t offset; /* read so far */
    off_t asked_offset;
    off_t file_size;
    int64_t next_news_ms;
    struct progress bar; /* on a terminal, in place of messages */
    uint64_t line_count;
    uint32_t numbers[RECEIVED_NUMBER_CAPACITY];
    char buffer[SESSION_HEADROOM_SIZE + RECEIVE_SIZE];
};

/* Waits for the workers, or not at all; false when asked to stop. */
static bool goes_on(const struct loading *loading, bool waits) {
    struct pollfd polled[] = {
        {.fd = loading->configuration.stop_fd, .events = POLLIN},
        {.fd = loading->configuration.progress->fd, .events = POLLIN},
    };
    (void)os_poll(polled, waits ? 2 : 1, waits ? WAIT_MAX_MS : 0);
    if (waits) {
        wakeup_clear(loading->configuration.progress);
        pipeline_run(loading->configuration.pipeline, os_now_ms());
    }
    return polled[0].revents == 0;
}

static bool add_numbers(struct loading *loading, size_t count) {
    struct pipeline *pipeline = loading->configuration.pipeline;
    size_t done_count = 0;
    for (;;) {
        done_count +=
            pipeline_add(pipeline, loading->numbers + done_count, count - done_count, os_now_ms());
        if (done_count == count) {
            return true;
        }
        if (!goes_on(loading, true)) {
            return false;
        }
    }
}

static void read_ahead(struct loading *loading) {
    while (loading->asked_offset < loading->offset + READ_AHEAD_SIZE &&
           loading->asked_offset < loading->file_size) {
        /* Where that cannot be done, it is only slower. */
        (void)os_read_ahead(loading->configuration.log->fd, loading->asked_offset,
                            READ_AHEAD_STEP_SIZE);
        loading->asked_offset += READ_AHEAD_STEP_SIZE;
    }
}

static void tell_progress(struct loading *loading) {
    int64_t now_ms = os_now_ms();
    progress_update(&loading->bar, loading->line_count);
    if (loading->bar.enabled || now_ms < loading->next_news_ms) {
        return;
    }
    loading->next_news_ms = now_ms + NEWS_PERIOD_MS;
    logger_print(loading->configuration.logger, LOG_LEVEL_INFO,
                 "loading %s: %" PRIu64 " numbers so far, %d %%", loading->configuration.log->path,
                 loading->line_count,
                 loading->file_size > 0 ? (int)(loading->offset * 100 / loading->file_size) : 0);
}

static enum bulk_loader_outcome load_lines(struct loading *loading) {
    char *bytes = loading->buffer + SESSION_HEADROOM_SIZE;
    enum line_parser_stop stop = LINE_PARSER_NEEDS_MORE;
    while (stop == LINE_PARSER_NEEDS_MORE) {
        read_ahead(loading);
        ssize_t size =
            os_pread(loading->configuration.log->fd, bytes, RECEIVE_SIZE, loading->offset);
        if (size <= 0) {
            return size == 0 ? BULK_LOADER_LOADED : BULK_LOADER_FAILED;
        }
        loading->offset += size;
        size_t count = session_receive(&loading->session, loading->configuration.parser, bytes,
                                       (size_t)size, loading->numbers, &stop);
        loading->line_count += count;
        if (!goes_on(loading, false) || !add_numbers(loading, count)) {
            return BULK_LOADER_STOPPED;
        }
        tell_progress(loading);
    }
    return BULK_LOADER_LOADED;
}

static bool drain(struct loading *loading) {
    struct pipeline *pipeline = loading->configuration.pipeline;
    (void)pipeline_hand_over(pipeline);
    while (!pipeline_is_drained(pipeline)) {
        if (!goes_on(loading, true)) {
            return false;
        }
    }
    return true;
}

enum bulk_loader_outcome bulk_loader_load(const struct bulk_loader_configuration *configuration,
                                          uint64_t *line_count) {
    struct loading *loading = os_map_memory(sizeof *loading);
    if (loading == NULL) {
        return BULK_LOADER_FAILED;
    }
    loading->configuration = *configuration;
    loading->file_size = os_file_size(configuration->log->fd);
    loading->next_news_ms = os_now_ms() + NEWS_PERIOD_MS;
    progress_start(&loading->bar, "loading",
                   loading->file_size > 0 ? (uint64_t)loading->file_size / LINE_SIZE : 0,
                   configuration->logger->lowest <= LOG_LEVEL_INFO);
    loading->bar.enabled = loading->bar.enabled && loading->bar.is_terminal;
    session_init(&loading->session);
    pipeline_set_loading(configuration->pipeline, true);
    enum bulk_loader_outcome outcome = load_lines(loading);
    progress_finish(&loading->bar);
    if (outcome != BULK_LOADER_STOPPED && !drain(loading)) {
        outcome = BULK_LOADER_STOPPED;
    }
    if (outcome != BULK_LOADER_STOPPED) {
        if (outcome == BULK_LOADER_LOADED && pipeline_repeated_count(configuration->pipeline) > 0) {
            outcome = BULK_LOADER_REPEATED;
        }
        pipeline_set_loading(configuration->pipeline, false);
    }
    *line_count = loading->line_count;
    os_unmap_memory(loading, sizeof *loading);
    return outcome;
}
