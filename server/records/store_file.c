#include "server/records/store_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "server/records/record_decoder.h"
#include "server/records/record_json.h"
#include "server/records/record_message.h"
#include "server/runtime/directory.h"
#include "server/runtime/os.h"

enum {
    FILE_MODE = 0644,
    /* Lines that do not lie one behind the other are gathered up to this size; longer runs are
     * written from where they are. */
    WRITE_SIZE = 16 * 1024,
    READ_SIZE = 256 * 1024,
    /* A line as we write it may be a little longer than the record was when it came. */
    LINE_SIZE_MAX = RECORDS_RECORD_SIZE_MAX + RECORDS_LINE_OVERHEAD,
};

struct file_store {
    struct store base;
    int fd;
    bool syncs_always;
    _Atomic off_t stored_size; /* bytes of whole batches; readers look no further */
};

struct file_writer {
    struct store_writer base;
    struct file_store *store;
    size_t gathered_size;
    off_t offset;       /* the end of the file, as this attempt has written it so far */
    bool has_leftovers; /* a failed attempt left bytes behind stored_size */
    char gathered[WRITE_SIZE];
};

struct file_reader {
    struct store_reader base;
    struct file_store *store;
    const struct record_text *id;
    struct record_decoder decoder;
    off_t offset; /* of the next byte to read */
    off_t end_offset;
    size_t begin; /* bytes[begin..size) are not decoded yet */
    size_t size;
    char bytes[LINE_SIZE_MAX + READ_SIZE];
};

static void describe_error(int error, const char *what, char *message) {
    record_message_format(message, "%s: %s", what, strerror(-error));
}

/* Returns the size of the file up to its last newline, or a negative errno value. */
static off_t find_whole_size(int fd, off_t size) {
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

static void file_close(struct store *base) {
    struct file_store *store = (struct file_store *)base;
    (void)os_close(store->fd);
    free(store);
}

static struct store_writer *file_writer_open(struct store *base, size_t writer_index) {
    (void)writer_index;
    struct file_writer *writer = calloc(1, sizeof *writer);
    if (writer == NULL) {
        return NULL;
    }
    writer->base.operations = base->operations;
    writer->store = (struct file_store *)base;
    return &writer->base;
}

/* Appends all of it, and counts it in the writer's offset. 0, or a negative errno value. */
static int write_bytes(struct file_writer *writer, const char *bytes, size_t size) {
    while (size > 0) {
        ssize_t written_size = os_append(writer->store->fd, bytes, size);
        if (written_size < 0) {
            return (int)written_size;
        }
        if (written_size == 0) {
            return -EIO;
        }
        writer->offset += written_size;
        bytes += written_size;
        size -= (size_t)written_size;
    }
    return 0;
}

/* Gathers lines that do not touch the one before, or writes a long one by itself. */
static int add_bytes(struct file_writer *writer, const char *bytes, size_t size) {
    int error = 0;
    if (sizeof writer->gathered - writer->gathered_size < size) {
        error = write_bytes(writer, writer->gathered, writer->gathered_size);
        writer->gathered_size = 0;
    }
    if (error != 0 || size > sizeof writer->gathered) {
        return error == 0 ? write_bytes(writer, bytes, size) : error;
    }
    memcpy(writer->gathered + writer->gathered_size, bytes, size);
    writer->gathered_size += size;
    return 0;
}

/* Returns how many lines from `index` on lie one behind the other, and the size of them all. */
static size_t measure_run(const struct record_batch *batch, size_t index, size_t *size) {
    const char *begin = batch->lines[index].bytes;
    const char *end = begin;
    size_t count = 0;
    while (index + count < batch->count && batch->lines[index + count].bytes == end) {
        end += batch->lines[index + count].size;
        count++;
    }
    *size = (size_t)(end - begin);
    return count;
}

static int write_lines(struct file_writer *writer, const struct record_batch *batch) {
    int error = 0;
    writer->gathered_size = 0;
    for (size_t index = 0; index < batch->count && error == 0;) {
        size_t size;
        const char *begin = batch->lines[index].bytes;
        index += measure_run(batch, index, &size);
        error = add_bytes(writer, begin, size);
    }
    return error == 0 ? write_bytes(writer, writer->gathered, writer->gathered_size) : error;
}

/* Makes the file end with its last whole batch: cuts off what a failed attempt has left, and takes
 * note of what somebody else has done to the file, who may have emptied it. It never becomes
 * longer: that would fill it up with NUL bytes. 0, or a negative errno value. */
static int settle_end(struct file_writer *writer) {
    struct file_store *store = writer->store;
    off_t size = os_file_size(store->fd);
    off_t whole_size = atomic_load(&store->stored_size);
    if (size < whole_size || (size > whole_size && !writer->has_leftovers)) {
        whole_size = size < 0 ? size : find_whole_size(store->fd, size);
        if (whole_size < 0) {
            return (int)whole_size;
        }
        atomic_store(&store->stored_size, whole_size);
    }
    int error = size > whole_size ? os_ftruncate(store->fd, whole_size) : 0;
    writer->has_leftovers = error != 0;
    return error;
}

static int write_batch(struct file_writer *writer, const struct record_batch *batch) {
    struct file_store *store = writer->store;
    int error = settle_end(writer);
    if (error != 0) {
        return error;
    }
    writer->offset = atomic_load(&store->stored_size);
    error = write_lines(writer, batch);
    if (error == 0 && store->syncs_always) {
        error = os_fdatasync(store->fd);
    }
    if (error == 0) {
        atomic_store(&store->stored_size, writer->offset);
    } else {
        writer->has_leftovers = true;
        /* At once, so that the file looks right meanwhile; otherwise before the next attempt. */
        (void)settle_end(writer);
    }
    return error;
}

static enum store_status file_writer_write(struct store_writer *base,
                                           const struct record_batch *batch, char *message) {
    int error = write_batch((struct file_writer *)base, batch);
    if (error != 0) {
        describe_error(error, "writing", message);
        return STORE_UNAVAILABLE;
    }
    return STORE_OK;
}

static void file_writer_close(struct store_writer *base) {
    free((struct file_writer *)base);
}

static struct store_reader *file_reader_open(struct store *base) {
    struct file_reader *reader = malloc(sizeof *reader);
    if (reader == NULL) {
        return NULL;
    }
    reader->base.operations = base->operations;
    reader->store = (struct file_store *)base;
    struct record_decoder_options options = {.record_size_max = LINE_SIZE_MAX};
    record_decoder_init(&reader->decoder, &options);
    return &reader->base;
}

/* Where the last whole batch ends now; somebody may have emptied the file. Or a negative errno
 * value. */
static off_t find_stored_size(struct file_store *store) {
    off_t stored_size = atomic_load(&store->stored_size);
    off_t size = os_file_size(store->fd);
    if (size < 0 || size >= stored_size) {
        return size < 0 ? size : stored_size;
    }
    return find_whole_size(store->fd, size);
}

/* Gets ready to read the bytes from `offset` to `end_offset`. */
static void begin_at(struct file_reader *reader, const struct record_text *id, off_t offset,
                     off_t end_offset) {
    reader->id = id;
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
        describe_error((int)end_offset, "reading", message);
        return STORE_UNAVAILABLE;
    }
    begin_at(reader, id, 0, end_offset);
    return STORE_OK;
}

static uint64_t file_reader_stored_sequence(struct store_reader *base, size_t writer_index) {
    /* What failed was cut off again, so nothing is ever in doubt. */
    (void)base;
    (void)writer_index;
    return 0;
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
            record_message_format(message, "the file holds something that is no record: %.128s",
                                  event.message);
            return STORE_UNAVAILABLE;
        }
        if (event.kind == RECORD_EVENT_PARTIAL) {
            if (reader->offset == reader->end_offset) {
                return STORE_END;
            }
            int error = fill(reader);
            if (error != 0) {
                describe_error(error, "reading", message);
                return STORE_UNAVAILABLE;
            }
        }
    }
}

static void file_reader_close(struct store_reader *base) {
    struct file_reader *reader = (struct file_reader *)base;
    record_decoder_destroy(&reader->decoder);
    free(reader);
}

static const struct store_operations operations = {
    .close = file_close,
    .writer_open = file_writer_open,
    .writer_write = file_writer_write,
    .writer_close = file_writer_close,
    .reader_open = file_reader_open,
    .reader_begin = file_reader_begin,
    .reader_stored_sequence = file_reader_stored_sequence,
    .reader_next = file_reader_next,
    .reader_close = file_reader_close,
};

/* The functions below return NULL, or why the file cannot be used. */

static const char *why_not(int error) {
    return error == 0 ? NULL : strerror(-error);
}

/* Checks that the bytes from `begin` to `end`, a line, are records. */
static const char *check_last_line(struct file_store *store, off_t begin, off_t end) {
    char message[RECORDS_MESSAGE_SIZE];
    struct record record;
    struct file_reader *reader = (struct file_reader *)file_reader_open(&store->base);
    if (reader == NULL) {
        return "no memory";
    }
    begin_at(reader, NULL, begin, end);
    enum store_status status = STORE_OK;
    while (status == STORE_OK) {
        status = file_reader_next(&reader->base, &record, message);
    }
    file_reader_close(&reader->base);
    return status == STORE_END ? NULL : "its last line is no record; the file was left alone";
}

/* Checks that what is behind the last newline can be the beginning of a line of ours. */
static const char *check_torn_line(const struct file_store *store, off_t begin, off_t end) {
    static const char own_beginning[] = RECORD_JSON_BEFORE_ID;
    char bytes[sizeof own_beginning - 1];
    size_t size = end - begin < (off_t)sizeof bytes ? (size_t)(end - begin) : sizeof bytes;
    ssize_t read_size = os_pread(store->fd, bytes, size, begin);
    if (read_size != (ssize_t)size) {
        return why_not(read_size < 0 ? (int)read_size : -EIO);
    }
    bool is_own = end - begin <= LINE_SIZE_MAX && memcmp(bytes, own_beginning, size) == 0;
    return is_own ? NULL : "it ends with something that is no record; the file was left alone";
}

/* Cuts off a last line that is torn, as kill -9 leaves it, but nothing that is not ours. */
static const char *mend_end(struct file_store *store, off_t size) {
    off_t whole_size = find_whole_size(store->fd, size);
    off_t last_begin = whole_size > 0 ? find_whole_size(store->fd, whole_size - 1) : whole_size;
    if (last_begin < 0) {
        return why_not((int)last_begin);
    }
    const char *reason = check_last_line(store, last_begin, whole_size);
    if (reason == NULL && whole_size < size) {
        reason = check_torn_line(store, whole_size, size);
    }
    if (reason != NULL) {
        return reason;
    }
    atomic_init(&store->stored_size, whole_size);
    store->base.is_mended = whole_size < size;
    return store->base.is_mended ? why_not(os_ftruncate(store->fd, whole_size)) : NULL;
}

/* Locks the file, and makes it end with a whole line. */
static const char *take_over(struct file_store *store) {
    struct stat status;
    int error = os_lock_exclusive(store->fd);
    if (error != 0) {
        return error == -EWOULDBLOCK ? "another server has it open" : why_not(error);
    }
    if (fstat(store->fd, &status) != 0) {
        return why_not(-errno);
    }
    if (!S_ISREG(status.st_mode)) {
        return "it is no regular file";
    }
    return mend_end(store, status.st_size);
}

/* Makes durable that the file exists, and what is in it: batches are confirmed on top of it. */
static const char *sync_file(const struct file_store *store, const char *path) {
    int error = os_fsync(store->fd);
    if (error == 0) {
        error = directory_sync(path);
    }
    /* Not to be allowed to read the directory is no reason not to serve. */
    return why_not(error == -EACCES ? 0 : error);
}

static const char *open_file(struct file_store *store, const char *path) {
    store->fd = os_open(path, O_RDWR | O_CREAT | O_APPEND, FILE_MODE);
    if (store->fd < 0) {
        return why_not(store->fd);
    }
    const char *reason = take_over(store);
    if (reason == NULL && store->syncs_always) {
        reason = sync_file(store, path);
    }
    if (reason != NULL) {
        (void)os_close(store->fd);
    }
    return reason;
}

struct store *store_file_open(const char *rest, const struct store_options *options,
                              bool *is_usage_error, char *message) {
    *is_usage_error = rest[0] == '\0';
    if (*is_usage_error) {
        record_message_format(message, "the store file: needs a path");
        return NULL;
    }
    struct file_store *store = calloc(1, sizeof *store);
    if (store == NULL) {
        record_message_format(message, "no memory");
        return NULL;
    }
    store->base = (struct store){.operations = &operations, .writer_count_max = 1};
    store->syncs_always = options->syncs_always;
    const char *reason = open_file(store, rest);
    if (reason != NULL) {
        record_message_format(message, "%s: %s", rest, reason);
        free(store);
        return NULL;
    }
    return &store->base;
}
