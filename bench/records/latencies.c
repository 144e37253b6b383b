#include "bench/records/latencies.h"

#include <stdlib.h>

bool latencies_init(struct latencies *latencies, size_t capacity) {
    *latencies = (struct latencies){.capacity = capacity};
    latencies->durations_us = malloc((capacity > 0 ? capacity : 1) * sizeof(uint32_t));
    return latencies->durations_us != NULL;
}

void latencies_destroy(struct latencies *latencies) {
    free(latencies->durations_us);
}

void latencies_add(struct latencies *latencies, int64_t duration_us) {
    if (latencies->count < latencies->capacity) {
        latencies->durations_us[latencies->count++] =
            duration_us < UINT32_MAX ? (uint32_t)duration_us : UINT32_MAX;
    }
}

static int compare(const void *left, const void *right) {
    uint32_t left_us = *(const uint32_t *)left;
    uint32_t right_us = *(const uint32_t *)right;
    return left_us < right_us ? -1 : left_us > right_us;
}

void latencies_sort(struct latencies *latencies) {
    qsort(latencies->durations_us, latencies->count, sizeof(uint32_t), compare);
}

uint32_t latencies_percentile_us(const struct latencies *latencies, double percent) {
    if (latencies->count == 0) {
        return 0;
    }
    double rank = percent / 100 * (double)latencies->count;
    size_t whole_rank = (size_t)rank;
    /* Nearest rank counts from 1 and rounds up. */
    size_t index = (double)whole_rank < rank ? whole_rank : whole_rank - (whole_rank > 0);
    return latencies->durations_us[index < latencies->count ? index : latencies->count - 1];
}
