/*
 * Purpose: an SQLite database in WAL mode: one writer at a time, readers beside it.
 *
 * A transaction that failed is known not to have happened, so an attempt can simply be repeated.
 * Readers fetch a page at a time and hold no transaction between two pages: a client that reads
 * slowly keeps neither the writer nor the clearing of the log waiting. Rows are only ever added,
 * with ascending row numbers, so that a highest row number is all that a snapshot needs.
 *
 * Ownership and threading: see store.h.
 */
#ifndef SERVER_RECORDS_STORE_SQLITE_STORE_H_
#define SERVER_RECORDS_STORE_SQLITE_STORE_H_

#include <stdbool.h>

#include "server/records/store/store.h"
#include "server/records/store/store_options.h"

#ifdef __cplusplus
extern "C" {
#endif

/* `rest` is the location behind its scheme: PATH. See store_open. */
struct store *sqlite_store_open(const char *rest, const struct store_options *options,
                                bool *is_usage_error, char *message);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RECORDS_STORE_SQLITE_STORE_H_ */
