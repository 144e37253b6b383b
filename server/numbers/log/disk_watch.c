#include "server/numbers/log/disk_watch.h"

#include <inttypes.h>

void disk_watch_look(struct disk_watch *watch, int64_t call_ms, int64_t now_ms,
                     const struct logger *logger) {
    if (call_ms >= DISK_WATCH_PATIENCE_MS) {
        if (warning_limiter_allows(&watch->warning, now_ms)) {
            watch->has_warned = true;
            logger_print(logger, LOG_LEVEL_WARNING,
                         "the disk of the log has not answered for %" PRId64
                         " s; nothing is lost, and the clients wait until it does",
                         call_ms / 1000);
        }
    } else if (watch->has_warned) {
        watch->has_warned = false;
        logger_print(logger, LOG_LEVEL_INFO, "the disk of the log answers again");
    }
}
