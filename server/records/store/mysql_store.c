#include "server/records/store/mysql_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "server/records/store/mysql_schema.h"
#include "server/records/store/mysql_store_parts.h"

static void mysql_store_close(struct store *base) {
    struct mysql_store *store = (struct mysql_store *)base;
    mysql_location_destroy(&store->server.location);
    free(store->server.password);
    free(store);
}

static const struct store_operations operations = {
    .close = mysql_store_close,
    .writer_open = mysql_writer_open,
    .reader_open = mysql_reader_open,
};

/* On the first host that will do. */
static bool prepare_schema(struct mysql_store *store, char *message) {
    bool is_prepared = false;
    size_t host_count = store->server.location.host_count;
    for (size_t count = 0; count < host_count && !is_prepared; count++) {
        size_t host_index;
        MYSQL *connection = mysql_connection_open(&store->server, &host_index, message);
        if (connection == NULL) {
            return false;
        }
        is_prepared = mysql_schema_prepare(connection, &store->base.limits, message);
        mysql_connection_leave_host(&store->server, host_index, mysql_errno(connection));
        mysql_close(connection);
    }
    return is_prepared;
}

/* Fills `run` with random hexadecimal digits. */
static bool name_run(char *run) {
    unsigned char bytes[MYSQL_STORE_RUN_SIZE];
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes) {
        return false;
    }
    for (size_t index = 0; index < sizeof bytes; index++) {
        (void)snprintf(run + 2 * index, 3, "%02x", bytes[index]);
    }
    return true;
}

static bool fill_store(struct mysql_store *store, const struct store_options *options,
                       char *message) {
    store->base =
        (struct store){.operations = &operations, .writer_count_max = RECORDS_WORKERS_MAX};
    store->rejects = options->rejects;
    if (options->password != NULL) {
        store->server.password = strdup(options->password);
    }
    if ((options->password != NULL && store->server.password == NULL) || !name_run(store->run)) {
        message_format(message, "no memory or no randomness");
        return false;
    }
    return prepare_schema(store, message);
}

struct store *mysql_store_open(const char *rest, const struct store_options *options,
                               bool *is_usage_error, char *message) {
    struct mysql_store *store = calloc(1, sizeof *store);
    if (store == NULL) {
        message_format(message, "no memory");
        return NULL;
    }
    if (!mysql_location_parse(&store->server.location, rest, message)) {
        *is_usage_error = true;
        free(store);
        return NULL;
    }
    if (!fill_store(store, options, message)) {
        mysql_store_close(&store->base);
        return NULL;
    }
    return &store->base;
}
