/*
 * The bounded buffer between the connections and the store.
 *
 * DESIGN. A record is put in by the one producer, as a line of JSON (record_line.h), and stays
 * until it is in the store: waiting, then taken by a writer as part of a batch, then stored. A
 * writer that cannot store its batch may give it back, for whoever takes the next one. A batch lies
 * in a slot and has a number there, both of which it keeps until it is stored (record_batch.h).
 * Places become free in the order in which they were filled. When the places or the bytes set aside
 * for texts are used up, the buffer is full and the producer has to wait, for a wakeup that it asks
 * for.
 *
 * Ownership: the texts of records in the buffer belong to the buffer. Those of a taken batch do not
 * move until record_buffer_finish. All memory is allocated by record_buffer_init.
 *
 * Threading: the functions about a sender, push, reserve, commit, position, publish, close and
 * await_progress belong to one thread, the producer. await_records, pass_on, take, give_back,
 * note_refusal and finish are called by the writers, of which there are RECORDS_WORKERS_MAX at
 * most, each with one batch at a time; copy and the counts by anyone.
 */
#ifndef SERVER_RECORDS_RECORD_BUFFER_H_
#define SERVER_RECORDS_RECORD_BUFFER_H_

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/records/json/record.h"
#include "server/records/json/record_line.h"
#include "server/records/limits.h"
#include "server/records/store/record_batch.h"
#include "server/runtime/wakeup.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The slot_index of a record that no writer has taken. */
enum { RECORD_NOT_TAKEN = RECORDS_WORKERS_MAX };

enum record_slot_state { RECORD_SLOT_FREE, RECORD_SLOT_TAKEN, RECORD_SLOT_GIVEN_BACK };

struct record_slot {
    enum record_slot_state state;
    struct record_batch batch; /* the last one */
};

/* A sender's records, which lie among those of others, from `begin` on. */
struct record_sender {
    uint64_t begin;
    uint64_t refused_count; /* of them, by the store */
};

struct record_buffer {
    size_t capacity;
    size_t arena_size;
    /* Of each of the capacity places, which are used in a circle: */
    struct record_line *lines;
    uint8_t *states;   /* a slot's index, or one of the states in the .c */
    uint16_t *senders; /* whose record it is */
    char *arena;       /* lines and texts, in a circle too, each record's in one piece */
    const struct wakeup *progress;

    /* The producer's. */
    uint64_t pushed_position;
    uint64_t known_released_position;
    size_t arena_head;
    uint16_t sender;

    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t published;
    uint64_t published_position; /* records below it may be taken */
    uint64_t taken_position;     /* records below it were taken */
    uint64_t released_position;  /* records below it are stored, their places free */
    struct record_slot slots[RECORDS_WORKERS_MAX];
    size_t given_back_count;
    uint64_t refused_count;
    struct record_sender sender_counts[RECORDS_CLIENTS_MAX];
    bool is_closed;
    bool is_progress_wanted;
};

/* 0, or a negative errno value with nothing left over. `progress` may be NULL. */
int record_buffer_init(struct record_buffer *buffer, size_t capacity,
                       const struct wakeup *progress);
/* Does nothing to a zeroed buffer. */
void record_buffer_destroy(struct record_buffer *buffer);

/* Begins to count for a sender, who has a number below RECORDS_CLIENTS_MAX. */
void record_buffer_begin_sender(struct record_buffer *buffer, uint16_t sender);

/* Says whose records are pushed from now on. */
static inline void record_buffer_set_sender(struct record_buffer *buffer, uint16_t sender) {
    buffer->sender = sender;
}

/* How many of the records of a sender the store has refused so far. */
uint64_t record_buffer_refused_count(struct record_buffer *buffer, uint16_t sender);

/* Copies a record in. False: the buffer is full. */
bool record_buffer_push(struct record_buffer *buffer, const struct record *record);

/* Lends the room for at least one record and `size_min` bytes. What is appended there is in the
 * buffer after record_buffer_commit. False: the buffer is full, as above. */
bool record_buffer_reserve(struct record_buffer *buffer, size_t size_min,
                           struct record_lines *room);
void record_buffer_commit(struct record_buffer *buffer, const struct record_lines *room);

/* The position behind all records pushed so far. */
static inline uint64_t record_buffer_position(const struct record_buffer *buffer) {
    return buffer->pushed_position;
}

/* Lets the writers see all records pushed so far. */
void record_buffer_publish(struct record_buffer *buffer);

/* True: the stored position has gone beyond `seen`, a position asked for earlier. False: it has
 * not, and there will be one signal of `progress` as soon as it does. */
bool record_buffer_await_progress(struct record_buffer *buffer, uint64_t seen);

/* Says that nothing will be pushed any more. */
void record_buffer_close(struct record_buffer *buffer);

/* Waits until there are records to take. False: the buffer is closed and there are none. */
bool record_buffer_await_records(struct record_buffer *buffer);

/* Wakes another writer for them, by one that cannot take them now. */
void record_buffer_pass_on(struct record_buffer *buffer);

/* Takes a batch that was given back, as it is, or up to count_max (at least 1) records. False:
 * there are none. */
bool record_buffer_take(struct record_buffer *buffer, size_t count_max, struct record_batch *batch);

/* Gives the batch to whoever takes the next one. */
void record_buffer_give_back(struct record_buffer *buffer, const struct record_batch *batch);

/* Says that the store has refused the record at `index` in the batch for good; before finish. */
void record_buffer_note_refusal(struct record_buffer *buffer, const struct record_batch *batch,
                                size_t index);

/* How many records the store has refused so far, of all senders. */
uint64_t record_buffer_total_refused_count(struct record_buffer *buffer);

/* Says that the batch is in the store, but for what was refused of it. */
void record_buffer_finish(struct record_buffer *buffer, const struct record_batch *batch);

/* All records below this position are in the store. */
uint64_t record_buffer_stored_position(struct record_buffer *buffer);

/* Records that are not in the store, as far as the buffer knows. */
size_t record_buffer_count(struct record_buffer *buffer);

/* A record as it was in the buffer. A record that a writer has taken may have reached the store
 * without the writer knowing yet: its batch is named, so that the store can be asked. */
struct buffered_record {
    struct record record;
    size_t slot_index; /* or RECORD_NOT_TAKEN */
    uint64_t sequence;
};

struct buffered_records {
    struct buffered_record *records;
    size_t count;
    char *texts;
};

/* Copies the records that are not in the store, all or with `id` only those that have it, oldest
 * first. 0, or -ENOMEM. */
int record_buffer_copy(struct record_buffer *buffer, const struct record_text *id,
                       struct buffered_records *copy);
void buffered_records_destroy(struct buffered_records *copy);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RECORDS_RECORD_BUFFER_H_ */
