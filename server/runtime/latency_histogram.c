#include "server/runtime/latency_histogram.h"

#include <assert.h>

static const int64_t bounds_us[] = {
    100,    200,    500,    1000,    2000,    5000,    10000,    20000,    50000,
    100000, 200000, 500000, 1000000, 2000000, 5000000, 10000000, 50000000,
};

static_assert(sizeof bounds_us / sizeof bounds_us[0] == LATENCY_BUCKET_COUNT - 1,
              "every bucket but the last has a bound");

int64_t latency_bucket_bound_us(size_t bucket_index) {
    return bounds_us[bucket_index];
}

void latency_histogram_add(struct latency_histogram *histogram, int64_t duration_us) {
    size_t bucket_index = 0;
    while (bucket_index < LATENCY_BUCKET_COUNT - 1 && duration_us > bounds_us[bucket_index]) {
        bucket_index++;
    }
    atomic_fetch_add_explicit(&histogram->counts[bucket_index], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&histogram->sum_us, duration_us > 0 ? (uint64_t)duration_us : 0,
                              memory_order_relaxed);
}
