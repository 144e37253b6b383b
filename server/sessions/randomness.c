#include "server/sessions/randomness.h"

#include <errno.h>
#include <stdint.h>
#include <sys/random.h>

bool randomness_fill(void *bytes, size_t size) {
    uint8_t *next = bytes;
    while (size > 0) {
        ssize_t received = getrandom(next, size, 0);
        if (received < 0 && errno != EINTR) {
            return false;
        }
        if (received > 0) {
            next += received;
            size -= (size_t)received;
        }
    }
    return true;
}
