#include "server/records/store/rejects.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "server/runtime/directory.h"
#include "server/runtime/escape.h"
#include "server/runtime/os.h"

enum { FILE_MODE = 0640, ID_TEXT_CAPACITY = 128 };

/* Every record is shorter than that. */
_Static_assert((int)sizeof((struct rejects *)0)->line > RECORDS_RECORD_SIZE_MAX, "a line fits");

/* The functions below return 0 or a negative errno value. */

static int check_file(int fd) {
    struct stat status;
    if (fstat(fd, &status) != 0) {
        return -errno;
    }
    return S_ISREG(status.st_mode) ? os_lock_exclusive(fd) : -EINVAL;
}

/* A symbolic link is not followed: whoever may make one there could have us write anywhere. */
static int open_file(const char *path) {
    int fd = os_open(path, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK, FILE_MODE);
    if (fd < 0) {
        return fd;
    }
    int error = check_file(fd);
    if (error == 0) {
        error = directory_sync(path);
        error = error == -EACCES ? 0 : error; /* not to be allowed to read it is no reason */
    }
    if (error != 0) {
        (void)os_close(fd);
        return error;
    }
    return fd;
}

static bool is_in_place(const struct rejects *rejects) {
    struct stat named;
    struct stat opened;
    return rejects->fd >= 0 && lstat(rejects->path, &named) == 0 &&
           fstat(rejects->fd, &opened) == 0 && named.st_dev == opened.st_dev &&
           named.st_ino == opened.st_ino;
}

static void close_file(struct rejects *rejects) {
    if (rejects->fd >= 0) {
        (void)os_close(rejects->fd);
    }
    rejects->fd = -1;
}

static int use_file(struct rejects *rejects) {
    if (is_in_place(rejects)) {
        return 0;
    }
    close_file(rejects);
    rejects->fd = open_file(rejects->path);
    return rejects->fd < 0 ? rejects->fd : 0;
}

static const char *describe(int error) {
    switch (-error) {
    case ELOOP:
        return "it is a symbolic link";
    case EINVAL:
        return "it is no regular file";
    case EWOULDBLOCK:
        return "a server has it open";
    default:
        return strerror(-error);
    }
}

bool rejects_open(struct rejects *rejects, const char *path, const struct logger *logger,
                  char *message) {
    rejects->path = path;
    rejects->logger = logger;
    rejects->fd = -1;
    int error = -pthread_mutex_init(&rejects->mutex, NULL);
    if (error == 0 && path != NULL) {
        error = use_file(rejects);
        if (error != 0) {
            (void)pthread_mutex_destroy(&rejects->mutex);
        }
    }
    if (error != 0) {
        message_format(message, "%s: %s", path == NULL ? "no mutex" : path, describe(error));
        rejects->logger = NULL;
    }
    return error == 0;
}

void rejects_close(struct rejects *rejects) {
    if (rejects->logger == NULL) {
        return;
    }
    if (rejects->count > 0) {
        logger_print(rejects->logger, LOG_LEVEL_WARNING,
                     "the store refused %" PRIu64 " records for good", rejects->count);
    }
    close_file(rejects);
    (void)pthread_mutex_destroy(&rejects->mutex);
    rejects->logger = NULL;
}

size_t rejects_count(const struct rejects *rejects, const struct record_batch *batch) {
    const struct rejects_slot *slot = &rejects->slots[batch->slot_index];
    return slot->sequence == batch->sequence ? slot->count : 0;
}

bool rejects_has(const struct rejects *rejects, const struct record_batch *batch, size_t index) {
    return rejects_count(rejects, batch) > 0 &&
           (rejects->slots[batch->slot_index].refused[index / 8] >> index % 8 & 1) != 0;
}

/* Writes the record and the reason as one line; returns its size. */
static size_t format_line(struct rejects *rejects, const struct record_line *record,
                          const char *reason) {
    static const char BETWEEN[] = ", \"reason\": ";
    enum { BETWEEN_SIZE = sizeof BETWEEN - 1, END_SIZE = sizeof "}\n" - 1 };
    char *line = rejects->line;
    size_t size = record->size - END_SIZE;
    memcpy(line, record->bytes, size);
    memcpy(line + size, BETWEEN, BETWEEN_SIZE);
    size += BETWEEN_SIZE;
    return size + record_line_format_end(reason, line + size, sizeof rejects->line - size);
}

/* Appends the line whole, or not at all. */
static int append_line(struct rejects *rejects, size_t size) {
    int error = use_file(rejects);
    off_t end = error == 0 ? os_file_size(rejects->fd) : 0;
    if (error != 0 || end < 0) {
        return error != 0 ? error : (int)end;
    }
    /* A crash, or a file system without room, may have left a piece of a line behind. */
    char last = '\n';
    if (end > 0 && os_pread(rejects->fd, &last, 1, end - 1) != 1) {
        return -EIO;
    }
    ssize_t written_size = last == '\n' ? 1 : os_append(rejects->fd, "\n", 1);
    for (size_t done_size = 0; written_size > 0 && done_size < size;) {
        written_size = os_append(rejects->fd, rejects->line + done_size, size - done_size);
        done_size += written_size > 0 ? (size_t)written_size : 0;
    }
    if (written_size <= 0) {
        (void)os_ftruncate(rejects->fd, end);
        return written_size == 0 ? -EIO : (int)written_size;
    }
    return 0;
}

/* Under the mutex. */
static void say(struct rejects *rejects, const struct record_line *line, const char *reason) {
    rejects->count++;
    if (rejects->path == NULL) {
        char id[ID_TEXT_CAPACITY];
        struct record_text text = record_line_read(line).id;
        logger_print(rejects->logger, LOG_LEVEL_WARNING,
                     "the store refuses a record for good, it is dropped: id %s: %s",
                     escape_bytes(id, sizeof id, text.bytes, text.size), reason);
    } else if (warning_limiter_allows(&rejects->warning, os_now_ms())) {
        char path[ID_TEXT_CAPACITY];
        logger_print(rejects->logger, LOG_LEVEL_WARNING,
                     "the store refuses records for good, %" PRIu64 " so far are in %s: %s",
                     rejects->count,
                     escape_bytes(path, sizeof path, rejects->path, strlen(rejects->path)), reason);
    }
}

bool rejects_add(struct rejects *rejects, const struct record_batch *batch, size_t index,
                 const char *reason, char *message) {
    struct rejects_slot *slot = &rejects->slots[batch->slot_index];
    if (slot->sequence != batch->sequence) {
        *slot = (struct rejects_slot){.sequence = batch->sequence};
    }
    (void)pthread_mutex_lock(&rejects->mutex);
    int error = 0;
    if (rejects->path != NULL) {
        error = append_line(rejects, format_line(rejects, &batch->lines[index], reason));
    }
    if (error == 0) {
        say(rejects, &batch->lines[index], reason);
    }
    (void)pthread_mutex_unlock(&rejects->mutex);
    if (error != 0) {
        message_format(message, "a record that it refuses cannot be put down in %s: %s",
                       rejects->path, describe(error));
        return false;
    }
    slot->refused[index / 8] |= (uint8_t)(1U << index % 8);
    slot->count++;
    slot->is_unsettled = rejects->path != NULL;
    return true;
}

bool rejects_settle(struct rejects *rejects, const struct record_batch *batch, char *message) {
    struct rejects_slot *slot = &rejects->slots[batch->slot_index];
    if (rejects_count(rejects, batch) == 0 || !slot->is_unsettled) {
        return true;
    }
    (void)pthread_mutex_lock(&rejects->mutex);
    int error = rejects->fd < 0 ? -EBADF : os_fdatasync(rejects->fd);
    if (error != 0) {
        close_file(rejects); /* what it has of it is not known */
    }
    (void)pthread_mutex_unlock(&rejects->mutex);
    if (error != 0) {
        message_format(message, "records that it refuses cannot be put down in %s: %s",
                       rejects->path, describe(error));
        slot->count = 0;
        slot->sequence = 0; /* so it is put down again */
        return false;
    }
    slot->is_unsettled = false;
    return true;
}
