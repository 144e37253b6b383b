/*
 * Where the yardstick puts what it receives: nowhere, into a file, or into a file past the page
 * cache; then the owner fills one block while a thread writes the other ones with O_DIRECT, which
 * is as fast as a program can get data to a disk that it receives one piece after the other.
 *
 * Ownership: the store owns its memory, its file and its thread. Threading: one owner.
 */
#ifndef BENCH_BASELINE_STORE_H_
#define BENCH_BASELINE_STORE_H_

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct baseline_store {
    int fd; /* -1: what comes is discarded */
    bool is_direct;
    char *memory;
    size_t block_size;
    size_t filled_size; /* of the block that is being filled; the owner's */
    pthread_t thread;

    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t changed;
    size_t filled_count;  /* blocks handed over, ever */
    size_t written_count; /* and written; block N is at N modulo the number of blocks */
    bool is_ending;
    int error; /* 0, or the negative errno value of a failed write */
};

/* Empties the file (path NULL: there is none) and takes the memory: buffer_size bytes, or blocks
 * past the page cache and a thread. 0, or a negative errno value. */
int baseline_store_open(struct baseline_store *store, const char *path, bool is_direct,
                        size_t buffer_size);

/* Where the next bytes go, and how many at most; waits until there is room. NULL: writing has
 * failed, store->error says why. */
char *baseline_store_room(struct baseline_store *store, size_t *size);

/* So many bytes have been put there. 0, or a negative errno value. */
int baseline_store_add(struct baseline_store *store, size_t size);

/* Past the page cache: writes what is left, and makes all of it durable. What comes from now on is
 * discarded. 0, or a negative errno value. */
int baseline_store_finish(struct baseline_store *store);

#endif /* BENCH_BASELINE_STORE_H_ */
