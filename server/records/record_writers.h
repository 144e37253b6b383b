/*
 * The threads that carry records from the buffer into the store.
 *
 * DESIGN. Each thread owns a store writer. It waits for records, connects, takes a batch, writes it
 * as one transaction, and only then tells the buffer. What it cannot write it gives back, so that a
 * writer which can be connected has it when others cannot, and tries again after a pause. While the
 * store is down the batches stay in the buffer, the buffer fills, and the senders wait; there is
 * one warning per period for all threads together.
 *
 * Between the success of a transaction and the buffer's hearing of it, a record is in both. Writing
 * and telling are therefore done inside a gate that a reader of both can hold for a moment: then no
 * transaction runs, and each record is in exactly one of them, or its batch is in doubt, which the
 * store's reader can settle.
 *
 * Threading: start and finish belong to the owner; the rest may be called by any thread.
 */
#ifndef SERVER_RECORDS_RECORD_WRITERS_H_
#define SERVER_RECORDS_RECORD_WRITERS_H_

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/records/limits.h"
#include "server/records/record_buffer.h"
#include "server/records/record_gate.h"
#include "server/records/store/rejects.h"
#include "server/records/store/store.h"
#include "server/runtime/latency_histogram.h"
#include "server/runtime/logger.h"
#include "server/runtime/wakeup.h"

#ifdef __cplusplus
extern "C" {
#endif

struct record_writers_config {
    struct store *store;
    const struct rejects *rejects; /* the store's */
    struct record_buffer *buffer;
    size_t thread_count;    /* 1 to RECORDS_WORKERS_MAX */
    size_t batch_count_max; /* records in a transaction */
    const struct logger *logger;
    const struct wakeup *finished; /* signalled when the last thread ends */
};

struct record_writers;

struct record_writers_thread {
    struct record_writers *writers;
    struct store_writer *writer;
    pthread_t thread;
};

struct record_writers {
    struct record_writers_config config;
    struct record_writers_thread threads[RECORDS_WORKERS_MAX];
    size_t started_count;
    struct record_gate gate;          /* around each transaction */
    struct latency_histogram latency; /* of the store's transactions */

    pthread_mutex_t mutex; /* guards what follows */
    size_t running_count;
    int64_t failing_since_ms; /* the first failure since something was stored; 0: none */
    bool has_warned;          /* that the store is down, and nothing was stored since */
    struct warning_limiter down_warning;
    struct warning_limiter thread_warning;
};

/* Starts the threads. 0, or a negative errno value with nothing left over. */
int record_writers_start(struct record_writers *writers,
                         const struct record_writers_config *config);

/* Whether all threads have ended: the buffer was closed and is empty. */
bool record_writers_are_finished(struct record_writers *writers);

/* For how long nothing could be stored; 0: it can. */
int64_t record_writers_failing_ms(struct record_writers *writers, int64_t now_ms);

/* Waits for the threads to end and frees what they used. Close the buffer first. Does nothing to
 * zeroed writers. */
void record_writers_finish(struct record_writers *writers);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RECORDS_RECORD_WRITERS_H_ */
