/*
 * The bounded buffer between the connections and the store.
 *
 * DESIGN. A record is put in by the one producer, as a line of JSON (record_lines.h), and stays
 * until it is in the store: waiting, then taken by a writer as part of a batch, then
 * stored. A batch has a number of its own, counted per writer, and keeps it for every attempt to
 * store it, so that a store can tell a second attempt from a new batch. Places become free in the
 * order in which they were filled. When the places or the bytes set aside for texts are used up,
 * the buffer is full and the producer has to wait, for a moment or for a wakeup that it asks for.
 *
 * Ownership: the texts of records in the buffer belong to the buffer. Those of a taken batch do not
 * move until record_buffer_finish. All memory is allocated by record_buffer_init.
 *
 * Threading: push, reserve, commit, publish, close, await_progress belong to one thread, the
 * producer. take and finish are called by the writers, each with its own index; copy and the counts
 * by anyone.
 */
#ifndef SERVER_RECORDS_RECORD_BUFFER_H_
#define SERVER_RECORDS_RECORD_BUFFER_H_

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/records/limits.h"
#include "server/records/record.h"
#include "server/records/record_lines.h"
#include "server/runtime/atomics.h"
#include "server/runtime/wakeup.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The writer_index of a record that no writer has taken. */
enum { RECORD_NOT_TAKEN = RECORDS_WORKERS_MAX };

struct record_batch {
    const struct record_line *lines; /* a record each */
    size_t count;
    size_t writer_index;
    uint64_t sequence; /* 1, 2, 3 … for each writer */
    uint64_t position; /* of the first record, counted from the start */
};

struct record_buffer {
    size_t capacity;
    size_t arena_size;
    /* Of each of the capacity places, which are used in a circle: */
    struct record_line *lines;
    uint8_t *states; /* a writer's index, or one of the states in the .c */
    char *arena;     /* lines and texts, in a circle too, each record's in one piece */
    const struct wakeup *progress;
    bool spins; /* whether it pays to look again before going to sleep */

    /* The producer's. */
    uint64_t pushed_position;
    uint64_t known_released_position;
    size_t arena_head;
    uint64_t awaited_position; /* the last one waited for in vain; UINT64_MAX: none */

    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t published;
    uint64_t taken_position; /* records below it were taken */
    uint64_t sequences[RECORDS_WORKERS_MAX];
    bool is_closed;
    bool is_progress_wanted;
    bool is_writer_spinning;
    /* Written under the mutex, looked at without it too. */
    ATOMIC_FIELD(uint64_t) published_position; /* records below it may be taken */
    ATOMIC_FIELD(uint64_t) released_position;  /* records below it are stored, their places free */
};

/* 0, or a negative errno value with nothing left over. `progress` may be NULL. */
int record_buffer_init(struct record_buffer *buffer, size_t capacity,
                       const struct wakeup *progress);
void record_buffer_destroy(struct record_buffer *buffer);

/* Copies a record in. False: the buffer is full. */
bool record_buffer_push(struct record_buffer *buffer, const struct record *record);

/* Lends the room for at least one record and `size_min` bytes. What is appended there is in the
 * buffer after record_buffer_commit. False: the buffer is full, as above. */
bool record_buffer_reserve(struct record_buffer *buffer, size_t size_min,
                           struct record_lines *room);
void record_buffer_commit(struct record_buffer *buffer, const struct record_lines *room);

/* Lets the writers see all records pushed so far. Returns the position behind them. */
uint64_t record_buffer_publish(struct record_buffer *buffer);

/* Waits a moment for the stored position to go beyond `seen`, a position asked for earlier. True:
 * it has. False: it has not, and there will be one signal of `progress` as soon as it does. */
bool record_buffer_await_progress(struct record_buffer *buffer, uint64_t seen);

/* Says that nothing will be pushed any more. */
void record_buffer_close(struct record_buffer *buffer);

/* Waits for records and takes up to count_max (at least 1) of them. False: the buffer is closed and
 * nothing is left to take. */
bool record_buffer_take(struct record_buffer *buffer, size_t writer_index, size_t count_max,
                        struct record_batch *batch);

/* Says that the batch is in the store. */
void record_buffer_finish(struct record_buffer *buffer, const struct record_batch *batch);

/* All records below this position are in the store. */
uint64_t record_buffer_stored_position(struct record_buffer *buffer);

/* Records that are not in the store, as far as the buffer knows. */
size_t record_buffer_count(struct record_buffer *buffer);

/* A record as it was in the buffer. A record that a writer has taken may have reached the store
 * without the writer knowing yet: its batch is named, so that the store can be asked. */
struct buffered_record {
    struct record record;
    size_t writer_index; /* or RECORD_NOT_TAKEN */
    uint64_t sequence;
};

struct buffered_records {
    struct buffered_record *records;
    size_t count;
    char *texts;
};

/* Copies the records that are not in the store, oldest first. 0, or -ENOMEM. */
int record_buffer_copy(struct record_buffer *buffer, struct buffered_records *copy);
void buffered_records_destroy(struct buffered_records *copy);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RECORDS_RECORD_BUFFER_H_ */
