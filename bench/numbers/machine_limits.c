#include "bench/numbers/machine_limits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench/numbers/load_generator.h"
#include "server/runtime/os.h"

enum {
    WRITE_SIZE = 1024 * 1024,
    LINE_SIZE = 10,
    MAP_SIZE = LOAD_GENERATOR_RANGE / 8,
    HUGE_PAGE_SIZE = 2 * 1024 * 1024,
    BATCH_COUNT = 65536,
    PREFETCH_DISTANCE = 32,
};

static double seconds_since(int64_t start_ns) {
    return (double)(os_now_ns() - start_ns) / 1e9;
}

double machine_limit_write(const char *path, uint32_t number_count) {
    uint64_t left = (uint64_t)number_count * LINE_SIZE;
    char *lines = malloc(WRITE_SIZE);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0 || lines == NULL) {
        (void)fprintf(stderr, "%s: %s\n", path, strerror(errno));
        if (fd >= 0) {
            (void)close(fd);
        }
        free(lines);
        return 0;
    }
    for (size_t i = 0; i < WRITE_SIZE; i++) {
        lines[i] = i % LINE_SIZE == LINE_SIZE - 1 ? '\n' : '0';
    }
    int64_t start_ns = os_now_ns();
    while (left > 0) {
        ssize_t written = write(fd, lines, left < WRITE_SIZE ? (size_t)left : WRITE_SIZE);
        if (written < 0 && errno != EINTR) {
            break;
        }
        left -= written > 0 ? (uint64_t)written : 0;
    }
    double seconds = seconds_since(start_ns);
    if (left > 0) {
        (void)fprintf(stderr, "%s: %s\n", path, strerror(errno));
    }
    (void)close(fd);
    free(lines);
    return left > 0 ? 0 : number_count / seconds;
}

/* Sets the bits of the numbers and returns how many were new, which keeps the work from being
 * optimised away. numbers has PREFETCH_DISTANCE further elements. */
static uint64_t set_bits(uint64_t *map, const uint32_t *numbers, size_t count) {
    uint64_t new_count = 0;
    for (size_t i = 0; i < count; i++) {
        __builtin_prefetch(&map[numbers[i + PREFETCH_DISTANCE] / 64], 1);
        uint64_t *word = &map[numbers[i] / 64];
        uint64_t bit = UINT64_C(1) << (numbers[i] % 64);
        new_count += (*word & bit) == 0;
        *word |= bit;
    }
    return new_count;
}

double machine_limit_map_updates(uint32_t number_count) {
    static uint32_t numbers[BATCH_COUNT + PREFETCH_DISTANCE];
    struct load_generator generator;
    struct load_generator_options options = {.order = LOAD_ORDER_PERMUTATION};
    size_t size = (MAP_SIZE + HUGE_PAGE_SIZE - 1) / HUGE_PAGE_SIZE * HUGE_PAGE_SIZE;
    uint64_t *map = aligned_alloc(HUGE_PAGE_SIZE, size);
    uint64_t new_count = 0;
    double seconds = 0;
    if (map == NULL) {
        (void)fputs("no memory for a map of 10^9 bits\n", stderr);
        return 0;
    }
    /* Only a wish: without huge pages the figure is lower, and so is every server's. */
    (void)madvise(map, size, MADV_HUGEPAGE);
    memset(map, 0, size);
    load_generator_init(&generator, &options);
    for (uint32_t done = 0; done < number_count;) {
        uint32_t count = number_count - done < BATCH_COUNT ? number_count - done : BATCH_COUNT;
        load_generator_fill(&generator, done, numbers, count);
        int64_t start_ns = os_now_ns();
        new_count += set_bits(map, numbers, count);
        seconds += seconds_since(start_ns);
        done += count;
    }
    free(map);
    return new_count == number_count ? number_count / seconds : 0;
}
