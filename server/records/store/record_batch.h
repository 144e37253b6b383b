/*
 * What is stored in one transaction.
 *
 * A batch keeps its slot and its sequence for every attempt to store it, whichever writer makes it,
 * so that a store can tell another attempt from a new batch: in each slot there is one batch at a
 * time, and the next one in it has the next sequence.
 *
 * Ownership: the lines are the buffer's. Threading: a batch belongs to one writer at a time.
 */
#ifndef SERVER_RECORDS_STORE_RECORD_BATCH_H_
#define SERVER_RECORDS_STORE_RECORD_BATCH_H_

#include <stddef.h>
#include <stdint.h>

#include "server/records/json/record_line.h"

struct record_batch {
    const struct record_line *lines; /* a record each */
    size_t count;
    size_t slot_index;
    uint64_t sequence; /* 1, 2, 3 … in each slot */
    uint64_t position; /* of the first record, counted from the start */
};

#endif /* SERVER_RECORDS_STORE_RECORD_BATCH_H_ */
