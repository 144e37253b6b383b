/*
 * Purpose: a file of JSON lines, one record each. The simplest store: no index, so that
 * looking up a record means to read the file.
 *
 * The file is locked while it is open. A batch is appended; when that fails half way the file is
 * cut back to where the batch began, at the latest before the next attempt. A last line without
 * its newline, left by a crash, is cut off when the file is opened. Somebody else may empty the
 * file meanwhile: batches go on at its new end, and readers that begin then see what is there.
 *
 * Ownership and threading: see store.h.
 */
#ifndef SERVER_RECORDS_STORE_FILE_STORE_H_
#define SERVER_RECORDS_STORE_FILE_STORE_H_

#include <stdbool.h>

#include "server/records/store/store.h"
#include "server/records/store/store_options.h"

#ifdef __cplusplus
extern "C" {
#endif

/* `rest` is the location behind its scheme: PATH. See store_open. */
struct store *file_store_open(const char *rest, const struct store_options *options,
                              bool *is_usage_error, char *message);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RECORDS_STORE_FILE_STORE_H_ */
