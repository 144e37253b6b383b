/*
 * Judges by the time that direct writes take whether the disk is fast enough for them.
 *
 * A disk that is slower than the page cache is better served through it: the cache takes a burst at
 * the speed of memory. What counts is the pace over a while: a fast disk earns credit, which covers
 * a write that takes long now and then. A write earns no more than the time it took: a disk behind
 * a small fast buffer, or a limit that is kept to once in 100 ms, takes some writes at once and
 * then none for long.
 *
 * A pure account: the caller measures, and sets the patience. Threading: none inside.
 */
#ifndef SERVER_NUMBERS_LOG_DISK_PACE_H_
#define SERVER_NUMBERS_LOG_DISK_PACE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    /* Bytes a microsecond. Cached writes that the kernel holds back to the disk's pace reach 300 to
     * 400 on a disk that takes 2500 directly; a disk below this rate gains nothing by direct
     * writes. */
    DISK_PACE_RATE_MIN = 250,

    /* A fast one is forgiven a stop of about a second. */
    DISK_PACE_CREDIT_MAX_NS = 1000 * 1000 * 1000,
};

struct disk_patience {
    int64_t debt_ms_max; /* how far a disk may be behind that rate before it is slow */
    int64_t rest_ms;     /* how long a slow one is left alone at least */
};

struct disk_pace {
    struct disk_patience patience;
    int64_t debt_ns;       /* how far it is behind; below 0: credit */
    int64_t slow_since_ns; /* if it is slow */
};

/* Notes that size bytes were written from one time to another. */
void disk_pace_note(struct disk_pace *pace, size_t size, int64_t begin_ns, int64_t end_ns);

bool disk_pace_is_slow(const struct disk_pace *pace);

/* Gives a slow disk that has caught up another chance, if it has rested for long enough. */
void disk_pace_try_again(struct disk_pace *pace, int64_t now_ns);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_NUMBERS_LOG_DISK_PACE_H_ */
