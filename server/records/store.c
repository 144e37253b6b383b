#include "server/records/store.h"

#include <string.h>

#include "server/records/record_message.h"
#include "server/records/store_file.h"
#include "server/records/store_mysql.h"
#include "server/records/store_sqlite.h"

struct scheme {
    const char *prefix;
    struct store *(*open)(const char *rest, const struct store_options *options,
                          bool *is_usage_error, char *message);
};

static const struct scheme schemes[] = {
    {"sqlite:", store_sqlite_open},
    {"file:", store_file_open},
    {"mysql://", store_mysql_open},
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
    record_message_format(message, "a store is sqlite:PATH, file:PATH or mysql://..., not '%s'",
                          options->location);
    return NULL;
}

void store_close(struct store *store) {
    store->operations->close(store);
}

void store_cancel(struct store *store) {
    if (store->operations->cancel != NULL) {
        store->operations->cancel(store);
    }
}

struct store_writer *store_writer_open(struct store *store, size_t writer_index) {
    return store->operations->writer_open(store, writer_index);
}

enum store_status store_writer_write(struct store_writer *writer, const struct record_batch *batch,
                                     char *message) {
    return writer->operations->writer_write(writer, batch, message);
}

void store_writer_close(struct store_writer *writer) {
    writer->operations->writer_close(writer);
}

struct store_reader *store_reader_open(struct store *store) {
    return store->operations->reader_open(store);
}

enum store_status store_reader_begin(struct store_reader *reader, const struct record_text *id,
                                     char *message) {
    return reader->operations->reader_begin(reader, id, message);
}

uint64_t store_reader_stored_sequence(struct store_reader *reader, size_t writer_index) {
    return reader->operations->reader_stored_sequence(reader, writer_index);
}

enum store_status store_reader_next(struct store_reader *reader, struct record *record,
                                    char *message) {
    return reader->operations->reader_next(reader, record, message);
}

void store_reader_close(struct store_reader *reader) {
    reader->operations->reader_close(reader);
}
