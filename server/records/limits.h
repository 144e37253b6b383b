/*
 * Every limit of the records service, with its reason; those of a record and of a batch are in the
 * limits.h of json/ and store/.
 *
 * The limits are the back-pressure: what does not fit is not read from the socket, so that TCP
 * holds the sender back.
 */

#ifndef SERVER_RECORDS_LIMITS_H_
#define SERVER_RECORDS_LIMITS_H_

#include <assert.h>

#include "server/records/json/limits.h"
#include "server/records/store/limits.h"

enum {
    /* Bytes held for one ingest connection: a record that is not complete yet, and behind it room
     * for the next read, large because each read has its price. */
    RECORDS_INPUT_SIZE = 4 * RECORDS_RECORD_SIZE_MAX,

    /* The line that says how many records are stored, at its longest. */
    RECORDS_STORED_REPLY_SIZE_MAX = 40,

    /* Answers that wait for a sender to read them. A sender that reads none is not read from. */
    RECORDS_REPLIES_SIZE = 8 * RECORDS_ERROR_LINE_SIZE_MAX,

    /* What is read from each sender after the signal to stop: what the kernel may hold already. */
    RECORDS_LAST_READ_SIZE_MAX = 8 * 1024 * 1024,

    /* Senders at a time; --max-clients. */
    RECORDS_CLIENTS_DEFAULT = 1024,
    RECORDS_CLIENTS_MAX = 10 * 1000,

    /* A query's request line: an id may be nearly as long as a record. */
    RECORDS_REQUEST_SIZE_MAX = RECORDS_RECORD_SIZE_MAX,

    /* Queries at a time, waiting for their request, for a thread, or being answered. */
    RECORDS_QUERIES_MAX = 128,

    /* Of these the ones for more than a lookup by id, so that there are places for lookups. */
    RECORDS_LONG_QUERIES_MAX = 64,

    /* Threads that answer queries. A slow reader occupies one. */
    RECORDS_QUERY_THREADS = 8,

    /* So many of them answer nothing but lookups by id, which are short: slow readers never occupy
     * these. */
    RECORDS_LOOKUP_THREADS = 2,

    /* Open files and sockets beside the senders': the queries' sockets, a few for each connection
     * to the store, the listeners, and some to spare. */
    RECORDS_DESCRIPTORS_BESIDE_CLIENTS = 512,

    /* The most records that may be asked for with --queue-size, and what is set aside for their
     * texts: this much a record, but never less than the arena minimum or more than its maximum. */
    RECORDS_QUEUE_SIZE_MAX = 1000 * 1000,
    RECORDS_ARENA_SIZE_PER_RECORD = 512,
    RECORDS_ARENA_SIZE_MIN = 4 * RECORDS_RECORD_SIZE_MAX,
    RECORDS_ARENA_SIZE_MAX = 64 * 1024 * 1024,
};

/* A line is never longer than its record but by the overhead, because it escapes no more than JSON
 * must; the texts, which follow a line with escapes in it, are a part of the record. */
static_assert(RECORDS_ARENA_SIZE_MIN >=
                  (RECORDS_RECORD_SIZE_MAX + RECORDS_LINE_OVERHEAD) + RECORDS_RECORD_SIZE_MAX,
              "the line and the texts of any record must fit into an empty arena");
static_assert((int)RECORDS_INPUT_SIZE > (int)RECORDS_RECORD_SIZE_MAX,
              "a read must be possible behind an incomplete record");

static_assert(RECORDS_LOOKUP_THREADS < RECORDS_QUERY_THREADS &&
                  RECORDS_LONG_QUERIES_MAX < RECORDS_QUERIES_MAX,
              "threads and places must be left for the lookups and for the other queries");

#endif /* SERVER_RECORDS_LIMITS_H_ */
