#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "server/records/json/record_decoder.h"
#include "server/records/store/file_store_parts.h"
#include "server/runtime/os.h"

enum { READ_SIZE = 256 * 1024 };

struct file_reader {
    struct store_reader base;
    struct file_store *store;
    const struct record_text *id;
    struct record_decoder decoder;
    off_t offset; /* of the next byte to read */
    off_t end_offset;
    unsigned generation; /* of the file that this is about */
    size_t begin;        /* bytes[begin..size) are not decoded yet */
    size_t size;
    char bytes[FILE_LINE_SIZE_MAX + READ_SIZE];
};

off_t file_reader_find_whole_size(int fd, off_t size) {
    char bytes[4096];
    while (size > 0) {
        size_t step_size = size < (off_t)sizeof bytes ? (size_t)size : sizeof bytes;
        ssize_t read_size = os_pread(fd, bytes, step_size, size - (off_t)step_size);
        if (read_size != (ssize_t)step_size) {
            return read_size < 0 ? read_size : -EIO;
        }
        while (step_size > 0 && bytes[step_size - 1] != '\n') {
            step_size--;
            size--;
        }
        if (step_size > 0) {
            return size;
        }
    }
    return 0;
}

static void describe_error(int error, char *message) {
    message_format(message, "reading: %s", strerror(-error));
}

/* Where the last whole batch ends now; somebody may have emptied the file. Or a negative errno
 * value. */
static off_t find_stored_size(struct file_store *store) {
    off_t stored_size = atomic_load(&store->stored_size);
    off_t size = os_file_size(store->fd);
    if (size < 0 || size >= stored_size) {
        return size < 0 ? size : stored_size;
    }
    return file_reader_find_whole_size(store->fd, size);
}

/* Gets ready to read the bytes from `offset` to `end_offset`. */
static void begin_at(struct file_reader *reader, const struct record_text *id, off_t offset,
                     off_t end_offset) {
    struct record_decoder_options options = {.record_size_max = FILE_LINE_SIZE_MAX};
    record_decoder_init(&reader->decoder, &options);
    reader->id = id;
    reader->generation = atomic_load(&reader->store->generation);
    reader->offset = offset;
    reader->end_offset = end_offset;
    reader->begin = 0;
    reader->size = 0;
}

static enum store_status file_reader_begin(struct store_reader *base, const struct record_text *id,
                                           char *message) {
    struct file_reader *reader = (struct file_reader *)base;
    off_t end_offset = find_stored_size(reader->store);
    if (end_offset < 0) {
        /* Nothing is left to read, whatever the caller does next. */
        begin_at(reader, id, 0, 0);
        describe_error((int)end_offset, message);
        return STORE_UNAVAILABLE;
    }
    begin_at(reader, id, 0, end_offset);
    return STORE_OK;
}

static int fill(struct file_reader *reader) {
    memmove(reader->bytes, reader->bytes + reader->begin, reader->size - reader->begin);
    reader->size -= reader->begin;
    reader->begin = 0;
    off_t left_size = reader->end_offset - reader->offset;
    size_t room_size = sizeof reader->bytes - reader->size;
    size_t wanted_size = left_size < (off_t)room_size ? (size_t)left_size : room_size;
    ssize_t read_size =
        os_pread(reader->store->fd, reader->bytes + reader->size, wanted_size, reader->offset);
    if (atomic_load(&reader->store->generation) != reader->generation) {
        return -ESTALE;
    }
    if (read_size <= 0) {
        return read_size == 0 ? -EIO : (int)read_size;
    }
    reader->size += (size_t)read_size;
    reader->offset += read_size;
    return 0;
}

static bool is_wanted(const struct file_reader *reader, const struct record *record) {
    return reader->id == NULL || record_text_equals(*reader->id, record->id);
}

static enum store_status file_reader_next(struct store_reader *base, struct record *record,
                                          char *message) {
    struct file_reader *reader = (struct file_reader *)base;
    for (;;) {
        struct record_event event;
        record_decoder_next(&reader->decoder, reader->bytes + reader->begin,
                            reader->size - reader->begin, reader->offset == reader->end_offset,
                            &event);
        reader->begin += event.consumed_size;
        if (event.kind == RECORD_EVENT_RECORD && is_wanted(reader, &event.record)) {
            *record = event.record;
            return STORE_OK;
        }
        if (event.kind == RECORD_EVENT_ERROR || event.kind == RECORD_EVENT_LOST) {
            message_format(message, "the file holds something that is no record: %.128s",
                           event.message);
            return STORE_UNAVAILABLE;
        }
        if (event.kind == RECORD_EVENT_PARTIAL) {
            if (reader->offset == reader->end_offset) {
                return STORE_END;
            }
            int error = fill(reader);
            if (error != 0) {
                describe_error(error, message);
                return STORE_UNAVAILABLE;
            }
        }
    }
}

static void file_reader_end(struct store_reader *base) {
    record_decoder_destroy(&((struct file_reader *)base)->decoder);
}

static void file_reader_close(struct store_reader *base) {
    free(base);
}

/* No stored_sequence: what failed was cut off again, so nothing is ever in doubt. */
static const struct store_reader_operations operations = {
    .begin = file_reader_begin,
    .next = file_reader_next,
    .end = file_reader_end,
    .close = file_reader_close,
};

struct store_reader *file_reader_open(struct store *base) {
    struct file_reader *reader = malloc(sizeof *reader);
    if (reader == NULL) {
        return NULL;
    }
    reader->base.operations = &operations;
    reader->store = (struct file_store *)base;
    return &reader->base;
}

enum store_status file_reader_check(struct file_store *store, off_t begin, off_t end) {
    char message[MESSAGE_SIZE];
    struct record record;
    struct store_reader *base = file_reader_open(&store->base);
    if (base == NULL) {
        return STORE_UNAVAILABLE;
    }
    begin_at((struct file_reader *)base, NULL, begin, end);
    enum store_status status = STORE_OK;
    while (status == STORE_OK) {
        status = file_reader_next(base, &record, message);
    }
    file_reader_end(base);
    file_reader_close(base);
    return status;
}
