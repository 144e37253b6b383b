#include "server/sequence/progress_bar.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void progress_bar_write(uint32_t done, uint32_t total, char text[PROGRESS_BAR_TEXT_SIZE]) {
    char bar[PROGRESS_BAR_WIDTH + 1];
    uint64_t full = total == 0 ? 1 : total;
    uint64_t part = total == 0 ? 1 : done;
    size_t filled = (size_t)(part * PROGRESS_BAR_WIDTH / full);
    memset(bar, '#', filled);
    memset(bar + filled, '.', PROGRESS_BAR_WIDTH - filled);
    bar[PROGRESS_BAR_WIDTH] = '\0';
    (void)snprintf(text, PROGRESS_BAR_TEXT_SIZE, "\r[%s] %3" PRIu64 " %% (%" PRIu32 "/%" PRIu32 ")",
                   bar, part * 100 / full, done, total);
}
