#include "server/records/store/file_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "server/records/json/record_line.h"
#include "server/records/store/file_store_parts.h"
#include "server/runtime/directory.h"
#include "server/runtime/os.h"

enum { FILE_MODE = 0640 };

static void file_close(struct store *base) {
    struct file_store *store = (struct file_store *)base;
    (void)os_close(store->fd);
    free((char *)store->path);
    free(store);
}

static const struct store_operations operations = {
    .close = file_close,
    .writer_open = file_writer_open,
    .reader_open = file_reader_open,
};

/* The functions below return NULL, or why the file cannot be used. */

static const char *why_not(int error) {
    return error == 0 ? NULL : strerror(-error);
}

/* Checks that what is behind the last newline can be the beginning of a line of ours. */
static const char *check_torn_line(const struct file_store *store, off_t begin, off_t end) {
    static const char own_beginning[] = RECORD_LINE_BEGINNING;
    char bytes[sizeof own_beginning - 1];
    size_t size = end - begin < (off_t)sizeof bytes ? (size_t)(end - begin) : sizeof bytes;
    ssize_t read_size = os_pread(store->fd, bytes, size, begin);
    if (read_size != (ssize_t)size) {
        return why_not(read_size < 0 ? (int)read_size : -EIO);
    }
    bool is_own = end - begin <= FILE_LINE_SIZE_MAX && memcmp(bytes, own_beginning, size) == 0;
    return is_own ? NULL : "it ends with something that is no record; the file was left alone";
}

/* Cuts off a last line that is torn, as kill -9 leaves it, but nothing that is not ours. */
static const char *mend_end(struct file_store *store, off_t size) {
    off_t whole_size = file_reader_find_whole_size(store->fd, size);
    off_t last_begin =
        whole_size > 0 ? file_reader_find_whole_size(store->fd, whole_size - 1) : whole_size;
    if (last_begin < 0) {
        return why_not((int)last_begin);
    }
    if (file_reader_check(store, last_begin, whole_size) != STORE_END) {
        return "its last line is no record; the file was left alone";
    }
    const char *reason = whole_size < size ? check_torn_line(store, whole_size, size) : NULL;
    if (reason != NULL) {
        return reason;
    }
    atomic_store(&store->stored_size, whole_size);
    if (whole_size == size) {
        return NULL;
    }
    logger_print(store->logger, LOG_LEVEL_WARNING, "cut a torn last line off file:%s", store->path);
    return why_not(os_ftruncate(store->fd, whole_size));
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
static const char *sync_file(const struct file_store *store) {
    int error = os_fsync(store->fd);
    if (error == 0) {
        error = directory_sync(store->path);
    }
    /* Not to be allowed to read the directory is no reason not to serve. */
    return why_not(error == -EACCES ? 0 : error);
}

static const char *open_file(struct file_store *store) {
    store->fd = os_open(store->path, O_RDWR | O_CREAT | O_APPEND, FILE_MODE);
    if (store->fd < 0) {
        return why_not(store->fd);
    }
    const char *reason = take_over(store);
    if (reason == NULL && store->syncs_always) {
        reason = sync_file(store);
    }
    if (reason != NULL) {
        (void)os_close(store->fd);
    }
    return reason;
}

bool file_store_is_in_place(const struct file_store *store) {
    struct stat named;
    struct stat opened;
    return stat(store->path, &named) == 0 && fstat(store->fd, &opened) == 0 &&
           named.st_dev == opened.st_dev && named.st_ino == opened.st_ino;
}

const char *file_store_reopen(struct file_store *store) {
    struct file_store now = {.base = store->base,
                             .path = store->path,
                             .syncs_always = store->syncs_always,
                             .logger = store->logger};
    const char *reason = open_file(&now);
    if (reason != NULL) {
        return reason;
    }
    logger_print(store->logger, LOG_LEVEL_WARNING,
                 "the store file:%s was moved, removed or replaced; it is opened anew",
                 store->path);
    /* Readers use the number at any moment: those that began before see by the generation that it
     * means another file now. */
    atomic_fetch_add(&store->generation, 1);
    int error = os_replace_descriptor(store->fd, now.fd);
    (void)os_close(now.fd);
    if (error < 0) {
        return why_not(error);
    }
    atomic_store(&store->stored_size, atomic_load(&now.stored_size));
    return NULL;
}

struct store *file_store_open(const char *rest, const struct store_options *options,
                              bool *is_usage_error, char *message) {
    *is_usage_error = rest[0] == '\0';
    if (*is_usage_error) {
        message_format(message, "the store file: needs a path");
        return NULL;
    }
    struct file_store *store = calloc(1, sizeof *store);
    if (store == NULL) {
        message_format(message, "no memory");
        return NULL;
    }
    store->base = (struct store){.operations = &operations, .writer_count_max = 1};
    store->path = strdup(rest);
    store->syncs_always = options->syncs_always;
    store->logger = options->logger;
    const char *reason = store->path == NULL ? "no memory" : open_file(store);
    if (reason != NULL) {
        message_format(message, "%s: %s", rest, reason);
        free((char *)store->path);
        free(store);
        return NULL;
    }
    return &store->base;
}
