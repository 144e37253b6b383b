#include "server/numbers/log/log_writer.h"

#include <errno.h>
#include <string.h>

#include "server/runtime/condition.h"
#include "server/runtime/os.h"

/* How often a full disk is tried again: often enough to go on well within a second. */
enum { FULL_DISK_RETRY_MS = 100 };

const char *const durability_names[] = {"never", "interval", "always", NULL};

static bool is_disk_full(ssize_t error) {
    return error == -ENOSPC || error == -EDQUOT || error == -EFBIG;
}

/* Ends all writing; the first reason counts. */
static void fail(struct log_writer *writer, int error) {
    (void)pthread_mutex_lock(&writer->mutex);
    int none = 0;
    (void)atomic_compare_exchange_strong(&writer->error, &none, error);
    (void)pthread_cond_broadcast(&writer->block_freed);
    (void)pthread_cond_signal(&writer->work_arrived);
    (void)pthread_cond_signal(&writer->writing_ended);
    (void)pthread_mutex_unlock(&writer->mutex);
    wakeup_signal(writer->config.progress);
}

/* Cuts off the torn_size bytes of a record that a failed write has left at the end of the file. */
static int cut_torn_record(const struct log_writer *writer, size_t torn_size) {
    if (torn_size == 0) {
        return 0;
    }
    off_t file_size = os_file_size(writer->config.fd);
    if (file_size < 0) {
        return (int)file_size;
    }
    if (file_size < (off_t)torn_size) {
        return 0; /* somebody else has emptied the file meanwhile */
    }
    return os_ftruncate(writer->config.fd, file_size - (off_t)torn_size);
}

/* Waits a moment for room on the disk; false if the owner does not want to wait any longer. */
static bool wait_for_room(struct log_writer *writer, int error) {
    int64_t now_ms = os_now_ms();
    if (warning_limiter_allows(&writer->full_disk_warning, now_ms)) {
        writer->has_warned = true;
        logger_print(writer->config.logger, LOG_LEVEL_WARNING,
                     "cannot write the log: %s; the clients wait until there is room",
                     strerror(-error));
    }
    (void)pthread_mutex_lock(&writer->mutex);
    while (
        !writer->is_abandoned && atomic_load(&writer->error) == 0 &&
        !condition_wait_until(&writer->work_arrived, &writer->mutex, now_ms + FULL_DISK_RETRY_MS)) {
    }
    bool goes_on = !writer->is_abandoned && atomic_load(&writer->error) == 0;
    (void)pthread_mutex_unlock(&writer->mutex);
    return goes_on;
}

/* Writes all of the block, waiting out a full disk. 0, or the negative errno value of a final
 * failure; with whole records in the file either way, unless it was the cutting that failed. */
static int write_block(struct log_writer *writer, const struct log_block *block) {
    size_t done_size = 0;
    while (done_size < block->size) {
        ssize_t count =
            os_append(writer->config.fd, block->bytes + done_size, block->size - done_size);
        if (count > 0) {
            done_size += (size_t)count;
            continue;
        }
        int error = count == 0 ? -EIO : (int)count;
        size_t torn_size = done_size % writer->config.record_size;
        int cut_error = cut_torn_record(writer, torn_size);
        if (cut_error != 0) {
            return cut_error;
        }
        done_size -= torn_size;
        if (!is_disk_full(error) || !wait_for_room(writer, error)) {
            return error;
        }
    }
    if (writer->has_warned) {
        writer->has_warned = false;
        logger_print(writer->config.logger, LOG_LEVEL_INFO, "there is room for the log again");
    }
    return 0;
}

/* Takes the oldest block, waiting for one; NULL when there will be no more. */
static struct log_block *next_block(struct log_writer *writer) {
    struct log_block *block = NULL;
    (void)pthread_mutex_lock(&writer->mutex);
    while (writer->queue_count == 0 && !writer->is_finishing && atomic_load(&writer->error) == 0) {
        (void)pthread_cond_wait(&writer->work_arrived, &writer->mutex);
    }
    if (writer->queue_count > 0 && atomic_load(&writer->error) == 0) {
        block = writer->queue[0];
        writer->queue_count--;
        memmove(&writer->queue[0], &writer->queue[1],
                writer->queue_count * sizeof(struct log_block *));
    }
    (void)pthread_mutex_unlock(&writer->mutex);
    return block;
}

/* Notes that one of the threads has come to its end. */
static void end_thread(struct log_writer *writer, bool *flag) {
    (void)pthread_mutex_lock(&writer->mutex);
    *flag = true;
    (void)pthread_cond_signal(&writer->writing_ended);
    (void)pthread_mutex_unlock(&writer->mutex);
    wakeup_signal(writer->config.progress);
}

static void *run_writer(void *context) {
    struct log_writer *writer = context;
    struct log_block *block;
    while ((block = next_block(writer)) != NULL) {
        size_t size = block->size;
        int error = write_block(writer, block);
        /* The producers fill the next block meanwhile, so one fdatasync serves many records. */
        if (error == 0 && writer->config.durability == DURABILITY_ALWAYS) {
            error = os_fdatasync(writer->config.fd);
        }
        if (error != 0) {
            fail(writer, error);
            break;
        }
        (void)pthread_mutex_lock(&writer->mutex);
        block->size = 0;
        writer->free_blocks[writer->free_count++] = block;
        writer->written_position += size;
        (void)pthread_cond_signal(&writer->block_freed);
        atomic_store(&writer->stored_position, writer->written_position);
        (void)pthread_mutex_unlock(&writer->mutex);
        wakeup_signal(writer->config.progress);
    }
    end_thread(writer, &writer->is_written_out);
    return NULL;
}

/* Waits for the next time to sync; false when there is nothing more to do, ever. */
static bool wait_for_sync_time(struct log_writer *writer, int64_t deadline_ms, uint64_t *position) {
    (void)pthread_mutex_lock(&writer->mutex);
    while (!writer->is_written_out && atomic_load(&writer->error) == 0 &&
           !condition_wait_until(&writer->writing_ended, &writer->mutex, deadline_ms)) {
    }
    *position = writer->written_position;
    bool is_last_done = writer->is_written_out && *position == writer->synced_position;
    bool goes_on = !is_last_done && atomic_load(&writer->error) == 0;
    (void)pthread_mutex_unlock(&writer->mutex);
    return goes_on;
}

static void *run_sync(void *context) {
    struct log_writer *writer = context;
    uint64_t position;
    /* The interval runs from the begin of one call to the begin of the next: what is written during
     * a call is not part of it, and has waited since. */
    int64_t begin_ms = os_now_ms();
    while (wait_for_sync_time(writer, begin_ms + writer->config.sync_interval_ms, &position)) {
        begin_ms = os_now_ms();
        if (position == writer->synced_position) {
            continue;
        }
        int error = os_fdatasync(writer->config.fd);
        if (error != 0) {
            fail(writer, error);
            break;
        }
        (void)pthread_mutex_lock(&writer->mutex);
        writer->synced_position = position;
        (void)pthread_mutex_unlock(&writer->mutex);
    }
    end_thread(writer, &writer->is_synced_out);
    return NULL;
}

static int init_synchronization(struct log_writer *writer) {
    pthread_cond_t *const conditions[] = {&writer->block_freed, &writer->work_arrived,
                                          &writer->writing_ended};
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

static int allocate_blocks(struct log_writer *writer) {
    const struct log_writer_config *config = &writer->config;
    size_t stride_size = config->block_size + config->block_slack_size;
    writer->memory_size = stride_size * config->block_count;
    writer->memory = os_map_memory(writer->memory_size);
    if (writer->memory == NULL) {
        return -ENOMEM;
    }
    for (size_t index = 0; index < config->block_count; index++) {
        writer->blocks[index].bytes = (char *)writer->memory + index * stride_size;
        writer->free_blocks[writer->free_count++] = &writer->blocks[index];
    }
    return 0;
}

static int start_threads(struct log_writer *writer) {
    writer->is_synced_out = writer->config.durability != DURABILITY_INTERVAL;
    int error = os_thread_create(&writer->writer_thread, "log-writer", run_writer, writer);
    if (error != 0) {
        return error;
    }
    writer->has_writer_thread = true;
    if (writer->config.durability == DURABILITY_INTERVAL) {
        error = os_thread_create(&writer->sync_thread, "log-sync", run_sync, writer);
        writer->has_sync_thread = error == 0;
    }
    return error;
}

int log_writer_init(struct log_writer *writer, const struct log_writer_config *config) {
    *writer = (struct log_writer){.config = *config};
    int error = init_synchronization(writer);
    if (error != 0) {
        return error;
    }
    error = allocate_blocks(writer);
    if (error == 0) {
        error = start_threads(writer);
    }
    if (error != 0) {
        log_writer_finish(writer);
        log_writer_destroy(writer);
    }
    return error;
}

struct log_block *log_writer_acquire(struct log_writer *writer) {
    struct log_block *block = NULL;
    (void)pthread_mutex_lock(&writer->mutex);
    while (writer->free_count == 0 && atomic_load(&writer->error) == 0) {
        (void)pthread_cond_wait(&writer->block_freed, &writer->mutex);
    }
    if (atomic_load(&writer->error) == 0) {
        block = writer->free_blocks[--writer->free_count];
    }
    (void)pthread_mutex_unlock(&writer->mutex);
    return block;
}

void log_writer_submit(struct log_writer *writer, struct log_block *block) {
    (void)pthread_mutex_lock(&writer->mutex);
    if (block->size == 0) {
        writer->free_blocks[writer->free_count++] = block;
        (void)pthread_cond_signal(&writer->block_freed);
    } else {
        writer->queue[writer->queue_count++] = block;
        writer->submitted_position += block->size;
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

void log_writer_abandon(struct log_writer *writer) {
    (void)pthread_mutex_lock(&writer->mutex);
    writer->is_abandoned = true;
    (void)pthread_cond_signal(&writer->work_arrived);
    (void)pthread_mutex_unlock(&writer->mutex);
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
    (void)pthread_cond_destroy(&writer->writing_ended);
    (void)pthread_cond_destroy(&writer->work_arrived);
    (void)pthread_cond_destroy(&writer->block_freed);
    (void)pthread_mutex_destroy(&writer->mutex);
    if (writer->memory != NULL) {
        os_unmap_memory(writer->memory, writer->memory_size);
    }
}
