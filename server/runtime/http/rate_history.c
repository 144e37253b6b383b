#include "server/runtime/http/rate_history.h"

#include <string.h>

static const double milliseconds_per_second = 1e3;

void rate_history_init(struct rate_history *history) {
    *history = (struct rate_history){.last_ms = -1};
}

static void add_point(struct rate_history *history, const double *rates) {
    memcpy(history->rates[history->next_index], rates, sizeof history->rates[0]);
    history->next_index = (history->next_index + 1) % RATE_HISTORY_CAPACITY;
    if (history->count < RATE_HISTORY_CAPACITY) {
        history->count++;
    }
}

void rate_history_add(struct rate_history *history, const uint64_t *totals, int64_t now_ms) {
    int64_t passed_ms = now_ms - history->last_ms;
    if (history->last_ms >= 0 && passed_ms < RATE_HISTORY_PERIOD_MS) {
        return;
    }
    if (history->last_ms >= 0) {
        double rates[STATUS_SERIES_COUNT];
        for (size_t index = 0; index < STATUS_SERIES_COUNT; index++) {
            rates[index] = (double)(totals[index] - history->totals[index]) *
                           milliseconds_per_second / (double)passed_ms;
        }
        int64_t point_count = passed_ms / RATE_HISTORY_PERIOD_MS;
        for (int64_t index = 0; index < point_count && index < RATE_HISTORY_CAPACITY; index++) {
            add_point(history, rates);
        }
    }
    history->last_ms = now_ms;
    memcpy(history->totals, totals, sizeof history->totals);
}

double rate_history_rate(const struct rate_history *history, size_t age, size_t series_index) {
    size_t index = (history->next_index + RATE_HISTORY_CAPACITY - 1 - age) % RATE_HISTORY_CAPACITY;
    return history->rates[index][series_index];
}
