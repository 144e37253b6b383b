/*
 * Answers a query from the buffer and the store, a record a line, without ever holding more of the
 * store than a page.
 *
 * Threading: any number of threads may answer at the same time.
 */
#ifndef SERVER_RECORDS_QUERY_ANSWER_H_
#define SERVER_RECORDS_QUERY_ANSWER_H_

#include <stdbool.h>
#include <stddef.h>

#include "server/records/query.h"
#include "server/records/record_buffer.h"
#include "server/records/record_gate.h"
#include "server/records/store/store.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Where records are. The reader is the thread's own. */
struct query_source {
    struct record_buffer *buffer;
    struct record_gate *gate; /* around the writers' transactions */
    struct store_reader *reader;
    bool is_trial; /* an error is not told: the answer ends as if the sink wanted no more */
};

/* Where the lines go. `write` returns false when no more of them are wanted. */
struct query_sink {
    bool (*write)(void *context, const char *bytes, size_t size);
    void *context;
};

/* Writes the answer; where the store fails, its last line is {"error": "..."}. False: the sink
 * wanted no more. */
bool query_answer(const struct query_source *source, const struct query *query,
                  const struct query_sink *sink);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RECORDS_QUERY_ANSWER_H_ */
