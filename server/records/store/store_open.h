/* Opens the stores: the one place that knows which there are. */
#ifndef SERVER_RECORDS_STORE_STORE_OPEN_H_
#define SERVER_RECORDS_STORE_STORE_OPEN_H_

#include <stdbool.h>

#include "server/records/store/store.h"
#include "server/records/store/store_options.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Opens a store and creates what is missing in it. NULL: not possible, `message` (MESSAGE_SIZE
 * bytes) says why. `is_usage_error` tells whether the location itself is wrong. */
struct store *store_open(const struct store_options *options, bool *is_usage_error, char *message);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RECORDS_STORE_STORE_OPEN_H_ */
