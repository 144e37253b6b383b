/*
 * Answers a lookup by id at once, without waiting for anybody, where that is possible: from the
 * buffer, and with a reader of the store that never waits (store_quick_reader_open).
 *
 * Threading: the reader's thread.
 */
#ifndef SERVER_RECORDS_QUERY_ATTEMPT_H_
#define SERVER_RECORDS_QUERY_ATTEMPT_H_

#include "server/records/query_answer.h"

enum query_attempt {
    QUERY_ATTEMPT_ANSWERED,
    QUERY_ATTEMPT_IMPOSSIBLE, /* nothing was sent: whoever may wait has to answer */
    QUERY_ATTEMPT_TORN,       /* a part was sent: the connection has to be reset */
};

/* Answers over the connected socket `fd` and leaves it open. The reader may be NULL. */
enum query_attempt query_attempt(struct record_buffer *buffer, struct store_reader *reader,
                                 const struct query *query, int fd);

#endif /* SERVER_RECORDS_QUERY_ATTEMPT_H_ */
