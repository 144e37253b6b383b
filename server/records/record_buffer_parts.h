/*
 * What the files of the record buffer share beside its struct. Nobody else's business.
 *
 * Threading: see record_buffer.h.
 */
#ifndef SERVER_RECORDS_RECORD_BUFFER_PARTS_H_
#define SERVER_RECORDS_RECORD_BUFFER_PARTS_H_

#include <assert.h>

#include "server/records/record_buffer.h"

/* The states of a place, beside the index of the slot that has taken it. */
enum { STATE_WAITING = RECORD_NOT_TAKEN, STATE_STORED };

static_assert(STATE_STORED <= UINT8_MAX, "a state is one byte");

static inline size_t place_of(const struct record_buffer *buffer, uint64_t position) {
    return (size_t)(position % buffer->capacity);
}

static inline size_t texts_size(const struct record_line *line) {
    return (size_t)line->id_size + line->name_size + line->age_size;
}

#endif /* SERVER_RECORDS_RECORD_BUFFER_PARTS_H_ */
