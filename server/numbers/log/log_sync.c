#include "server/numbers/log/log_sync.h"

#include "server/runtime/condition.h"
#include "server/runtime/os.h"

static int sync_log(struct log_writer *writer) {
    int64_t begin_ns = os_now_ns();
    log_writer_begin_call(writer, LOG_WRITER_CALL_SYNC);
    int error = os_fdatasync(writer->configuration.log->fd);
    log_writer_end_call(writer, LOG_WRITER_CALL_SYNC);
    latency_histogram_add(&writer->sync_latency, (os_now_ns() - begin_ns) / 1000);
    return error;
}

/* Whether there is something to sync at once, or nothing any more. Call with the mutex held. */
static bool is_sync_due(const struct log_writer *writer) {
    return writer->is_written_out || atomic_load(&writer->error) != 0 ||
           (writer->configuration.durability == DURABILITY_ALWAYS &&
            writer->written_position != writer->synced_position);
}

/* Waits for the next time to sync; false when there is nothing more to do, ever. */
static bool wait_for_sync_time(struct log_writer *writer, int64_t deadline_ms, uint64_t *position) {
    (void)pthread_mutex_lock(&writer->mutex);
    while (!is_sync_due(writer) &&
           !condition_wait_until(&writer->sync_due, &writer->mutex, deadline_ms)) {
    }
    *position = writer->written_position;
    bool is_last_done = writer->is_written_out && *position == writer->synced_position;
    bool goes_on = !is_last_done && atomic_load(&writer->error) == 0;
    (void)pthread_mutex_unlock(&writer->mutex);
    return goes_on;
}

void *log_sync_run(void *context) {
    struct log_writer *writer = context;
    uint64_t position;
    /* The interval runs from the begin of one call to the begin of the next: what is written during
     * a call is not part of it, and has waited since. */
    int64_t begin_ms = os_now_ms();
    while (
        wait_for_sync_time(writer, begin_ms + writer->configuration.sync_interval_ms, &position)) {
        begin_ms = os_now_ms();
        if (position == writer->synced_position) {
            continue;
        }
        int error = sync_log(writer);
        if (error != 0) {
            log_writer_fail(writer, error);
            break;
        }
        (void)pthread_mutex_lock(&writer->mutex);
        writer->synced_position = position;
        if (writer->configuration.durability == DURABILITY_ALWAYS) {
            atomic_store(&writer->stored_position, position);
        }
        (void)pthread_mutex_unlock(&writer->mutex);
        wakeup_signal(writer->configuration.progress);
    }
    log_writer_end_thread(writer, &writer->is_synced_out);
    return NULL;
}
