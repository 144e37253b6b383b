#include "server/numbers/log/log_tail.h"

#include <errno.h>
#include <string.h>

#include "server/runtime/os.h"

enum { CHUNK_SIZE = 4096 };

/* Reads all of size bytes. 0, or a negative errno value. */
static int read_all(int fd, char *bytes, size_t size, off_t offset) {
    size_t done_size = 0;
    while (done_size < size) {
        ssize_t count =
            os_pread(fd, bytes + done_size, size - done_size, offset + (off_t)done_size);
        if (count <= 0) {
            return count < 0 ? (int)count : -EAGAIN;
        }
        done_size += (size_t)count;
    }
    return 0;
}

off_t log_tail_find(int fd, off_t size) {
    char chunk[CHUNK_SIZE];
    while (size > 0) {
        size_t chunk_size = size < CHUNK_SIZE ? (size_t)size : CHUNK_SIZE;
        off_t chunk_offset = size - (off_t)chunk_size;
        int error = read_all(fd, chunk, chunk_size, chunk_offset);
        if (error != 0) {
            return error;
        }
        const char *newline = memrchr(chunk, '\n', chunk_size);
        if (newline != NULL) {
            return chunk_offset + (newline - chunk) + 1;
        }
        size = chunk_offset;
    }
    return 0;
}

off_t log_tail_cut(int fd) {
    off_t size;
    off_t line_end;
    do {
        size = os_file_size(fd);
        line_end = size > 0 ? log_tail_find(fd, size) : size;
    } while (line_end == -EAGAIN);
    if (line_end < 0 || line_end == size) {
        return line_end;
    }
    int error = os_ftruncate(fd, line_end);
    return error != 0 ? error : line_end;
}

bool log_tail_is_disk_full(ssize_t error) {
    return error == -ENOSPC || error == -EDQUOT || error == -EFBIG;
}
