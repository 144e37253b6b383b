/*
 * Stores bytes past the page cache: the owner fills one block while a thread writes the other ones
 * with O_DIRECT. As fast as a program can get data to a disk that it receives one piece after the
 * other.
 *
 * Ownership: the store owns its memory, its file and its thread. Threading: one owner.
 */
#ifndef BENCH_DIRECT_STORE_H_
#define BENCH_DIRECT_STORE_H_

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { DIRECT_STORE_BLOCK_COUNT = 4, DIRECT_STORE_BLOCK_SIZE = 4 * 1024 * 1024 };

struct direct_store {
    int fd;
    char *memory;
    pthread_t thread;
    size_t filled_size; /* of the block that is being filled; the owner's */

    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t changed;
    size_t filled_count;  /* blocks handed over, ever */
    size_t written_count; /* and written; block N is at N modulo the number of blocks */
    bool is_ending;
    int error; /* 0, or the negative errno value of a failed write */
};

/* Empties the file and starts the thread. 0, or a negative errno value. */
int direct_store_open(struct direct_store *store, const char *path);

/* Where the next bytes go, and how many at most; waits until a block is free. NULL: writing has
 * failed. */
char *direct_store_room(struct direct_store *store, size_t *size);

/* So many bytes have been put there. */
void direct_store_add(struct direct_store *store, size_t size);

/* Writes what is left, makes all of it durable, and ends. 0, or a negative errno value. */
int direct_store_close(struct direct_store *store);

#ifdef __cplusplus
}
#endif

#endif /* BENCH_DIRECT_STORE_H_ */
