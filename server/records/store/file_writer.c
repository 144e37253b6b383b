#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "server/records/store/file_store_parts.h"
#include "server/runtime/os.h"

/* Lines that do not lie one behind the other are gathered up to this size; longer runs are written
 * from where they are. */
enum { WRITE_SIZE = 16 * 1024 };

struct file_writer {
    struct store_writer base;
    struct file_store *store;
    size_t gathered_size;
    off_t offset;       /* the end of the file, as this attempt has written it so far */
    bool has_leftovers; /* a failed attempt left bytes behind stored_size */
    char gathered[WRITE_SIZE];
};

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
        whole_size = size < 0 ? size : file_reader_find_whole_size(store->fd, size);
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
    if (error == 0 && !file_store_is_in_place(store)) {
        error = -ESTALE; /* it went meanwhile, and the batch has to be where the path leads */
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

static enum store_status file_writer_connect(struct store_writer *base, char *message) {
    struct file_writer *writer = (struct file_writer *)base;
    if (file_store_is_in_place(writer->store)) {
        return STORE_OK;
    }
    const char *reason = file_store_reopen(writer->store);
    if (reason != NULL) {
        message_format(message, "opening %s: %s", writer->store->path, reason);
        return STORE_UNAVAILABLE;
    }
    writer->has_leftovers = false;
    return STORE_OK;
}

static enum store_status file_writer_write(struct store_writer *base,
                                           const struct record_batch *batch, char *message) {
    int error = write_batch((struct file_writer *)base, batch);
    if (error != 0) {
        message_format(message, "writing: %s", strerror(-error));
        return STORE_UNAVAILABLE;
    }
    return STORE_OK;
}

static void file_writer_close(struct store_writer *base) {
    free((struct file_writer *)base);
}

static const struct store_writer_operations operations = {
    .connect = file_writer_connect,
    .write = file_writer_write,
    .close = file_writer_close,
};

struct store_writer *file_writer_open(struct store *base) {
    struct file_writer *writer = calloc(1, sizeof *writer);
    if (writer == NULL) {
        return NULL;
    }
    writer->base.operations = &operations;
    writer->store = (struct file_store *)base;
    return &writer->base;
}
