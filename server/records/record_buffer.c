#include "server/records/record_buffer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "server/records/record_buffer_parts.h"

static size_t choose_arena_size(size_t capacity) {
    size_t size = capacity * RECORDS_ARENA_SIZE_PER_RECORD;
    if (size < RECORDS_ARENA_SIZE_MIN) {
        return RECORDS_ARENA_SIZE_MIN;
    }
    return size < RECORDS_ARENA_SIZE_MAX ? size : RECORDS_ARENA_SIZE_MAX;
}

static void free_memory(struct record_buffer *buffer) {
    free(buffer->lines);
    free(buffer->states);
    free(buffer->senders);
    free(buffer->arena);
    *buffer = (struct record_buffer){0};
}

int record_buffer_init(struct record_buffer *buffer, size_t capacity,
                       const struct wakeup *progress) {
    *buffer = (struct record_buffer){
        .capacity = capacity,
        .progress = progress,
    };
    buffer->arena_size = choose_arena_size(capacity);
    buffer->lines = calloc(capacity, sizeof *buffer->lines);
    buffer->states = calloc(capacity, sizeof *buffer->states);
    buffer->senders = calloc(capacity, sizeof *buffer->senders);
    buffer->arena = malloc(buffer->arena_size);
    if (buffer->lines == NULL || buffer->states == NULL || buffer->senders == NULL ||
        buffer->arena == NULL) {
        free_memory(buffer);
        return -ENOMEM;
    }
    int error = pthread_mutex_init(&buffer->mutex, NULL);
    if (error != 0) {
        free_memory(buffer);
        return -error;
    }
    error = pthread_cond_init(&buffer->published, NULL);
    if (error != 0) {
        (void)pthread_mutex_destroy(&buffer->mutex);
        free_memory(buffer);
    }
    return -error;
}

void record_buffer_destroy(struct record_buffer *buffer) {
    (void)pthread_cond_destroy(&buffer->published);
    (void)pthread_mutex_destroy(&buffer->mutex);
    free_memory(buffer);
}

/* Finds a piece of the arena with `size_min` bytes or more. Returns its size and sets its offset,
 * or returns 0. What is in use lies between the oldest line and the head, perhaps around the end.
 */
static size_t find_room(const struct record_buffer *buffer, size_t size_min, size_t *offset) {
    *offset = 0;
    if (buffer->known_released_position == buffer->pushed_position) {
        return size_min <= buffer->arena_size ? buffer->arena_size : 0;
    }
    size_t oldest = place_of(buffer, buffer->known_released_position);
    size_t tail = (size_t)(buffer->lines[oldest].bytes - buffer->arena);
    size_t room_size = tail; /* in front of what is in use */
    if (buffer->arena_head <= tail) {
        *offset = buffer->arena_head;
        room_size = tail - buffer->arena_head;
    } else if (buffer->arena_size - buffer->arena_head >= size_min) {
        *offset = buffer->arena_head;
        room_size = buffer->arena_size - buffer->arena_head;
    }
    return room_size >= size_min ? room_size : 0;
}

static bool reserve_if_room(struct record_buffer *buffer, size_t size_min,
                            struct record_lines *room) {
    uint64_t used_count = buffer->pushed_position - buffer->known_released_position;
    size_t free_count = buffer->capacity - (size_t)used_count;
    size_t place = place_of(buffer, buffer->pushed_position);
    size_t offset;
    size_t size = free_count == 0 ? 0 : find_room(buffer, size_min, &offset);
    if (size == 0) {
        return false;
    }
    size_t count_to_end = buffer->capacity - place;
    *room = (struct record_lines){
        .bytes = buffer->arena + offset,
        .capacity = size,
        .lines = &buffer->lines[place],
        .line_capacity = free_count < count_to_end ? free_count : count_to_end,
    };
    return true;
}

bool record_buffer_reserve(struct record_buffer *buffer, size_t size_min,
                           struct record_lines *room) {
    if (reserve_if_room(buffer, size_min, room)) {
        return true;
    }
    /* What the writers are to make room from must be visible to them. */
    record_buffer_publish(buffer);
    return reserve_if_room(buffer, size_min, room);
}

void record_buffer_commit(struct record_buffer *buffer, const struct record_lines *room) {
    if (room->count > 0) {
        size_t place = place_of(buffer, buffer->pushed_position);
        memset(&buffer->states[place], STATE_WAITING, room->count);
        for (size_t index = 0; index < room->count; index++) {
            buffer->senders[place + index] = buffer->sender;
        }
        buffer->arena_head = (size_t)(room->bytes - buffer->arena) + room->size;
        buffer->pushed_position += room->count;
    }
}

bool record_buffer_push(struct record_buffer *buffer, const struct record *record) {
    struct record_lines room;
    if (!record_buffer_reserve(buffer, record_lines_size_of(record), &room)) {
        return false;
    }
    (void)record_lines_append(&room, record);
    record_buffer_commit(buffer, &room);
    return true;
}

void record_buffer_publish(struct record_buffer *buffer) {
    (void)pthread_mutex_lock(&buffer->mutex);
    bool is_new = buffer->published_position != buffer->pushed_position;
    buffer->published_position = buffer->pushed_position;
    buffer->known_released_position = buffer->released_position;
    (void)pthread_mutex_unlock(&buffer->mutex);
    if (is_new) {
        (void)pthread_cond_signal(&buffer->published);
    }
}

bool record_buffer_await_progress(struct record_buffer *buffer, uint64_t seen) {
    (void)pthread_mutex_lock(&buffer->mutex);
    /* Under the lock no batch is stored between the look and the request. */
    bool has_progress = buffer->released_position != seen;
    buffer->is_progress_wanted = !has_progress;
    (void)pthread_mutex_unlock(&buffer->mutex);
    return has_progress;
}

void record_buffer_close(struct record_buffer *buffer) {
    record_buffer_publish(buffer);
    (void)pthread_mutex_lock(&buffer->mutex);
    buffer->is_closed = true;
    (void)pthread_mutex_unlock(&buffer->mutex);
    (void)pthread_cond_broadcast(&buffer->published);
}

static uint64_t waiting_count_of(const struct record_buffer *buffer) {
    return buffer->published_position - buffer->taken_position;
}

static bool has_records(const struct record_buffer *buffer) {
    return waiting_count_of(buffer) > 0 || buffer->given_back_count > 0;
}

bool record_buffer_await_records(struct record_buffer *buffer) {
    (void)pthread_mutex_lock(&buffer->mutex);
    while (!has_records(buffer) && !buffer->is_closed) {
        (void)pthread_cond_wait(&buffer->published, &buffer->mutex);
    }
    bool can_take = has_records(buffer);
    (void)pthread_mutex_unlock(&buffer->mutex);
    return can_take;
}

void record_buffer_pass_on(struct record_buffer *buffer) {
    (void)pthread_cond_signal(&buffer->published);
}

static struct record_slot *find_slot(struct record_buffer *buffer, enum record_slot_state state) {
    size_t index = 0;
    while (buffer->slots[index].state != state) {
        index++;
    }
    return &buffer->slots[index];
}

/* Fills a free slot, of which there is one for each writer, with records that wait. */
static struct record_slot *fill_slot(struct record_buffer *buffer, size_t count_max) {
    struct record_slot *slot = find_slot(buffer, RECORD_SLOT_FREE);
    size_t slot_index = (size_t)(slot - buffer->slots);
    size_t place = place_of(buffer, buffer->taken_position);
    uint64_t waiting_count = waiting_count_of(buffer);
    size_t count = waiting_count < count_max ? (size_t)waiting_count : count_max;
    if (count > buffer->capacity - place) {
        /* A batch is one piece; the rest begins at the first place again. */
        count = buffer->capacity - place;
    }
    slot->batch = (struct record_batch){.lines = &buffer->lines[place],
                                        .count = count,
                                        .slot_index = slot_index,
                                        .sequence = slot->batch.sequence + 1,
                                        .position = buffer->taken_position};
    memset(&buffer->states[place], (int)slot_index, count);
    buffer->taken_position += count;
    return slot;
}

bool record_buffer_take(struct record_buffer *buffer, size_t count_max,
                        struct record_batch *batch) {
    struct record_slot *slot = NULL;
    (void)pthread_mutex_lock(&buffer->mutex);
    if (buffer->given_back_count > 0) {
        slot = find_slot(buffer, RECORD_SLOT_GIVEN_BACK);
        buffer->given_back_count--;
    } else if (waiting_count_of(buffer) > 0) {
        slot = fill_slot(buffer, count_max);
    }
    if (slot != NULL) {
        slot->state = RECORD_SLOT_TAKEN;
        *batch = slot->batch;
    }
    bool is_more_left = has_records(buffer);
    (void)pthread_mutex_unlock(&buffer->mutex);
    if (is_more_left) {
        (void)pthread_cond_signal(&buffer->published);
    }
    return slot != NULL;
}

void record_buffer_give_back(struct record_buffer *buffer, const struct record_batch *batch) {
    (void)pthread_mutex_lock(&buffer->mutex);
    buffer->slots[batch->slot_index].state = RECORD_SLOT_GIVEN_BACK;
    buffer->given_back_count++;
    (void)pthread_mutex_unlock(&buffer->mutex);
    (void)pthread_cond_signal(&buffer->published);
}

void record_buffer_begin_sender(struct record_buffer *buffer, uint16_t sender) {
    (void)pthread_mutex_lock(&buffer->mutex);
    buffer->sender_counts[sender] = (struct record_sender){.begin = buffer->pushed_position};
    (void)pthread_mutex_unlock(&buffer->mutex);
}

uint64_t record_buffer_refused_count(struct record_buffer *buffer, uint16_t sender) {
    (void)pthread_mutex_lock(&buffer->mutex);
    uint64_t count = buffer->sender_counts[sender].refused_count;
    (void)pthread_mutex_unlock(&buffer->mutex);
    return count;
}

void record_buffer_note_refusal(struct record_buffer *buffer, const struct record_batch *batch,
                                size_t index) {
    uint64_t position = batch->position + index;
    (void)pthread_mutex_lock(&buffer->mutex);
    struct record_sender *sender =
        &buffer->sender_counts[buffer->senders[place_of(buffer, position)]];
    /* A number is used again, perhaps before all of the last one's records are stored. */
    sender->refused_count += position >= sender->begin ? 1 : 0;
    buffer->refused_count++;
    (void)pthread_mutex_unlock(&buffer->mutex);
}

uint64_t record_buffer_total_refused_count(struct record_buffer *buffer) {
    (void)pthread_mutex_lock(&buffer->mutex);
    uint64_t count = buffer->refused_count;
    (void)pthread_mutex_unlock(&buffer->mutex);
    return count;
}

void record_buffer_finish(struct record_buffer *buffer, const struct record_batch *batch) {
    (void)pthread_mutex_lock(&buffer->mutex);
    buffer->slots[batch->slot_index].state = RECORD_SLOT_FREE;
    uint64_t released_before = buffer->released_position;
    uint64_t released_position = released_before;
    if (batch->position == released_position) {
        released_position += batch->count;
    } else {
        memset(&buffer->states[place_of(buffer, batch->position)], STATE_STORED, batch->count);
    }
    /* What others have stored before it was the turn of their places. */
    while (released_position != buffer->taken_position &&
           buffer->states[place_of(buffer, released_position)] == STATE_STORED) {
        released_position++;
    }
    buffer->released_position = released_position;
    bool is_signalled = buffer->is_progress_wanted && released_position != released_before;
    buffer->is_progress_wanted = buffer->is_progress_wanted && !is_signalled;
    (void)pthread_mutex_unlock(&buffer->mutex);
    if (is_signalled && buffer->progress != NULL) {
        wakeup_signal(buffer->progress);
    }
}

uint64_t record_buffer_stored_position(struct record_buffer *buffer) {
    (void)pthread_mutex_lock(&buffer->mutex);
    uint64_t position = buffer->released_position;
    (void)pthread_mutex_unlock(&buffer->mutex);
    return position;
}

size_t record_buffer_count(struct record_buffer *buffer) {
    (void)pthread_mutex_lock(&buffer->mutex);
    size_t count = 0;
    uint64_t end = buffer->published_position;
    for (uint64_t at = buffer->released_position; at != end; at++) {
        count += buffer->states[place_of(buffer, at)] != STATE_STORED;
    }
    (void)pthread_mutex_unlock(&buffer->mutex);
    return count;
}
