/*
 * Says that the disk does not answer: a warning after a few seconds, then every 30 s, and one line
 * when it answers again.
 *
 * Nothing can be done about a call that does not return, and nothing has to: whoever waits for it
 * waits, and whoever cannot wait kills the server, whose log stays whole by its guard.
 *
 * Threading: belongs to one thread, which must not be one that waits for the disk.
 */
#ifndef SERVER_NUMBERS_LOG_DISK_WATCH_H_
#define SERVER_NUMBERS_LOG_DISK_WATCH_H_

#include <stdbool.h>
#include <stdint.h>

#include "server/runtime/logger.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How long a call may take before it is warned of. */
enum { DISK_WATCH_PATIENCE_MS = 5000 };

struct disk_watch {
    struct warning_limiter warning;
    bool has_warned; /* and not said yet that the disk answers again */
};

/* Call it about once a second with how long the disk has not answered (log_writer_call_ms). */
void disk_watch_look(struct disk_watch *watch, int64_t call_ms, int64_t now_ms,
                     const struct logger *logger);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_NUMBERS_LOG_DISK_WATCH_H_ */
