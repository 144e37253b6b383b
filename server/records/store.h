/*
 * Where records stay: the interface of the stores.
 *
 * A store is written to by writers, which belong to one thread each, and read by readers, likewise.
 * What every store promises:
 *   - A batch is stored whole or not at all, and once: writing the same batch (writer and sequence)
 *     again after a failure does not store it twice, even when the failure left open whether the
 *     first attempt had come through.
 *   - What was stored survives the death of this process at any instant.
 *   - A reader sees the records that were stored when it began, however long it takes.
 * Nothing is waited for without a limit of time: a store that is down is reported as unavailable,
 * and the caller tries again.
 *
 * Ownership: a store outlives its writers and readers. Threading: writer_count_max writers and any
 * number of readers may work at the same time.
 */
#ifndef SERVER_RECORDS_STORE_H_
#define SERVER_RECORDS_STORE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/records/record.h"
#include "server/records/record_buffer.h"

#ifdef __cplusplus
extern "C" {
#endif

enum store_status {
    STORE_OK,
    STORE_END,         /* a reader has no more records */
    STORE_UNAVAILABLE, /* not now; the message says why */
};

struct store_options {
    const char *location; /* sqlite:PATH, file:PATH or mysql://USER@HOST[:PORT]/DATABASE */
    const char *password; /* for mysql; NULL for none */
    bool syncs_always;    /* a batch is on the disk when it counts as stored */
};

struct store;
struct store_writer;
struct store_reader;

/* What a store consists of; see the functions below. */
struct store_operations {
    void (*close)(struct store *store);
    void (*cancel)(struct store *store); /* NULL: nothing there waits for long */
    struct store_writer *(*writer_open)(struct store *store, size_t writer_index);
    enum store_status (*writer_write)(struct store_writer *writer, const struct record_batch *batch,
                                      char *message);
    void (*writer_close)(struct store_writer *writer);
    struct store_reader *(*reader_open)(struct store *store);
    enum store_status (*reader_begin)(struct store_reader *reader, const struct record_text *id,
                                      char *message);
    uint64_t (*reader_stored_sequence)(struct store_reader *reader, size_t writer_index);
    enum store_status (*reader_next)(struct store_reader *reader, struct record *record,
                                     char *message);
    void (*reader_close)(struct store_reader *reader);
};

/* The front part of every store, writer and reader. */
struct store {
    const struct store_operations *operations;
    size_t writer_count_max;     /* more would only wait for each other */
    size_t member_character_max; /* characters that fit into a member, 0: no limit */
    bool is_mended;              /* what a killed server had left torn was cut off at the start */
};
struct store_writer {
    const struct store_operations *operations;
};
struct store_reader {
    const struct store_operations *operations;
};

/* Opens a store and creates what is missing in it. NULL: not possible, `message`
 * (RECORDS_MESSAGE_SIZE bytes, as everywhere here) says why. `is_usage_error` tells whether the
 * location itself is wrong. */
struct store *store_open(const struct store_options *options, bool *is_usage_error, char *message);
void store_close(struct store *store);

/* Makes what waits for an answer of the store fail, and all that is tried later: for the end of the
 * program. What is under way may be stored all the same. Any thread. */
void store_cancel(struct store *store);

/* Gets ready to write; nothing is connected yet. NULL: no memory. */
struct store_writer *store_writer_open(struct store *store, size_t writer_index);

/* Stores a batch: STORE_OK or STORE_UNAVAILABLE. */
enum store_status store_writer_write(struct store_writer *writer, const struct record_batch *batch,
                                     char *message);
void store_writer_close(struct store_writer *writer);

/* Gets ready to read; nothing is connected yet. NULL: no memory. */
struct store_reader *store_reader_open(struct store *store);

/* Fixes what the reader sees: the records with this id, or with NULL all. Once per reader. `id` has
 * to stay until the reader is closed. STORE_OK or STORE_UNAVAILABLE. */
enum store_status store_reader_begin(struct store_reader *reader, const struct record_text *id,
                                     char *message);

/* The last batch of this writer that the reader sees, when a failure left that open; 0 when there
 * was none. After store_reader_begin. */
uint64_t store_reader_stored_sequence(struct store_reader *reader, size_t writer_index);

/* The next record, valid until the next call: STORE_OK, STORE_END or STORE_UNAVAILABLE. */
enum store_status store_reader_next(struct store_reader *reader, struct record *record,
                                    char *message);
void store_reader_close(struct store_reader *reader);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RECORDS_STORE_H_ */
