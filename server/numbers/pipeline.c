#include "server/numbers/pipeline.h"

#include <errno.h>

#include "server/runtime/os.h"

struct worker {
    struct pipeline *pipeline;
    uint32_t *new_numbers; /* scratch for one bucket */
    struct log_block *block;
};

/* How many lines the worker's block has room for, at least one; 0 once writing has failed. */
static size_t provide_room(struct worker *worker) {
    struct log_writer *writer = worker->pipeline->configuration.writer;
    if (worker->block != NULL && worker->block->size + LINE_SIZE > worker->block->capacity) {
        log_writer_submit(writer, worker->block);
        worker->block = NULL;
    }
    if (worker->block == NULL) {
        worker->block = log_writer_acquire(writer);
    }
    return worker->block == NULL ? 0 : (worker->block->capacity - worker->block->size) / LINE_SIZE;
}

/* Writes the worker's new numbers as lines into as many blocks as they take, and returns how many:
 * all of them, unless writing has failed. */
static size_t format_new_numbers(struct worker *worker, size_t new_count) {
    const struct number_formatter *formatter = worker->pipeline->configuration.formatter;
    size_t done_count = 0;
    size_t room_count;
    while (done_count < new_count && (room_count = provide_room(worker)) > 0) {
        size_t left_count = new_count - done_count;
        size_t count = left_count < room_count ? left_count : room_count;
        struct log_block *block = worker->block;
        block->size += number_formatter_format(formatter, worker->new_numbers + done_count, count,
                                               block->bytes + block->size);
        done_count += count;
    }
    return done_count;
}

static void insert_bucket(struct worker *worker, const struct dedup_stage *stage,
                          size_t bucket_index) {
    const struct pipeline_configuration *configuration = &worker->pipeline->configuration;
    size_t count = dedup_stage_bucket_count(stage, bucket_index);
    if (count == 0) {
        return;
    }
    size_t new_count =
        dedup_map_insert_bucket(configuration->map, stage, bucket_index, worker->new_numbers);
    if (worker->pipeline->is_loading) {
        atomic_fetch_add_explicit(&worker->pipeline->repeated_count, count - new_count,
                                  memory_order_relaxed);
        return;
    }
    size_t logged_count = format_new_numbers(worker, new_count);
    atomic_fetch_add_explicit(&configuration->tally->unique_count, logged_count,
                              memory_order_relaxed);
    atomic_fetch_add_explicit(&configuration->tally->duplicate_count, count - new_count,
                              memory_order_relaxed);
}

/* Takes runs of buckets as long as there are any. */
static void insert_buckets(struct worker *worker, const struct dedup_stage *stage) {
    struct pipeline *pipeline = worker->pipeline;
    size_t first_index;
    while ((first_index = atomic_fetch_add_explicit(&pipeline->next_bucket_index, BUCKETS_PER_TURN,
                                                    memory_order_relaxed)) < DEDUP_BUCKET_COUNT) {
        for (size_t offset = 0; offset < BUCKETS_PER_TURN; offset++) {
            insert_bucket(worker, stage, first_index + offset);
        }
    }
    if (worker->block != NULL) {
        log_writer_submit(pipeline->configuration.writer, worker->block);
        worker->block = NULL;
    }
}

/* Notes where the batch that was just inserted ends in the log. Call with the mutex held. */
static void note_batch_end(struct pipeline *pipeline) {
    /* When there is no entry left, the newest one stands for this batch too: it is then said to be
     * stored a little later than it is, never earlier. */
    if (pipeline->end_count < BATCH_END_CAPACITY) {
        pipeline->end_count++;
    }
    pipeline->ends[pipeline->end_count - 1] = (struct batch_end){
        .batch = pipeline->inserted_batch,
        .position = log_writer_submitted_position(pipeline->configuration.writer)};
}

/* The last worker to finish a batch frees its stage. */
static void finish_batch(struct pipeline *pipeline) {
    (void)pthread_mutex_lock(&pipeline->mutex);
    pipeline->busy_worker_count--;
    bool is_last = pipeline->busy_worker_count == 0;
    if (is_last) {
        dedup_stage_clear(pipeline->inserting_stage);
        pipeline->inserted_batch = pipeline->inserting_batch;
        note_batch_end(pipeline);
    }
    (void)pthread_mutex_unlock(&pipeline->mutex);
    if (is_last) {
        wakeup_signal(pipeline->configuration.progress);
    }
}

/* Waits for a batch after the one given; NULL when there will be none. */
static const struct dedup_stage *wait_for_batch(struct pipeline *pipeline, uint64_t *batch) {
    const struct dedup_stage *stage = NULL;
    (void)pthread_mutex_lock(&pipeline->mutex);
    while (pipeline->inserting_batch == *batch && !pipeline->is_stopping) {
        (void)pthread_cond_wait(&pipeline->batch_arrived, &pipeline->mutex);
    }
    if (pipeline->inserting_batch != *batch) {
        *batch = pipeline->inserting_batch;
        stage = pipeline->inserting_stage;
    }
    (void)pthread_mutex_unlock(&pipeline->mutex);
    return stage;
}

static void *run_worker(void *context) {
    struct pipeline *pipeline = context;
    /* Workers are numbered by the order in which they get here; only their scratch differs. */
    size_t worker_index = atomic_fetch_add(&pipeline->next_worker_index, 1);
    struct worker worker = {
        .pipeline = pipeline,
        .new_numbers = pipeline->scratch_numbers + worker_index * pipeline->bucket_capacity,
    };
    uint64_t batch = 0;
    const struct dedup_stage *stage;
    while ((stage = wait_for_batch(pipeline, &batch)) != NULL) {
        insert_buckets(&worker, stage);
        finish_batch(pipeline);
    }
    return NULL;
}

static int allocate(struct pipeline *pipeline) {
    pipeline->bucket_capacity = dedup_stage_capacity_for_size(STAGE_SIZE);
    size_t scratch_size =
        pipeline->bucket_capacity * sizeof(uint32_t) * pipeline->configuration.worker_count;
    pipeline->memory_size = STAGE_COUNT * STAGE_SIZE + scratch_size;
    pipeline->memory = os_map_memory(pipeline->memory_size);
    if (pipeline->memory == NULL) {
        return -ENOMEM;
    }
    char *memory = pipeline->memory;
    for (size_t index = 0; index < STAGE_COUNT; index++) {
        dedup_stage_init(&pipeline->stages[index], memory + index * STAGE_SIZE,
                         pipeline->bucket_capacity);
    }
    pipeline->scratch_numbers = (uint32_t *)(void *)(memory + STAGE_COUNT * STAGE_SIZE);
    return 0;
}

static int start_workers(struct pipeline *pipeline) {
    for (size_t index = 0; index < pipeline->configuration.worker_count; index++) {
        int error = os_thread_create(&pipeline->workers[index], "worker", run_worker, pipeline);
        if (error != 0) {
            return error;
        }
        pipeline->started_worker_count++;
    }
    return 0;
}

int pipeline_init(struct pipeline *pipeline, const struct pipeline_configuration *configuration) {
    *pipeline = (struct pipeline){.configuration = *configuration};
    int error = -pthread_mutex_init(&pipeline->mutex, NULL);
    if (error != 0) {
        return error;
    }
    error = -pthread_cond_init(&pipeline->batch_arrived, NULL);
    if (error != 0) {
        (void)pthread_mutex_destroy(&pipeline->mutex);
        return error;
    }
    error = allocate(pipeline);
    if (error == 0) {
        error = start_workers(pipeline);
    }
    if (error != 0) {
        pipeline_destroy(pipeline);
    }
    return error;
}

void pipeline_destroy(struct pipeline *pipeline) {
    (void)pthread_mutex_lock(&pipeline->mutex);
    pipeline->is_stopping = true;
    (void)pthread_cond_broadcast(&pipeline->batch_arrived);
    (void)pthread_mutex_unlock(&pipeline->mutex);
    for (size_t index = 0; index < pipeline->started_worker_count; index++) {
        (void)pthread_join(pipeline->workers[index], NULL);
    }
    (void)pthread_cond_destroy(&pipeline->batch_arrived);
    (void)pthread_mutex_destroy(&pipeline->mutex);
    if (pipeline->memory != NULL) {
        os_unmap_memory(pipeline->memory, pipeline->memory_size);
    }
}

/* Hands the filling stage to the workers if they are free; the other one then is the filling
 * one. */
static bool try_hand_over(struct pipeline *pipeline) {
    (void)pthread_mutex_lock(&pipeline->mutex);
    bool is_free = pipeline->inserted_batch == pipeline->inserting_batch;
    if (is_free) {
        pipeline->inserting_stage = &pipeline->stages[pipeline->filling_index];
        pipeline->inserting_batch++;
        pipeline->busy_worker_count = pipeline->configuration.worker_count;
        atomic_store_explicit(&pipeline->next_bucket_index, 0, memory_order_relaxed);
        (void)pthread_cond_broadcast(&pipeline->batch_arrived);
        pipeline->handed_over_batch = pipeline->inserting_batch;
        pipeline->filling_index = (pipeline->filling_index + 1) % STAGE_COUNT;
        pipeline->is_hand_over_wanted = false;
    }
    (void)pthread_mutex_unlock(&pipeline->mutex);
    return is_free;
}

size_t pipeline_add(struct pipeline *pipeline, const uint32_t *numbers, size_t count,
                    int64_t now_ms) {
    size_t taken_count = 0;
    while (taken_count < count) {
        struct dedup_stage *stage = &pipeline->stages[pipeline->filling_index];
        if (dedup_stage_count(stage) == 0) {
            pipeline->filling_since_ms = now_ms;
        }
        taken_count += dedup_stage_add(stage, numbers + taken_count, count - taken_count);
        if (taken_count < count && !try_hand_over(pipeline)) {
            pipeline->is_hand_over_wanted = true;
            break;
        }
    }
    return taken_count;
}

static size_t filling_count(const struct pipeline *pipeline) {
    return dedup_stage_count(&pipeline->stages[pipeline->filling_index]);
}

void pipeline_set_loading(struct pipeline *pipeline, bool is_loading) {
    pipeline->is_loading = is_loading;
    atomic_store(&pipeline->repeated_count, 0);
}

uint64_t pipeline_repeated_count(const struct pipeline *pipeline) {
    return atomic_load(&pipeline->repeated_count);
}

uint64_t pipeline_hand_over(struct pipeline *pipeline) {
    if (filling_count(pipeline) == 0) {
        return pipeline->handed_over_batch;
    }
    uint64_t batch = pipeline->handed_over_batch + 1;
    if (!try_hand_over(pipeline)) {
        pipeline->is_hand_over_wanted = true;
    }
    return batch;
}

int64_t pipeline_deadline_ms(const struct pipeline *pipeline) {
    size_t count = filling_count(pipeline);
    if (count == 0 || pipeline->is_hand_over_wanted) {
        return INT64_MAX; /* nothing to hand over, or `progress` will tell when it can be done */
    }
    bool is_light = count < STAGE_LIGHT_COUNT;
    return pipeline->filling_since_ms + (is_light ? STAGE_AGE_LIGHT_MS : STAGE_AGE_MAX_MS);
}

void pipeline_run(struct pipeline *pipeline, int64_t now_ms) {
    bool is_due = now_ms >= pipeline_deadline_ms(pipeline);
    if (is_due || pipeline->is_hand_over_wanted) {
        pipeline->is_hand_over_wanted = !try_hand_over(pipeline);
    }
}

uint64_t pipeline_stored_batch(struct pipeline *pipeline) {
    uint64_t stored_position = log_writer_stored_position(pipeline->configuration.writer);
    (void)pthread_mutex_lock(&pipeline->mutex);
    size_t stored_count = 0;
    while (stored_count < pipeline->end_count &&
           pipeline->ends[stored_count].position <= stored_position) {
        pipeline->stored_batch = pipeline->ends[stored_count].batch;
        stored_count++;
    }
    pipeline->end_count -= stored_count;
    for (size_t index = 0; index < pipeline->end_count; index++) {
        pipeline->ends[index] = pipeline->ends[index + stored_count];
    }
    uint64_t stored_batch = pipeline->stored_batch;
    (void)pthread_mutex_unlock(&pipeline->mutex);
    return stored_batch;
}

uint64_t pipeline_unstored_count(struct pipeline *pipeline) {
    /* In this order: what is stored by now is counted among what is read after it. */
    uint64_t stored_count = log_writer_stored_position(pipeline->configuration.writer) / LINE_SIZE;
    uint64_t count = filling_count(pipeline);
    (void)pthread_mutex_lock(&pipeline->mutex);
    if (pipeline->inserted_batch != pipeline->inserting_batch) {
        count += dedup_stage_count(pipeline->inserting_stage);
    }
    (void)pthread_mutex_unlock(&pipeline->mutex);
    return count + atomic_load(&pipeline->configuration.tally->unique_count) - stored_count;
}

double pipeline_stage_fill(const struct pipeline *pipeline) {
    return (double)filling_count(pipeline) /
           (double)(pipeline->bucket_capacity * DEDUP_BUCKET_COUNT);
}

bool pipeline_is_drained(struct pipeline *pipeline) {
    (void)pthread_mutex_lock(&pipeline->mutex);
    bool is_drained =
        filling_count(pipeline) == 0 && pipeline->inserted_batch == pipeline->inserting_batch;
    (void)pthread_mutex_unlock(&pipeline->mutex);
    return is_drained;
}
