/* What a store is opened with. */
#ifndef SERVER_RECORDS_STORE_STORE_OPTIONS_H_
#define SERVER_RECORDS_STORE_STORE_OPTIONS_H_

#include <stdbool.h>

#include "server/records/store/rejects.h"
#include "server/runtime/logger.h"

struct store_options {
    const char *location;        /* sqlite:PATH, file:PATH or mysql://USER@HOST[:PORT]/DATABASE */
    const char *password;        /* for mysql; NULL for none */
    bool syncs_always;           /* a batch is on the disk when it counts as stored */
    struct rejects *rejects;     /* takes what the store refuses; as the logger */
    const struct logger *logger; /* for warnings; stays the caller's while the store is open */
};

#endif /* SERVER_RECORDS_STORE_STORE_OPTIONS_H_ */
