#include "server/runtime/wakeup.h"

#include <stdint.h>

#include "server/runtime/os.h"

int wakeup_init(struct wakeup *wakeup) {
    wakeup->fd = os_eventfd();
    return wakeup->fd < 0 ? wakeup->fd : 0;
}

void wakeup_destroy(struct wakeup *wakeup) {
    (void)os_close(wakeup->fd);
    wakeup->fd = -1;
}

void wakeup_signal(const struct wakeup *wakeup) {
    uint64_t one = 1;
    /* It fails only when the counter is full, and then the loop is awake already. */
    (void)os_write(wakeup->fd, &one, sizeof one);
}

void wakeup_clear(const struct wakeup *wakeup) {
    uint64_t count;
    (void)os_read(wakeup->fd, &count, sizeof count);
}
