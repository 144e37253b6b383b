#include "server/numbers/log/disk_pace.h"

enum { MICROSECOND_NS = 1000, MILLISECOND_NS = 1000 * 1000 };

void disk_pace_note(struct disk_pace *pace, size_t size, int64_t begin_ns, int64_t end_ns) {
    int64_t expected_ns = (int64_t)size * MICROSECOND_NS / DISK_PACE_RATE_MIN;
    int64_t duration_ns = end_ns - begin_ns;
    int64_t behind_ns = duration_ns - expected_ns;
    pace->debt_ns += behind_ns > -duration_ns ? behind_ns : -duration_ns;
    pace->slow_since_ns = end_ns;
    if (pace->debt_ns < -DISK_PACE_CREDIT_MAX_NS) {
        pace->debt_ns = -DISK_PACE_CREDIT_MAX_NS;
    }
}

bool disk_pace_is_slow(const struct disk_pace *pace) {
    return pace->debt_ns > pace->patience.debt_ms_max * MILLISECOND_NS;
}

void disk_pace_try_again(struct disk_pace *pace, int64_t now_ns) {
    if (disk_pace_is_slow(pace) &&
        now_ns - pace->slow_since_ns >= pace->patience.rest_ms * MILLISECOND_NS) {
        pace->debt_ns = 0;
    }
}
