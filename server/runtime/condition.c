#include "server/runtime/condition.h"

#include <errno.h>
#include <time.h>

int condition_init(pthread_cond_t *condition) {
    pthread_condattr_t attributes;
    int error = pthread_condattr_init(&attributes);
    if (error != 0) {
        return -error;
    }
    error = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    if (error == 0) {
        error = pthread_cond_init(condition, &attributes);
    }
    (void)pthread_condattr_destroy(&attributes);
    return -error;
}

bool condition_wait_until(pthread_cond_t *condition, pthread_mutex_t *mutex, int64_t deadline_ms) {
    struct timespec deadline = {.tv_sec = deadline_ms / 1000,
                                .tv_nsec = (long)(deadline_ms % 1000) * 1000000};
    return pthread_cond_timedwait(condition, mutex, &deadline) == ETIMEDOUT;
}
