/*
 * Records that a store refuses for good: its table has a check, a trigger or a limit that was not
 * there at the start, or that is not looked at. They must not hold up all that come behind them.
 *
 * DESIGN. A writer whose store has refused a record twice puts it down here, as a line of a file
 * (`{"id": ..., "reason": "..."}`) or, where there is none, of the log. From then on the record is
 * no part of its batch, in no attempt to store it. What was put down is made durable before the
 * batch is committed: whenever this process dies, the record is in the file, or its sender was told
 * nothing and sends it again, which may put it down once more (at least once).
 *
 * The file is opened anew when its name means another one (rotation), and locked while it is open.
 * What cannot be put down is not skipped: the batch waits, as when the store is down.
 *
 * Threading: the functions about a batch belong to the writer that has it.
 */
#ifndef SERVER_RECORDS_STORE_REJECTS_H_
#define SERVER_RECORDS_STORE_REJECTS_H_

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/records/json/limits.h"
#include "server/records/store/limits.h"
#include "server/records/store/record_batch.h"
#include "server/runtime/logger.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What was refused of the last batch in a slot. */
struct rejects_slot {
    uint64_t sequence;
    size_t count;
    bool is_unsettled; /* some of it may not be on the disk yet */
    uint8_t refused[(RECORDS_BATCH_MAX + 7) / 8];
};

struct rejects {
    const char *path; /* NULL: there is no file */
    const struct logger *logger;
    struct rejects_slot slots[RECORDS_WORKERS_MAX];

    pthread_mutex_t mutex; /* guards what follows */
    int fd;
    uint64_t count;
    struct warning_limiter warning;
    char line[RECORDS_RECORD_SIZE_MAX + RECORDS_LINE_OVERHEAD + RECORDS_ERROR_LINE_SIZE_MAX];
};

/* Opens the file, or makes it. `path` and `logger` have to stay; without a path refused records are
 * logged and dropped. False: not possible, `message` (MESSAGE_SIZE bytes) says why. */
bool rejects_open(struct rejects *rejects, const char *path, const struct logger *logger,
                  char *message);

/* Says how many there were, if there were any. Does nothing to what is zeroed. */
void rejects_close(struct rejects *rejects);

/* How many records of the batch were refused. */
size_t rejects_count(const struct rejects *rejects, const struct record_batch *batch);

/* Whether the record at `index` in the batch was refused. */
bool rejects_has(const struct rejects *rejects, const struct record_batch *batch, size_t index);

/* Puts a record down, with the reason (printable ASCII). False: not possible, `message` says why.
 */
bool rejects_add(struct rejects *rejects, const struct record_batch *batch, size_t index,
                 const char *reason, char *message);

/* Makes durable what was put down of the batch; before its commit. False: `message` says why not,
 * and all of the batch is to be tried again. */
bool rejects_settle(struct rejects *rejects, const struct record_batch *batch, char *message);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RECORDS_STORE_REJECTS_H_ */
