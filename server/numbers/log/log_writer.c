#include "server/numbers/log/log_writer.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "server/numbers/log/log_sync.h"
#include "server/numbers/log/log_tail.h"
#include "server/runtime/condition.h"
#include "server/runtime/os.h"

enum {
    /* How often a full disk is tried again: often enough to go on well within a second. */
    FULL_DISK_RETRY_MS = 100,

    /* How often to look whether the log is in its place. */
    LOOK_PERIOD_MS = 1000,
};

const char *const durability_names[] = {"never", "interval", "always", NULL};

void log_writer_begin_call(struct log_writer *writer, enum log_writer_call call) {
    atomic_store_explicit(&writer->call_since_ms[call], os_now_ms(), memory_order_relaxed);
}

void log_writer_end_call(struct log_writer *writer, enum log_writer_call call) {
    atomic_store_explicit(&writer->call_since_ms[call], 0, memory_order_relaxed);
}

void log_writer_fail(struct log_writer *writer, int error) {
    (void)pthread_mutex_lock(&writer->mutex);
    int none = 0;
    (void)atomic_compare_exchange_strong(&writer->error, &none, error);
    (void)pthread_cond_broadcast(&writer->block_freed);
    (void)pthread_cond_signal(&writer->work_arrived);
    (void)pthread_cond_signal(&writer->sync_due);
    (void)pthread_mutex_unlock(&writer->mutex);
    wakeup_signal(writer->configuration.progress);
}

/* Opens the log anew. A block that is half written is to go on in the new file, so its torn line is
 * cut off first; where that cannot be done now, it is put off. 0, or a final error. */
static int reopen(struct log_writer *writer, size_t *done_size) {
    log_writer_begin_call(writer, LOG_WRITER_CALL_WRITE);
    int error = 0;
    if (log_appender_drop_torn_line(&writer->appender, done_size) != 0) {
        log_writer_reopen(writer);
    } else {
        error = log_file_reopen(writer->configuration.log,
                                writer->configuration.durability != DURABILITY_NEVER,
                                writer->configuration.logger);
        log_appender_start_anew(&writer->appender);
        writer->has_warned_of_move = false;
    }
    log_writer_end_call(writer, LOG_WRITER_CALL_WRITE);
    return error;
}

/* Waits a moment for room on the disk. False if writing has failed meanwhile; in *reopens whether
 * the log is to be opened anew. */
static bool wait_for_room(struct log_writer *writer, int error, bool *reopens) {
    int64_t now_ms = os_now_ms();
    atomic_store(&writer->room_error, error);
    if (warning_limiter_allows(&writer->full_disk_warning, now_ms)) {
        writer->has_warned_of_full_disk = true;
        logger_print(writer->configuration.logger, LOG_LEVEL_WARNING,
                     "cannot write the log: %s; the clients wait until there is room",
                     strerror(-error));
    }
    (void)pthread_mutex_lock(&writer->mutex);
    while (
        atomic_load(&writer->error) == 0 &&
        !condition_wait_until(&writer->work_arrived, &writer->mutex, now_ms + FULL_DISK_RETRY_MS)) {
    }
    bool goes_on = atomic_load(&writer->error) == 0;
    *reopens = writer->is_reopen_wanted;
    writer->is_reopen_wanted = false;
    (void)pthread_mutex_unlock(&writer->mutex);
    return goes_on;
}

static int append(struct log_writer *writer, const struct log_block *block, size_t *done_size) {
    log_writer_begin_call(writer, LOG_WRITER_CALL_WRITE);
    int error = log_appender_append(&writer->appender, block->bytes, block->size, done_size);
    log_writer_end_call(writer, LOG_WRITER_CALL_WRITE);
    return error;
}

/* Writes all of the block, waiting out a full disk. 0, or the negative errno value of a final
 * failure. */
static int write_block(struct log_writer *writer, const struct log_block *block) {
    size_t done_size = 0;
    int error;
    while ((error = append(writer, block, &done_size)) != 0) {
        bool reopens = false;
        if (!log_tail_is_disk_full(error) || !wait_for_room(writer, error, &reopens)) {
            /* The guard does it if this fails, too. */
            (void)log_appender_drop_torn_line(&writer->appender, &done_size);
            return error;
        }
        error = reopens ? reopen(writer, &done_size) : 0;
        if (error != 0) {
            return error;
        }
    }
    atomic_store_explicit(&writer->room_error, 0, memory_order_relaxed);
    if (writer->has_warned_of_full_disk) {
        writer->has_warned_of_full_disk = false;
        logger_print(writer->configuration.logger, LOG_LEVEL_INFO,
                     "there is room for the log again");
    }
    return 0;
}

/* Writes a block; then it is free again. 0, or the negative errno value of a final failure. */
static int store_block(struct log_writer *writer, struct log_block *block) {
    size_t size = block->size;
    int error = write_block(writer, block);
    if (error != 0) {
        return error;
    }
    (void)pthread_mutex_lock(&writer->mutex);
    block->size = 0;
    log_block_list_append(&writer->free_blocks, block);
    writer->written_position += size;
    writer->is_direct = log_appender_is_direct(&writer->appender);
    writer->end_offset = (uint64_t)writer->appender.end_offset +
                         (writer->submitted_position - writer->written_position);
    (void)pthread_cond_signal(&writer->block_freed);
    if (writer->configuration.durability == DURABILITY_ALWAYS) {
        (void)pthread_cond_signal(&writer->sync_due);
    } else {
        atomic_store(&writer->stored_position, writer->written_position);
    }
    (void)pthread_mutex_unlock(&writer->mutex);
    wakeup_signal(writer->configuration.progress);
    return 0;
}

/* Warns once if the log was removed or renamed. */
static void look_after_place(struct log_writer *writer) {
    int64_t now_ms = os_now_ms();
    if (writer->has_warned_of_move || now_ms < writer->look_again_ms) {
        return;
    }
    writer->look_again_ms = now_ms + LOOK_PERIOD_MS;
    log_writer_begin_call(writer, LOG_WRITER_CALL_WRITE);
    if (!log_file_is_in_place(writer->configuration.log)) {
        writer->has_warned_of_move = true;
        logger_print(writer->configuration.logger, LOG_LEVEL_WARNING,
                     "%s was removed or renamed: the numbers still go to the file that it was; "
                     "SIGUSR1 opens the log anew under its name",
                     writer->configuration.log->path);
    }
    log_writer_end_call(writer, LOG_WRITER_CALL_WRITE);
}

/* What the writer thread is to do. */
struct task {
    struct log_block *block; /* to write, after the rest; NULL: none */
    bool reopens;
    bool finds_all_synced;
    bool ends; /* nothing more, ever */
};

static bool has_work(const struct log_writer *writer) {
    return writer->queue.count > 0 || writer->is_reopen_wanted || writer->is_finishing ||
           atomic_load(&writer->error) != 0;
}

/* Waits for something to do, for as long as nothing has to be looked after. */
static struct task next_task(struct log_writer *writer) {
    struct task task = {0};
    int64_t deadline_ms = os_now_ms() + LOOK_PERIOD_MS;
    (void)pthread_mutex_lock(&writer->mutex);
    while (!has_work(writer) &&
           !condition_wait_until(&writer->work_arrived, &writer->mutex, deadline_ms)) {
    }
    task.reopens = writer->is_reopen_wanted;
    writer->is_reopen_wanted = false;
    task.finds_all_synced = writer->synced_position == writer->written_position;
    task.ends = atomic_load(&writer->error) != 0 ||
                (writer->is_finishing && writer->queue.count == 0 && !task.reopens);
    if (!task.ends) {
        task.block = log_block_list_take_oldest(&writer->queue);
    }
    (void)pthread_mutex_unlock(&writer->mutex);
    return task;
}

void log_writer_end_thread(struct log_writer *writer, bool *flag) {
    (void)pthread_mutex_lock(&writer->mutex);
    *flag = true;
    (void)pthread_cond_signal(&writer->sync_due);
    (void)pthread_mutex_unlock(&writer->mutex);
    wakeup_signal(writer->configuration.progress);
}

static void *run_writer(void *context) {
    struct log_writer *writer = context;
    struct task task;
    while (!(task = next_task(writer)).ends) {
        size_t no_size = 0; /* between blocks no line is torn */
        int error = task.reopens ? reopen(writer, &no_size) : 0;
        if (task.finds_all_synced) {
            log_appender_note_synced(&writer->appender);
        }
        look_after_place(writer);
        if (error == 0 && task.block != NULL) {
            error = store_block(writer, task.block);
        }
        if (error != 0) {
            log_writer_fail(writer, error);
            break;
        }
    }
    if (writer->appender.direct_size > 0) {
        logger_print(writer->configuration.logger, LOG_LEVEL_DEBUG,
                     "%" PRIu64 " bytes of the log went past the page cache",
                     writer->appender.direct_size);
    }
    log_writer_end_thread(writer, &writer->is_written_out);
    return NULL;
}

static int init_synchronization(struct log_writer *writer) {
    pthread_cond_t *const conditions[] = {&writer->block_freed, &writer->work_arrived,
                                          &writer->sync_due};
    int error = -pthread_mutex_init(&writer->mutex, NULL);
    if (error != 0) {
        return error;
    }
    for (size_t index = 0; index < sizeof conditions / sizeof conditions[0]; index++) {
        error = condition_init(conditions[index]);
        if (error != 0) {
            while (index > 0) {
                (void)pthread_cond_destroy(conditions[--index]);
            }
            (void)pthread_mutex_destroy(&writer->mutex);
            return error;
        }
    }
    return 0;
}

static int start_threads(struct log_writer *writer) {
    writer->is_synced_out = writer->configuration.durability == DURABILITY_NEVER;
    int error = os_thread_create(&writer->writer_thread, "log-writer", run_writer, writer);
    if (error != 0) {
        return error;
    }
    writer->has_writer_thread = true;
    if (writer->configuration.durability != DURABILITY_NEVER) {
        error = os_thread_create(&writer->sync_thread, "log-sync", log_sync_run, writer);
        writer->has_sync_thread = error == 0;
    }
    return error;
}

int log_writer_init(struct log_writer *writer,
                    const struct log_writer_configuration *configuration) {
    *writer = (struct log_writer){.configuration = *configuration};
    log_appender_init(&writer->appender, configuration->log, configuration->line_size,
                      configuration->disk_patience, configuration->logger);
    writer->is_direct = log_appender_is_direct(&writer->appender);
    int error = init_synchronization(writer);
    if (error != 0) {
        return error;
    }
    error =
        log_blocks_init(&writer->blocks, configuration->block_size, configuration->block_slack_size,
                        configuration->block_count, &writer->free_blocks);
    if (error == 0) {
        error = start_threads(writer);
    }
    if (error != 0) {
        log_writer_finish(writer);
        log_writer_destroy(writer);
    }
    return error;
}

/* Whole, or short to make the end of the file even again. Call with the mutex held. */
static size_t choose_capacity(struct log_writer *writer) {
    const struct log_writer_configuration *configuration = &writer->configuration;
    size_t uneven_size = writer->end_offset % LOG_APPENDER_UNIT_SIZE;
    if (!writer->is_direct || writer->is_realigning || uneven_size == 0 ||
        uneven_size % configuration->line_size != 0 ||
        configuration->block_size < LOG_APPENDER_UNIT_SIZE) {
        return configuration->block_size;
    }
    writer->is_realigning = true;
    return LOG_APPENDER_UNIT_SIZE - uneven_size;
}

struct log_block *log_writer_acquire(struct log_writer *writer) {
    struct log_block *block = NULL;
    (void)pthread_mutex_lock(&writer->mutex);
    while (writer->free_blocks.count == 0 && atomic_load(&writer->error) == 0) {
        (void)pthread_cond_wait(&writer->block_freed, &writer->mutex);
    }
    if (atomic_load(&writer->error) == 0) {
        block = log_block_list_take_oldest(&writer->free_blocks);
        block->capacity = choose_capacity(writer);
    }
    (void)pthread_mutex_unlock(&writer->mutex);
    return block;
}

void log_writer_submit(struct log_writer *writer, struct log_block *block) {
    (void)pthread_mutex_lock(&writer->mutex);
    if (block->capacity < writer->configuration.block_size) {
        writer->is_realigning = false;
    }
    if (block->size == 0) {
        log_block_list_append(&writer->free_blocks, block);
        (void)pthread_cond_signal(&writer->block_freed);
    } else {
        log_block_list_append(&writer->queue, block);
        writer->submitted_position += block->size;
        writer->end_offset += block->size;
        (void)pthread_cond_signal(&writer->work_arrived);
    }
    (void)pthread_mutex_unlock(&writer->mutex);
}

uint64_t log_writer_submitted_position(struct log_writer *writer) {
    (void)pthread_mutex_lock(&writer->mutex);
    uint64_t position = writer->submitted_position;
    (void)pthread_mutex_unlock(&writer->mutex);
    return position;
}

uint64_t log_writer_stored_position(const struct log_writer *writer) {
    return atomic_load(&writer->stored_position);
}

int log_writer_error(const struct log_writer *writer) {
    return atomic_load(&writer->error);
}

struct log_writer_positions log_writer_get_positions(struct log_writer *writer) {
    (void)pthread_mutex_lock(&writer->mutex);
    struct log_writer_positions positions = {.submitted = writer->submitted_position,
                                             .written = writer->written_position,
                                             .synced = writer->synced_position};
    (void)pthread_mutex_unlock(&writer->mutex);
    return positions;
}

int log_writer_room_error(const struct log_writer *writer) {
    return atomic_load(&writer->room_error);
}

void log_writer_reopen(struct log_writer *writer) {
    (void)pthread_mutex_lock(&writer->mutex);
    writer->is_reopen_wanted = true;
    (void)pthread_cond_signal(&writer->work_arrived);
    (void)pthread_mutex_unlock(&writer->mutex);
}

int64_t log_writer_call_ms(const struct log_writer *writer, int64_t now_ms) {
    int64_t longest_ms = 0;
    for (size_t index = 0; index < LOG_WRITER_CALL_COUNT; index++) {
        int64_t since_ms =
            atomic_load_explicit(&writer->call_since_ms[index], memory_order_relaxed);
        if (since_ms != 0 && now_ms - since_ms > longest_ms) {
            longest_ms = now_ms - since_ms;
        }
    }
    return longest_ms;
}

void log_writer_finish(struct log_writer *writer) {
    (void)pthread_mutex_lock(&writer->mutex);
    writer->is_finishing = true;
    (void)pthread_cond_signal(&writer->work_arrived);
    (void)pthread_mutex_unlock(&writer->mutex);
}

bool log_writer_is_finished(struct log_writer *writer) {
    (void)pthread_mutex_lock(&writer->mutex);
    bool is_finished = writer->is_written_out && writer->is_synced_out;
    (void)pthread_mutex_unlock(&writer->mutex);
    return is_finished;
}

void log_writer_destroy(struct log_writer *writer) {
    if (writer->has_writer_thread) {
        (void)pthread_join(writer->writer_thread, NULL);
    }
    if (writer->has_sync_thread) {
        (void)pthread_join(writer->sync_thread, NULL);
    }
    (void)pthread_cond_destroy(&writer->sync_due);
    (void)pthread_cond_destroy(&writer->work_arrived);
    (void)pthread_cond_destroy(&writer->block_freed);
    (void)pthread_mutex_destroy(&writer->mutex);
    log_blocks_destroy(&writer->blocks);
}
