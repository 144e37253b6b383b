/*
 * Memory that is present, for a file that is about to grow.
 *
 * A virtual machine may give the memory that it does not use back to its host, within seconds. What
 * then writes a file pays for fetching each page again, now and then ten times the cost of the
 * write itself, and a measurement tells more about the host than about the program. The ballast
 * holds as much memory as the file will need, and frees it a little ahead of the file as that
 * grows, so that every page the file takes has just been in use.
 *
 * Ownership: the structure owns its memory and a thread from ballast_start to ballast_stop.
 * Threading: one thread calls both; a thread of its own watches the file.
 */
#ifndef BENCH_BALLAST_H_
#define BENCH_BALLAST_H_

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/runtime/atomics.h"

#ifdef __cplusplus
extern "C" {
#endif

struct ballast {
    const char *path; /* of the file */
    char *memory;     /* NULL: there is none */
    size_t size;
    uint64_t lead_size;
    pthread_t thread;
    ATOMIC_FIELD(bool) is_stopping;
};

/*
 * Takes the memory for a file of file_size bytes at path, which may not exist yet; the text
 * outlives the ballast. lead_size bytes more are free from the start: for the programs' own memory,
 * and for what a fast one writes between two looks at the file. Where the machine has not enough
 * memory, there is no ballast, and nothing fails.
 */
void ballast_start(struct ballast *ballast, const char *path, uint64_t file_size,
                   uint64_t lead_size);

/* Frees what is left. */
void ballast_stop(struct ballast *ballast);

#ifdef __cplusplus
}
#endif

#endif /* BENCH_BALLAST_H_ */
