#include "bench/series.h"

void series_add(struct series *series, double value) {
    size_t index = series->count;
    if (index == SERIES_CAPACITY) {
        return;
    }
    for (; index > 0 && series->values[index - 1] > value; index--) {
        series->values[index] = series->values[index - 1];
    }
    series->values[index] = value;
    series->count++;
}

double series_median(const struct series *series) {
    size_t middle = series->count / 2;
    if (series->count == 0) {
        return 0;
    }
    if (series->count % 2 == 1) {
        return series->values[middle];
    }
    return (series->values[middle - 1] + series->values[middle]) / 2;
}

double series_min(const struct series *series) {
    return series->count == 0 ? 0 : series->values[0];
}

double series_max(const struct series *series) {
    return series->count == 0 ? 0 : series->values[series->count - 1];
}
