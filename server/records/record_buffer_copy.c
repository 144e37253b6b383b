/* The records that queries see before the store does. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "server/records/record_buffer_parts.h"

static struct record_text copy_text(char **at, struct record_text text) {
    struct record_text copy = {.bytes = *at, .size = text.size};
    memcpy(*at, text.bytes, text.size);
    *at += text.size;
    return copy;
}

/* Whether the record of a place is to be copied. */
static bool is_asked_for(const struct record_buffer *buffer, size_t place,
                         const struct record_text *id) {
    const struct record_line *line = &buffer->lines[place];
    return buffer->states[place] != STATE_STORED &&
           (id == NULL ||
            (line->id_size == id->size && record_text_equals(record_line_read(line).id, *id)));
}

static void copy_records(struct record_buffer *buffer, const struct record_text *id,
                         struct buffered_records *copy) {
    char *at = copy->texts;
    uint64_t end = buffer->published_position;
    for (uint64_t position = buffer->released_position; position != end; position++) {
        size_t place = place_of(buffer, position);
        if (!is_asked_for(buffer, place, id)) {
            continue;
        }
        uint8_t state = buffer->states[place];
        struct record record = record_line_read(&buffer->lines[place]);
        copy->records[copy->count++] = (struct buffered_record){
            .record = {copy_text(&at, record.id), copy_text(&at, record.name),
                       copy_text(&at, record.age)},
            .slot_index = state,
            .sequence = state == STATE_WAITING ? 0 : buffer->slots[state].batch.sequence,
        };
    }
}

/* Counts what is to be copied, and allocates for it; for nothing nothing. False: no memory. */
static bool allocate_copy(struct record_buffer *buffer, const struct record_text *id,
                          struct buffered_records *copy) {
    size_t count = 0;
    size_t total_size = 0;
    for (uint64_t at = buffer->released_position; at != buffer->published_position; at++) {
        size_t place = place_of(buffer, at);
        if (is_asked_for(buffer, place, id)) {
            count++;
            total_size += texts_size(&buffer->lines[place]);
        }
    }
    if (count == 0) {
        return true;
    }
    copy->records = malloc(count * sizeof *copy->records);
    copy->texts = malloc(total_size + 1);
    return copy->records != NULL && copy->texts != NULL;
}

int record_buffer_copy(struct record_buffer *buffer, const struct record_text *id,
                       struct buffered_records *copy) {
    *copy = (struct buffered_records){0};
    (void)pthread_mutex_lock(&buffer->mutex);
    bool has_memory = allocate_copy(buffer, id, copy);
    if (has_memory && copy->records != NULL) {
        copy_records(buffer, id, copy);
    }
    (void)pthread_mutex_unlock(&buffer->mutex);
    if (!has_memory) {
        buffered_records_destroy(copy);
        return -ENOMEM;
    }
    return 0;
}

void buffered_records_destroy(struct buffered_records *copy) {
    free(copy->records);
    free(copy->texts);
    *copy = (struct buffered_records){0};
}
