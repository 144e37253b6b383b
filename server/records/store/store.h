/*
 * Where records stay: the interface of the stores, which store_open.h opens.
 *
 * A store is written to by writers, which belong to one thread each, and read by readers, likewise.
 * What every store promises:
 *   - A batch is stored whole or not at all, and once: writing the same batch (slot and sequence)
 *     again after a failure, by any writer, does not store it twice, even when the failure left
 * open whether the first attempt had come through.
 *   - What was stored survives the death of this process at any instant.
 *   - A reader sees the records that were stored when it began, however long it takes.
 * Nothing is waited for without a limit of time: a store that is down is reported as unavailable,
 * and the caller tries again.
 *
 * Ownership: a store outlives its writers and readers. Threading: writer_count_max writers and any
 * number of readers may work at the same time.
 */
#ifndef SERVER_RECORDS_STORE_STORE_H_
#define SERVER_RECORDS_STORE_STORE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/records/json/message.h"
#include "server/records/json/record.h"
#include "server/records/store/record_batch.h"

#ifdef __cplusplus
extern "C" {
#endif

enum store_status {
    STORE_OK,
    STORE_END,         /* a reader has no more records */
    STORE_UNAVAILABLE, /* not now; the message says why */
};

struct store;
struct store_writer;
struct store_reader;

/* What a store consists of; see the functions below. */
struct store_operations {
    void (*close)(struct store *store);
    struct store_writer *(*writer_open)(struct store *store);
    struct store_reader *(*reader_open)(struct store *store);
    struct store_reader *(*quick_reader_open)(struct store *store); /* NULL: it has none */
};
struct store_writer_operations {
    enum store_status (*connect)(struct store_writer *writer, char *message);
    enum store_status (*write)(struct store_writer *writer, const struct record_batch *batch,
                               char *message);
    void (*close)(struct store_writer *writer);
};
struct store_reader_operations {
    /* NULL: it always is. */
    enum store_status (*connect)(struct store_reader *reader, char *message);
    enum store_status (*begin)(struct store_reader *reader, const struct record_text *id,
                               char *message);
    /* NULL: a failure never leaves anything open. */
    uint64_t (*stored_sequence)(struct store_reader *reader, size_t slot_index);
    enum store_status (*next)(struct store_reader *reader, struct record *record, char *message);
    void (*end)(struct store_reader *reader); /* NULL: nothing is left open */
    void (*close)(struct store_reader *reader);
};

/* The front part of every store, writer and reader. */
struct store {
    const struct store_operations *operations;
    size_t writer_count_max;     /* more would only wait for each other */
    struct record_limits limits; /* what fits into its columns */
};
struct store_writer {
    const struct store_writer_operations *operations;
};
struct store_reader {
    const struct store_reader_operations *operations;
};

static inline void store_close(struct store *store) {
    store->operations->close(store);
}

/* Gets ready to write; nothing is connected yet. NULL: no memory. */
static inline struct store_writer *store_writer_open(struct store *store) {
    return store->operations->writer_open(store);
}

/* Connects, unless the writer is connected as far as it knows: STORE_OK or STORE_UNAVAILABLE, with
 * a `message` of MESSAGE_SIZE bytes, as everywhere here. */
static inline enum store_status store_writer_connect(struct store_writer *writer, char *message) {
    return writer->operations->connect(writer, message);
}

/* Stores a batch with a writer that was connected: STORE_OK or STORE_UNAVAILABLE. */
static inline enum store_status
store_writer_write(struct store_writer *writer, const struct record_batch *batch, char *message) {
    return writer->operations->write(writer, batch, message);
}

static inline void store_writer_close(struct store_writer *writer) {
    writer->operations->close(writer);
}

/* Gets ready to read; nothing is connected yet. NULL: no memory. */
static inline struct store_reader *store_reader_open(struct store *store) {
    return store->operations->reader_open(store);
}

/* The same for a reader that never waits for anybody: what it cannot read within a moment, it
 * reports as unavailable. NULL: this store has none, or there is no memory. */
static inline struct store_reader *store_quick_reader_open(struct store *store) {
    return store->operations->quick_reader_open == NULL
               ? NULL
               : store->operations->quick_reader_open(store);
}

/* As store_writer_connect. */
static inline enum store_status store_reader_connect(struct store_reader *reader, char *message) {
    return reader->operations->connect == NULL ? STORE_OK
                                               : reader->operations->connect(reader, message);
}

/* Fixes what a reader that was connected sees: the records with this id, or with NULL all. `id` has
 * to stay until store_reader_end, which has to follow in any case. STORE_OK or STORE_UNAVAILABLE.
 */
static inline enum store_status store_reader_begin(struct store_reader *reader,
                                                   const struct record_text *id, char *message) {
    return reader->operations->begin(reader, id, message);
}

/* The last batch in this slot that the reader sees, when a failure left that open; 0 when there was
 * none. After store_reader_begin. */
static inline uint64_t store_reader_stored_sequence(struct store_reader *reader,
                                                    size_t slot_index) {
    return reader->operations->stored_sequence == NULL
               ? 0
               : reader->operations->stored_sequence(reader, slot_index);
}

/* The next record, valid until the next call: STORE_OK, STORE_END or STORE_UNAVAILABLE. */
static inline enum store_status store_reader_next(struct store_reader *reader,
                                                  struct record *record, char *message) {
    return reader->operations->next(reader, record, message);
}

/* Ends what store_reader_begin began; the reader may begin anew, once it is connected again. */
static inline void store_reader_end(struct store_reader *reader) {
    if (reader->operations->end != NULL) {
        reader->operations->end(reader);
    }
}

static inline void store_reader_close(struct store_reader *reader) {
    reader->operations->close(reader);
}

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RECORDS_STORE_STORE_H_ */
