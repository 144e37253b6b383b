#include "server/records/import_progress.h"

bool import_progress_is_due(struct import_progress *progress, uint64_t record_count,
                            int64_t now_ms) {
    int64_t passed_ms = now_ms - progress->begin_ms;
    if (progress->begin_ms != 0 && passed_ms < IMPORT_PROGRESS_PERIOD_MS) {
        return false;
    }
    /* A period that was not looked at for so long was no busy one. */
    bool is_due = progress->begin_ms != 0 && passed_ms < 2 * IMPORT_PROGRESS_PERIOD_MS &&
                  record_count - progress->begin_count >= IMPORT_PROGRESS_COUNT_MIN;
    *progress = (struct import_progress){.begin_ms = now_ms, .begin_count = record_count};
    return is_due;
}
