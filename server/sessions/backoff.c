#include "server/sessions/backoff.h"

int64_t backoff_delay_ms(int64_t first_ms, uint32_t attempt_index, uint32_t random) {
    int64_t longest_ms = first_ms;
    for (uint32_t i = 0; i < attempt_index && longest_ms > 0 && longest_ms < BACKOFF_MAX_MS; i++) {
        longest_ms *= 2;
    }
    if (longest_ms > BACKOFF_MAX_MS) {
        longest_ms = BACKOFF_MAX_MS;
    }
    int64_t half_ms = longest_ms / 2;
    return half_ms + (int64_t)(random % (uint32_t)(longest_ms - half_ms + 1));
}
