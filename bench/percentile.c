#include "bench/percentile.h"

#include <stdlib.h>

static int compare(const void *left, const void *right) {
    double left_value = *(const double *)left;
    double right_value = *(const double *)right;
    return left_value < right_value ? -1 : left_value > right_value;
}

void percentile_sort(double *values, size_t count) {
    if (count > 0) { /* of none there may be no address */
        qsort(values, count, sizeof *values, compare);
    }
}

double percentile_of(const double *values, size_t count, double percent) {
    if (count == 0) {
        return 0;
    }
    double rank = percent / 100 * (double)count;
    size_t whole_rank = (size_t)rank;
    /* Nearest rank counts from 1 and rounds up. */
    size_t index = (double)whole_rank < rank ? whole_rank : whole_rank - (whole_rank > 0);
    return values[index < count ? index : count - 1];
}
