/*
 * Purpose: a MySQL or MariaDB database.
 *
 * When a connection is lost during COMMIT nobody knows whether the batch was stored. Therefore each
 * transaction also writes the batch's sequence into a row of user_data_writers that belongs to the
 * writer. A second attempt of a stored batch finds its own sequence there, changes nothing, and
 * knows. If the first attempt's transaction is still alive on the server, the second one waits for
 * it at that row's lock.
 *
 * Ownership and threading: see store.h.
 */
#ifndef SERVER_RECORDS_STORE_MYSQL_STORE_H_
#define SERVER_RECORDS_STORE_MYSQL_STORE_H_

#include <stdbool.h>

#include "server/records/store/store.h"
#include "server/records/store/store_options.h"

#ifdef __cplusplus
extern "C" {
#endif

/* `rest` is the location behind its scheme: USER@HOST[:PORT]/DATABASE. See store_open. */
struct store *mysql_store_open(const char *rest, const struct store_options *options,
                               bool *is_usage_error, char *message);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RECORDS_STORE_MYSQL_STORE_H_ */
