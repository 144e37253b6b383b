#include "server/sessions/progress_bar.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    BAR_WIDTH_MAX = 40,
    /* A shorter one tells nothing. */
    BAR_WIDTH_MIN = 5,
    SHARE_SIZE = sizeof "100 % (4294967295/4294967295)",
    /* Of the brackets, and of a space behind them. */
    FRAME_LENGTH = 3,
};

/* Writes the bar that fits in `width` columns, terminated; nothing if there is room for none. */
static void write_bar(uint64_t part, uint64_t full, size_t width,
                      char bar[FRAME_LENGTH + BAR_WIDTH_MAX + 1]) {
    size_t cell_count = width < FRAME_LENGTH + BAR_WIDTH_MIN ? 0 : width - FRAME_LENGTH;
    if (cell_count > BAR_WIDTH_MAX) {
        cell_count = BAR_WIDTH_MAX;
    }
    size_t filled_count = (size_t)(part * cell_count / full);
    char *place = bar;
    if (cell_count > 0) {
        *place++ = '[';
        memset(place, '#', filled_count);
        memset(place + filled_count, '.', cell_count - filled_count);
        place += cell_count;
        *place++ = ']';
        *place++ = ' ';
    }
    *place = '\0';
}

void progress_bar_write(uint32_t done, uint32_t total, size_t column_count,
                        char text[PROGRESS_BAR_TEXT_SIZE]) {
    char share[SHARE_SIZE];
    char bar[FRAME_LENGTH + BAR_WIDTH_MAX + 1];
    uint64_t full = total == 0 ? 1 : total;
    uint64_t part = total == 0 ? 1 : done;
    int share_length = snprintf(share, sizeof share, "%3" PRIu64 " %% (%" PRIu32 "/%" PRIu32 ")",
                                part * 100 / full, done, total);
    /* A terminal may go to the next line when its last column is written. */
    size_t room = column_count > 0 ? column_count - 1 : 0;
    size_t length = (size_t)share_length < room ? (size_t)share_length : room;
    write_bar(part, full, room - length, bar);
    (void)snprintf(text, PROGRESS_BAR_TEXT_SIZE, "%s%s%.*s", PROGRESS_BAR_CLEAR, bar, (int)length,
                   share);
}
