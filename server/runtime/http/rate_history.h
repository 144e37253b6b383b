/*
 * The rates of the last ten minutes, from totals that are read about once a second.
 *
 * Threading: belongs to one thread.
 */
#ifndef SERVER_RUNTIME_HTTP_RATE_HISTORY_H_
#define SERVER_RUNTIME_HTTP_RATE_HISTORY_H_

#include <stddef.h>
#include <stdint.h>

#include "server/runtime/http/status.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    RATE_HISTORY_PERIOD_MS = 2000, /* of one point of the chart */
    RATE_HISTORY_CAPACITY = 300,   /* points in ten minutes */
};

struct rate_history {
    double rates[RATE_HISTORY_CAPACITY][STATUS_SERIES_COUNT]; /* a second; a ring */
    size_t next_index;
    size_t count;
    int64_t last_ms; /* when the totals were read; -1: never */
    uint64_t totals[STATUS_SERIES_COUNT];
};

void rate_history_init(struct rate_history *history);

/* Takes the totals at now_ms. A point is made of what came since the last one; where more than one
 * period has passed, as many points as are missing share it. */
void rate_history_add(struct rate_history *history, const uint64_t *totals, int64_t now_ms);

/* The rate of a series, the newest one for age 0; age is below count. */
double rate_history_rate(const struct rate_history *history, size_t age, size_t series_index);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RUNTIME_HTTP_RATE_HISTORY_H_ */
