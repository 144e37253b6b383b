#include "server/sessions/state_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/runtime/os.h"

enum { FILE_MODE = 0600, OPEN_ATTEMPT_COUNT = 10 };

/* Of the file that a new content is written to: no other file has its name. */
static const char new_suffix[] = ".XXXXXX";

static enum state_file_result fail(struct state_file *file, int error) {
    file->error = error;
    return STATE_FILE_IO_ERROR;
}

static enum state_file_result write_all(struct state_file *file, int fd, const char *bytes,
                                        size_t size) {
    while (size > 0) {
        ssize_t written_size = os_write(fd, bytes, size);
        if (written_size < 0) {
            return fail(file, (int)-written_size);
        }
        bytes += written_size;
        size -= (size_t)written_size;
    }
    return STATE_FILE_OK;
}

/* Opens what is at the path, or a new file. A link is followed by nobody: where it leads is not
 * what the user named. */
static int open_path(const char *path) {
    int fd = os_open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK, 0);
    return fd == -ENOENT
               ? os_open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CREAT | O_EXCL, FILE_MODE)
               : fd;
}

/* Whether the path still leads to the open file: another client may have replaced it before it let
 * go of the lock. */
static bool is_current(const struct stat *opened, const char *path) {
    struct stat named;
    return lstat(path, &named) == 0 && named.st_dev == opened->st_dev &&
           named.st_ino == opened->st_ino;
}

/* Locks the open file and looks whether it is one of ours. */
static enum state_file_result examine(struct state_file *file, const struct stat *opened,
                                      state_file_checker *is_own) {
    char head[STATE_FILE_HEAD_SIZE];
    int error = os_lock_exclusive(file->fd);
    if (error != 0) {
        return error == -EWOULDBLOCK ? STATE_FILE_IN_USE : fail(file, -error);
    }
    ssize_t size = os_pread(file->fd, head, sizeof head, 0);
    if (size < 0) {
        return fail(file, (int)-size);
    }
    if (size > 0 && !is_own(head, (size_t)size)) {
        return STATE_FILE_FOREIGN;
    }
    bool is_open_to_others = (opened->st_mode & 077) != 0;
    return is_open_to_others && fchmod(file->fd, FILE_MODE) != 0 ? fail(file, errno)
                                                                 : STATE_FILE_OK;
}

enum state_file_result state_file_open(struct state_file *file, const char *path,
                                       state_file_checker *is_own) {
    *file = (struct state_file){.path = path};
    for (int i = 0; i < OPEN_ATTEMPT_COUNT; i++) {
        struct stat opened;
        file->fd = open_path(path);
        if (file->fd == -ELOOP || file->fd == -EISDIR) {
            return STATE_FILE_FOREIGN;
        }
        if (file->fd < 0) {
            if (file->fd == -EEXIST) {
                continue; /* somebody was faster */
            }
            return fail(file, -file->fd);
        }
        enum state_file_result result = STATE_FILE_FOREIGN;
        if (fstat(file->fd, &opened) != 0) {
            result = fail(file, errno);
        } else if (S_ISREG(opened.st_mode)) {
            result = examine(file, &opened, is_own);
        }
        if (result == STATE_FILE_OK && is_current(&opened, path)) {
            return result;
        }
        (void)os_close(file->fd);
        if (result != STATE_FILE_OK) {
            return result;
        }
    }
    return STATE_FILE_IN_USE;
}

enum state_file_result state_file_replace(struct state_file *file, const char *bytes, size_t size) {
    char path[STATE_FILE_PATH_SIZE];
    if (strlen(file->path) + sizeof new_suffix > sizeof path) {
        return fail(file, ENAMETOOLONG);
    }
    (void)snprintf(path, sizeof path, "%s%s", file->path, new_suffix);
    int fd = mkostemp(path, O_CLOEXEC); /* its owner's alone */
    if (fd < 0) {
        return fail(file, errno);
    }
    int error = os_lock_exclusive(fd);
    enum state_file_result result =
        error != 0 ? fail(file, -error) : write_all(file, fd, bytes, size);
    if (result == STATE_FILE_OK && rename(path, file->path) != 0) {
        result = fail(file, errno);
    }
    if (result != STATE_FILE_OK) {
        (void)os_close(fd);
        (void)unlink(path);
        return result;
    }
    (void)os_close(file->fd);
    file->fd = fd;
    return STATE_FILE_OK;
}

enum state_file_result state_file_append(struct state_file *file, const char *bytes, size_t size) {
    return write_all(file, file->fd, bytes, size);
}

enum state_file_result state_file_cut(struct state_file *file, off_t size) {
    int error = os_ftruncate(file->fd, size);
    if (error != 0) {
        return fail(file, -error);
    }
    return lseek(file->fd, size, SEEK_SET) == size ? STATE_FILE_OK : fail(file, errno);
}

void state_file_close(struct state_file *file) {
    (void)os_close(file->fd);
}
