#include "bench/ballast.h"

#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    MEBIBYTE = 1024 * 1024,
    LOOK_INTERVAL_MS = 10,
    /* What the machine has to have left beside the ballast. */
    RESERVE_SIZE = 1024 * MEBIBYTE,
    LINE_CAPACITY = 256,
};

/* The memory that can be had without anyone suffering, in bytes; 0 where the kernel does not say.
 */
static uint64_t available_memory(void) {
    char line[LINE_CAPACITY];
    unsigned long long kibibytes = 0;
    FILE *stream = fopen("/proc/meminfo", "re");
    while (stream != NULL && fgets(line, sizeof line, stream) != NULL) {
        if (sscanf(line, "MemAvailable: %llu kB", &kibibytes) == 1) {
            break;
        }
    }
    if (stream != NULL) {
        (void)fclose(stream);
    }
    return (uint64_t)kibibytes * 1024;
}

/* Frees the ballast's first size bytes, of which freed_size are free already. Returns how many are
 * free then. */
static size_t free_up_to(const struct ballast *ballast, size_t freed_size, uint64_t size) {
    size_t end = size < ballast->size ? (size_t)size / MEBIBYTE * MEBIBYTE : ballast->size;
    if (end <= freed_size ||
        madvise(ballast->memory + freed_size, end - freed_size, MADV_DONTNEED) != 0) {
        return freed_size;
    }
    return end;
}

static void *watch_file(void *context) {
    struct ballast *ballast = context;
    size_t freed_size = 0;
    while (!atomic_load(&ballast->is_stopping)) {
        struct stat status;
        uint64_t file_size = stat(ballast->path, &status) == 0 ? (uint64_t)status.st_size : 0;
        freed_size = free_up_to(ballast, freed_size, file_size + ballast->lead_size);
        (void)poll(NULL, 0, LOOK_INTERVAL_MS);
    }
    return NULL;
}

void ballast_start(struct ballast *ballast, const char *path, uint64_t file_size,
                   uint64_t lead_size) {
    *ballast =
        (struct ballast){.path = path, .size = file_size + lead_size, .lead_size = lead_size};
    if (available_memory() < ballast->size + RESERVE_SIZE) {
        return;
    }
    char *memory = mmap(NULL, ballast->size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
        return;
    }
    /* Only a wish: it takes longer without huge pages. */
    (void)madvise(memory, ballast->size, MADV_HUGEPAGE);
    if (madvise(memory, ballast->size, MADV_POPULATE_WRITE) != 0) {
        memset(memory, 1, ballast->size);
    }
    ballast->memory = memory;
    if (pthread_create(&ballast->thread, NULL, watch_file, ballast) != 0) {
        (void)munmap(memory, ballast->size);
        ballast->memory = NULL;
    }
}

void ballast_stop(struct ballast *ballast) {
    if (ballast->memory == NULL) {
        return;
    }
    atomic_store(&ballast->is_stopping, true);
    (void)pthread_join(ballast->thread, NULL);
    (void)munmap(ballast->memory, ballast->size);
    ballast->memory = NULL;
}
