/*
 * When to say how far an import has come: whoever pipes a file into the ingest port sees nothing of
 * it there. Everyday traffic is no import, and is not told of.
 *
 * Threading: none inside; belongs to one thread.
 */
#ifndef SERVER_RECORDS_IMPORT_PROGRESS_H_
#define SERVER_RECORDS_IMPORT_PROGRESS_H_

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    IMPORT_PROGRESS_PERIOD_MS = 10 * 1000,
    /* So many records in a period are an import. */
    IMPORT_PROGRESS_COUNT_MIN = 10 * 1000,
};

/* Zeroed at the start. */
struct import_progress {
    int64_t begin_ms; /* of the period; 0: none has begun */
    uint64_t begin_count;
};

/* Whether a period with an import has come to its end. record_count: of all records received. Call
 * it as often as you like. */
bool import_progress_is_due(struct import_progress *progress, uint64_t record_count,
                            int64_t now_ms);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RECORDS_IMPORT_PROGRESS_H_ */
