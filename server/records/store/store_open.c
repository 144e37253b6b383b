#include "server/records/store/store_open.h"

#include <string.h>

#include "server/records/store/file_store.h"
#include "server/records/store/mysql_store.h"
#include "server/records/store/sqlite_store.h"

struct scheme {
    const char *prefix;
    struct store *(*open)(const char *rest, const struct store_options *options,
                          bool *is_usage_error, char *message);
};

static const struct scheme schemes[] = {
    {"sqlite:", sqlite_store_open},
    {"file:", file_store_open},
    {"mysql://", mysql_store_open},
};

struct store *store_open(const struct store_options *options, bool *is_usage_error, char *message) {
    *is_usage_error = false;
    for (size_t index = 0; index < sizeof schemes / sizeof schemes[0]; index++) {
        size_t prefix_size = strlen(schemes[index].prefix);
        if (strncmp(options->location, schemes[index].prefix, prefix_size) == 0) {
            return schemes[index].open(options->location + prefix_size, options, is_usage_error,
                                       message);
        }
    }
    *is_usage_error = true;
    message_format(message, "a store is sqlite:PATH, file:PATH or mysql://..., not '%s'",
                   options->location);
    return NULL;
}
