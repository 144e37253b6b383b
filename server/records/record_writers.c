#include "server/records/record_writers.h"

#include <errno.h>

#include "server/runtime/condition.h"
#include "server/runtime/os.h"

/* The time between two attempts while the store is down. */
enum { RETRY_PAUSE_MS = 100 };

static enum store_status attempt(struct record_writers_thread *thread,
                                 const struct record_batch *batch, char *message) {
    struct record_writers *writers = thread->writers;
    (void)pthread_rwlock_rdlock(&writers->gate);
    enum store_status status = store_writer_write(thread->writer, batch, message);
    if (status == STORE_OK) {
        record_buffer_finish(writers->config.buffer, batch);
    }
    (void)pthread_rwlock_unlock(&writers->gate);
    return status;
}

static void note_success(struct record_writers *writers) {
    (void)pthread_mutex_lock(&writers->mutex);
    bool was_down = writers->is_store_down;
    writers->is_store_down = false;
    (void)pthread_mutex_unlock(&writers->mutex);
    if (was_down) {
        logger_print(writers->config.logger, LOG_LEVEL_INFO, "the store takes records again");
    }
}

static bool is_warning_due(struct record_writers *writers) {
    (void)pthread_mutex_lock(&writers->mutex);
    writers->is_store_down = true;
    bool is_due = warning_limiter_allows(&writers->warning, os_now_ms());
    (void)pthread_mutex_unlock(&writers->mutex);
    return is_due;
}

/* Waits a little before the next attempt. False: give up. */
static bool pause_before_retry(struct record_writers *writers) {
    int64_t deadline_ms = os_now_ms() + RETRY_PAUSE_MS;
    bool is_over = false;
    (void)pthread_mutex_lock(&writers->mutex);
    while (!writers->is_abandoned && !is_over) {
        is_over = condition_wait_until(&writers->abandoned, &writers->mutex, deadline_ms);
    }
    bool is_abandoned = writers->is_abandoned;
    (void)pthread_mutex_unlock(&writers->mutex);
    return !is_abandoned;
}

static bool store_batch(struct record_writers_thread *thread, const struct record_batch *batch) {
    struct record_writers *writers = thread->writers;
    char message[RECORDS_MESSAGE_SIZE];
    while (attempt(thread, batch, message) != STORE_OK) {
        if (is_warning_due(writers)) {
            logger_print(writers->config.logger, LOG_LEVEL_WARNING,
                         "the store takes no records, %zu wait for it: %s",
                         record_buffer_count(writers->config.buffer), message);
        }
        if (!pause_before_retry(writers)) {
            return false;
        }
    }
    note_success(writers);
    return true;
}

static void *run_thread(void *context) {
    struct record_writers_thread *thread = context;
    struct record_writers *writers = thread->writers;
    struct record_batch batch;
    while (record_buffer_take(writers->config.buffer, thread->index,
                              writers->config.batch_count_max, &batch)) {
        if (!store_batch(thread, &batch)) {
            break;
        }
    }
    store_writer_close(thread->writer);
    (void)pthread_mutex_lock(&writers->mutex);
    writers->running_count--;
    bool is_last = writers->running_count == 0;
    (void)pthread_mutex_unlock(&writers->mutex);
    if (is_last) {
        wakeup_signal(writers->config.finished);
    }
    return NULL;
}

static int start_thread(struct record_writers *writers, size_t index) {
    struct record_writers_thread *thread = &writers->threads[index];
    *thread = (struct record_writers_thread){.writers = writers, .index = index};
    thread->writer = store_writer_open(writers->config.store, index);
    if (thread->writer == NULL) {
        return -ENOMEM;
    }
    (void)pthread_mutex_lock(&writers->mutex);
    writers->running_count++;
    (void)pthread_mutex_unlock(&writers->mutex);
    int error = os_thread_create(&thread->thread, "record-writer", run_thread, thread);
    if (error != 0) {
        store_writer_close(thread->writer);
        (void)pthread_mutex_lock(&writers->mutex);
        writers->running_count--;
        (void)pthread_mutex_unlock(&writers->mutex);
        return error;
    }
    writers->started_count++;
    return 0;
}

static int init_gate(pthread_rwlock_t *gate) {
    pthread_rwlockattr_t attributes;
    int error = pthread_rwlockattr_init(&attributes);
    if (error != 0) {
        return -error;
    }
    /* Otherwise a steady stream of transactions would keep a reader out for good. */
    error =
        pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    if (error == 0) {
        error = pthread_rwlock_init(gate, &attributes);
    }
    (void)pthread_rwlockattr_destroy(&attributes);
    return -error;
}

static int init_locks(struct record_writers *writers) {
    int error = init_gate(&writers->gate);
    if (error != 0) {
        return error;
    }
    error = -pthread_mutex_init(&writers->mutex, NULL);
    if (error == 0) {
        error = condition_init(&writers->abandoned);
        if (error == 0) {
            return 0;
        }
        (void)pthread_mutex_destroy(&writers->mutex);
    }
    (void)pthread_rwlock_destroy(&writers->gate);
    return error;
}

int record_writers_start(struct record_writers *writers,
                         const struct record_writers_config *config) {
    *writers = (struct record_writers){.config = *config};
    int error = init_locks(writers);
    if (error != 0) {
        return error;
    }
    for (size_t index = 0; index < config->thread_count; index++) {
        error = start_thread(writers, index);
        if (error != 0) {
            record_buffer_close(config->buffer);
            record_writers_finish(writers);
            return error;
        }
    }
    return 0;
}

void record_writers_abandon(struct record_writers *writers) {
    (void)pthread_mutex_lock(&writers->mutex);
    writers->is_abandoned = true;
    (void)pthread_mutex_unlock(&writers->mutex);
    (void)pthread_cond_broadcast(&writers->abandoned);
    store_cancel(writers->config.store);
}

bool record_writers_are_finished(struct record_writers *writers) {
    (void)pthread_mutex_lock(&writers->mutex);
    bool are_finished = writers->running_count == 0;
    (void)pthread_mutex_unlock(&writers->mutex);
    return are_finished;
}

void record_writers_finish(struct record_writers *writers) {
    for (size_t index = 0; index < writers->started_count; index++) {
        (void)pthread_join(writers->threads[index].thread, NULL);
    }
    (void)pthread_cond_destroy(&writers->abandoned);
    (void)pthread_mutex_destroy(&writers->mutex);
    (void)pthread_rwlock_destroy(&writers->gate);
}

void record_writers_hold(struct record_writers *writers) {
    (void)pthread_rwlock_wrlock(&writers->gate);
}

void record_writers_release(struct record_writers *writers) {
    (void)pthread_rwlock_unlock(&writers->gate);
}
