/*
 * How another thread asks the thread of a loop for what only that one may read.
 *
 * DESIGN. The asking thread signals the inquiry's wakeup, which the loop watches, and waits. The
 * loop tells in the turn in which it sees that; one that nobody asks does nothing for it. A loop
 * that does not answer in time is asked anew the next time.
 *
 * Ownership: the status belongs to whoever holds the mutex. Threading: inquiry_ask belongs to one
 * thread, inquiry_on_asked to the loop's; init, set_source and destroy to the owner.
 */
#ifndef SERVER_RUNTIME_HTTP_INQUIRY_H_
#define SERVER_RUNTIME_HTTP_INQUIRY_H_

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "server/runtime/http/status.h"
#include "server/runtime/wakeup.h"

#ifdef __cplusplus
extern "C" {
#endif

struct inquiry {
    struct wakeup asked; /* the loop watches it, with inquiry_on_asked and the inquiry */
    struct status_source source;
    pthread_mutex_t mutex;
    pthread_cond_t answered;
    struct daemon_status status; /* guarded by the mutex, as what follows */
    uint64_t answer_count;
    bool is_closed;
};

/* 0, or a negative errno value with nothing left over. */
int inquiry_init(struct inquiry *inquiry);
void inquiry_destroy(struct inquiry *inquiry);

/* What the loop watches for inquiry_on_asked(); < 0: there is no inquiry, and no page. */
static inline int inquiry_fd(const struct inquiry *inquiry) {
    return inquiry != NULL ? inquiry->asked.fd : -1;
}

/* Who tells: to be said before anybody asks. */
void inquiry_set_source(struct inquiry *inquiry, const struct status_source *source);

/* Asks, and waits for an answer until deadline_ms. True: *status is the answer. */
bool inquiry_ask(struct inquiry *inquiry, struct daemon_status *status, int64_t deadline_ms);

/* Ends the waiting: from now on nobody is answered. By any thread. */
void inquiry_close(struct inquiry *inquiry);

/* What the loop does when the wakeup has been signalled: context is the inquiry. */
void inquiry_on_asked(void *inquiry, short events);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RUNTIME_HTTP_INQUIRY_H_ */
