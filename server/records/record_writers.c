#include "server/records/record_writers.h"

#include <errno.h>

#include "server/runtime/os.h"

enum {
    /* The time between two attempts while the store is down. */
    RETRY_PAUSE_MS = 100,
    /* And more for each thread, so that they do not take each other's connections away by turns. */
    RETRY_PAUSE_STEP_MS = 7,
    /* The same for a thread that fails while others store. */
    IDLE_PAUSE_MS = 2000,
    /* So many failures in a row of one thread, while others store, are worth a warning. */
    THREAD_FAILURES_MAX = 3,
    NS_PER_US = 1000,
};

static void note_refusals(struct record_writers *writers, const struct record_batch *batch) {
    const struct rejects *rejects = writers->config.rejects;
    size_t left_count = rejects_count(rejects, batch);
    for (size_t index = 0; left_count > 0; index++) {
        if (rejects_has(rejects, batch, index)) {
            record_buffer_note_refusal(writers->config.buffer, batch, index);
            left_count--;
        }
    }
}

static enum store_status write_batch(struct record_writers_thread *thread,
                                     const struct record_batch *batch, char *message) {
    struct record_writers *writers = thread->writers;
    record_gate_enter(&writers->gate);
    int64_t begin_ns = os_now_ns();
    enum store_status status = store_writer_write(thread->writer, batch, message);
    latency_histogram_add(&writers->latency, (os_now_ns() - begin_ns) / NS_PER_US);
    if (status == STORE_OK) {
        note_refusals(writers, batch);
        record_buffer_finish(writers->config.buffer, batch);
    }
    record_gate_leave(&writers->gate);
    return status;
}

/* Connects, takes a batch and writes it. Where there is none left to take, that is a success. */
static enum store_status attempt(struct record_writers_thread *thread, char *message) {
    const struct record_writers_config *config = &thread->writers->config;
    struct record_batch batch;
    enum store_status status = store_writer_connect(thread->writer, message);
    if (status != STORE_OK) {
        record_buffer_pass_on(config->buffer);
        return status;
    }
    if (!record_buffer_take(config->buffer, config->batch_count_max, &batch)) {
        return STORE_OK;
    }
    status = write_batch(thread, &batch, message);
    if (status != STORE_OK) {
        record_buffer_give_back(config->buffer, &batch);
    }
    return status;
}

static void note_success(struct record_writers *writers) {
    (void)pthread_mutex_lock(&writers->mutex);
    bool had_warned = writers->has_warned;
    writers->has_warned = false;
    writers->failing_since_ms = 0;
    (void)pthread_mutex_unlock(&writers->mutex);
    if (had_warned) {
        logger_print(writers->config.logger, LOG_LEVEL_INFO, "the store takes records again");
    }
}

/* Returns whether the store is down: nobody has stored anything for a while. */
static bool note_failure(struct record_writers *writers, unsigned failure_count,
                         const char *message) {
    int64_t now_ms = os_now_ms();
    (void)pthread_mutex_lock(&writers->mutex);
    if (writers->failing_since_ms == 0) {
        writers->failing_since_ms = now_ms;
    }
    bool is_down = now_ms - writers->failing_since_ms >= RETRY_PAUSE_MS;
    bool warns_of_store = is_down && warning_limiter_allows(&writers->down_warning, now_ms);
    bool warns_of_thread = !is_down && failure_count >= THREAD_FAILURES_MAX &&
                           warning_limiter_allows(&writers->thread_warning, now_ms);
    writers->has_warned = writers->has_warned || warns_of_store;
    (void)pthread_mutex_unlock(&writers->mutex);
    if (warns_of_store) {
        logger_print(writers->config.logger, LOG_LEVEL_WARNING,
                     "the store takes no records, %zu wait for it: %s",
                     record_buffer_count(writers->config.buffer), message);
    } else if (warns_of_thread) {
        logger_print(writers->config.logger, LOG_LEVEL_WARNING,
                     "a writer stores nothing while others do: %s", message);
    }
    return is_down;
}

int64_t record_writers_failing_ms(struct record_writers *writers, int64_t now_ms) {
    (void)pthread_mutex_lock(&writers->mutex);
    int64_t since_ms = writers->failing_since_ms;
    (void)pthread_mutex_unlock(&writers->mutex);
    return since_ms == 0 ? 0 : now_ms - since_ms;
}

static void *run_thread(void *context) {
    struct record_writers_thread *thread = context;
    struct record_writers *writers = thread->writers;
    unsigned failure_count = 0; /* in a row */
    while (record_buffer_await_records(writers->config.buffer)) {
        char message[MESSAGE_SIZE];
        if (attempt(thread, message) == STORE_OK) {
            note_success(writers);
            failure_count = 0;
        } else {
            bool is_down = note_failure(writers, ++failure_count, message);
            int step_ms = RETRY_PAUSE_STEP_MS * (int)(thread - writers->threads);
            bool is_needed = is_down || failure_count == 1;
            (void)os_poll(NULL, 0, step_ms + (is_needed ? RETRY_PAUSE_MS : IDLE_PAUSE_MS));
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
    *thread = (struct record_writers_thread){.writers = writers};
    thread->writer = store_writer_open(writers->config.store);
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

static int init_locks(struct record_writers *writers) {
    int error = record_gate_init(&writers->gate);
    if (error != 0) {
        return error;
    }
    error = -pthread_mutex_init(&writers->mutex, NULL);
    if (error == 0) {
        return 0;
    }
    record_gate_destroy(&writers->gate);
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
    (void)pthread_mutex_destroy(&writers->mutex);
    record_gate_destroy(&writers->gate);
    *writers = (struct record_writers){0};
}
