#include "server/runtime/output.h"

#include <errno.h>

#include "server/runtime/os.h"

bool output_has_room(int fd, int wait_ms) {
    struct pollfd polled = {.fd = fd, .events = POLLOUT};
    return os_poll(&polled, 1, wait_ms) == 1;
}

ssize_t output_write_if_room(int fd, const void *bytes, size_t size) {
    return output_has_room(fd, 0) ? os_write(fd, bytes, size) : -EAGAIN;
}
