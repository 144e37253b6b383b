#include "server/runtime/directory.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>

#include "server/runtime/os.h"

int directory_sync(const char *file_path) {
    char *path_copy = strdup(file_path); /* dirname writes into it */
    if (path_copy == NULL) {
        return -ENOMEM;
    }
    int fd = os_open(dirname(path_copy), O_RDONLY | O_DIRECTORY, 0);
    free(path_copy);
    if (fd < 0) {
        return fd;
    }
    int error = os_fsync(fd);
    (void)os_close(fd);
    return error;
}
