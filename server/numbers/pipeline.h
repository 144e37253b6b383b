/*
 * From parsed numbers to formatted lines: stages, workers, blocks.
 *
 * DESIGN. Updating a random bit of the 125 MB map costs a cache miss. So the loop's thread first
 * sorts numbers into a stage by the piece of the map they belong to (dedup/stage.h), and workers
 * insert a whole stage later, piece by piece, each piece in the cache by then. There are two
 * stages:
 *
 *   - The filling one is the loop thread's. pipeline_add puts numbers in.
 *
 *   - The inserting one is the workers'. They share out its buckets among themselves (distinct
 *     buckets touch distinct memory of the map, so nothing is locked), write each bucket's new
 *     numbers as lines into a block, and submit the blocks to the log writer.
 *
 * They change places when the filling stage is full, or old enough, or a client waits for its
 * numbers to be stored - provided the workers are done with the other one. Otherwise the filling
 * stage goes on filling; and when it is full, pipeline_add takes no more until the workers are
 * done: that is the back-pressure, which reaches the clients because the loop stops reading.
 *
 * Each stage handed over is a batch, numbered from 1. A batch is stored when every line of it and
 * of the batches before it has reached the log under the durability policy.
 *
 * Threading: all functions belong to the loop's thread. `progress` is signalled when the workers
 * are done with a batch. Workers count into the tally.
 */
#ifndef SERVER_NUMBERS_PIPELINE_H_
#define SERVER_NUMBERS_PIPELINE_H_

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dedup/dedup_map.h"
#include "dedup/stage.h"
#include "formatter/number_formatter.h"
#include "server/numbers/limits.h"
#include "server/numbers/log/log_writer.h"
#include "server/numbers/tally.h"
#include "server/runtime/atomics.h"
#include "server/runtime/wakeup.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pipeline_configuration {
    struct dedup_map *map;
    const struct number_formatter *formatter;
    struct log_writer *writer;
    struct tally *tally;
    const struct wakeup *progress;
    size_t worker_count; /* 1 to WORKER_COUNT_MAX */
};

/* Where a batch ends in the log writer's count of bytes. */
struct batch_end {
    uint64_t batch;
    uint64_t position;
};

/* Batches follow each other by 10 ms at the least (STAGE_AGE_LIGHT_MS) unless clients end, and are
 * mostly stored within a few of them; where more wait, they are confirmed together. */
enum { BATCH_END_CAPACITY = 8 };

struct pipeline {
    struct pipeline_configuration configuration;
    void *memory; /* of both stages, then of the workers' scratch numbers */
    size_t memory_size;
    uint32_t *scratch_numbers; /* worker_count times bucket_capacity */
    size_t bucket_capacity;
    struct dedup_stage stages[STAGE_COUNT];

    /* The loop thread's. */
    size_t filling_index;
    uint64_t handed_over_batch; /* the last one */
    int64_t filling_since_ms;   /* when the filling stage got its first number */
    bool is_hand_over_wanted;   /* as soon as the other stage is free */

    pthread_mutex_t mutex; /* guards what follows, up to the atomics */
    pthread_cond_t batch_arrived;
    uint64_t inserting_batch; /* the batch to work on; more than inserted_batch while at work */
    uint64_t inserted_batch;  /* the workers are done with it */
    size_t busy_worker_count;
    struct dedup_stage *inserting_stage;
    struct batch_end ends[BATCH_END_CAPACITY]; /* of inserted batches not known to be stored */
    size_t end_count;
    uint64_t stored_batch;
    bool is_stopping;
    bool is_loading; /* set while nothing is inside */

    ATOMIC_FIELD(uint64_t) repeated_count;  /* while loading */
    ATOMIC_FIELD(size_t) next_bucket_index; /* the next one that no worker has taken */
    ATOMIC_FIELD(size_t) next_worker_index; /* numbers the workers, for their scratch memory */

    pthread_t workers[WORKER_COUNT_MAX];
    size_t started_worker_count;
};

/* Takes the memory and starts the workers. 0, or a negative errno value with nothing left over. */
int pipeline_init(struct pipeline *pipeline, const struct pipeline_configuration *configuration);

/* Ends the workers, after the batch they are at, and gives the memory back. */
void pipeline_destroy(struct pipeline *pipeline);

/* Adds numbers and returns how many were taken. Fewer than count: both stages are full; go on with
 * the rest after the next `progress`. */
size_t pipeline_add(struct pipeline *pipeline, const uint32_t *numbers, size_t count,
                    int64_t now_ms);

/* From now on, or no longer, what is added is what a log holds already: it is inserted, and neither
 * written nor counted. Only while nothing is inside. */
void pipeline_set_loading(struct pipeline *pipeline, bool is_loading);

/* How many of the numbers added so since then were there before. Counted when nothing is inside. */
uint64_t pipeline_repeated_count(const struct pipeline *pipeline);

/* Asks for all that was added to be handed over as soon as possible, and returns the batch that it
 * will be stored with. */
uint64_t pipeline_hand_over(struct pipeline *pipeline);

/* Does what has become due: call it after `progress` and when pipeline_deadline_ms has come. */
void pipeline_run(struct pipeline *pipeline, int64_t now_ms);

/* When pipeline_run is to be called next, or INT64_MAX: not before the next event. */
int64_t pipeline_deadline_ms(const struct pipeline *pipeline);

/* The last batch that is stored. */
uint64_t pipeline_stored_batch(struct pipeline *pipeline);

/* At most so many of the numbers added are not stored: those of the stages count, duplicates
 * too. */
uint64_t pipeline_unstored_count(struct pipeline *pipeline);

/* How full the stage is that numbers are added to, from 0 to 1. */
double pipeline_stage_fill(const struct pipeline *pipeline);

/* Whether everything added has been inserted, formatted, and submitted to the log writer. */
bool pipeline_is_drained(struct pipeline *pipeline);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_NUMBERS_PIPELINE_H_ */
