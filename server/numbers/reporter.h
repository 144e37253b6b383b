/*
 * Prints every interval what has been received, on a thread of its own, so that neither a busy loop
 * delays a report nor a reader of standard output that has stopped reading delays the loop:
 *
 *   Received 50 unique numbers, 2 duplicates. Unique total: 567231
 *
 * The schedule is a grid on the monotonic clock: it does not drift, and no change of the date
 * moves it. After a pause of the whole process (SIGSTOP) one report catches up. A report that
 * standard output has no room for, or fails to take, is left out; the next one includes its
 * numbers.
 *
 * The thread is there before the first interval begins: a server that cannot have it has not
 * touched its log yet, and loading a log may take longer than an interval.
 *
 * Threading: init, begin and finish belong to the owner; the tally is shared with the workers.
 */
#ifndef SERVER_NUMBERS_REPORTER_H_
#define SERVER_NUMBERS_REPORTER_H_

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "server/numbers/tally.h"
#include "server/runtime/service_manager.h"

#ifdef __cplusplus
extern "C" {
#endif

struct reporter {
    const struct tally *tally;
    const struct service_manager *manager; /* is told each report as well */
    int fd;
    int64_t interval_ms;
    uint64_t reported_unique_count; /* the totals of the last report */
    uint64_t reported_duplicate_count;
    pthread_mutex_t mutex; /* guards begin_ms and is_finishing */
    pthread_cond_t changed;
    int64_t begin_ms; /* when the first interval began; -1: not yet */
    bool is_finishing;
    pthread_t thread;
};

/* Starts the thread, which is to report on fd and waits for reporter_begin. 0, or a negative errno
 * value with nothing left over. */
int reporter_init(struct reporter *reporter, const struct tally *tally, int fd, int64_t interval_ms,
                  const struct service_manager *manager);

/* Begins the first interval. */
void reporter_begin(struct reporter *reporter);

/* Prints the last report, unless no interval has begun, and ends the thread. */
void reporter_finish(struct reporter *reporter);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_NUMBERS_REPORTER_H_ */
