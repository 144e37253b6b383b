/*
 * Wakes a poll loop from another thread.
 *
 * Threading: wakeup_signal may be called by any thread; the rest belongs to the loop's thread.
 */
#ifndef SERVER_RUNTIME_WAKEUP_H_
#define SERVER_RUNTIME_WAKEUP_H_

#ifdef __cplusplus
extern "C" {
#endif

struct wakeup {
    int fd; /* an eventfd: watch it for POLLIN */
};

/* 0, or a negative errno value. */
int wakeup_init(struct wakeup *wakeup);
void wakeup_destroy(struct wakeup *wakeup);

void wakeup_signal(const struct wakeup *wakeup);

/* Takes back all signals given so far. Look for what happened after this, not before. */
void wakeup_clear(const struct wakeup *wakeup);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RUNTIME_WAKEUP_H_ */
