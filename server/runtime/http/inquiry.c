#include "server/runtime/http/inquiry.h"

#include "server/runtime/condition.h"

int inquiry_init(struct inquiry *inquiry) {
    *inquiry = (struct inquiry){0};
    int error = wakeup_init(&inquiry->asked);
    if (error != 0) {
        return error;
    }
    error = -pthread_mutex_init(&inquiry->mutex, NULL);
    if (error == 0) {
        error = condition_init(&inquiry->answered);
        if (error == 0) {
            return 0;
        }
        (void)pthread_mutex_destroy(&inquiry->mutex);
    }
    wakeup_destroy(&inquiry->asked);
    return error;
}

void inquiry_destroy(struct inquiry *inquiry) {
    (void)pthread_cond_destroy(&inquiry->answered);
    (void)pthread_mutex_destroy(&inquiry->mutex);
    wakeup_destroy(&inquiry->asked);
}

void inquiry_set_source(struct inquiry *inquiry, const struct status_source *source) {
    inquiry->source = *source;
}

bool inquiry_ask(struct inquiry *inquiry, struct daemon_status *status, int64_t deadline_ms) {
    (void)pthread_mutex_lock(&inquiry->mutex);
    uint64_t seen_count = inquiry->answer_count;
    wakeup_signal(&inquiry->asked);
    while (inquiry->answer_count == seen_count && !inquiry->is_closed &&
           !condition_wait_until(&inquiry->answered, &inquiry->mutex, deadline_ms)) {
    }
    bool is_answered = inquiry->answer_count != seen_count;
    if (is_answered) {
        *status = inquiry->status;
    }
    (void)pthread_mutex_unlock(&inquiry->mutex);
    return is_answered;
}

void inquiry_close(struct inquiry *inquiry) {
    (void)pthread_mutex_lock(&inquiry->mutex);
    inquiry->is_closed = true;
    (void)pthread_cond_signal(&inquiry->answered);
    (void)pthread_mutex_unlock(&inquiry->mutex);
}

void inquiry_on_asked(void *context, short events) {
    (void)events;
    struct inquiry *inquiry = context;
    wakeup_clear(&inquiry->asked);
    (void)pthread_mutex_lock(&inquiry->mutex);
    inquiry->status = (struct daemon_status){0};
    inquiry->source.tell(inquiry->source.context, &inquiry->status);
    inquiry->answer_count++;
    (void)pthread_cond_signal(&inquiry->answered);
    (void)pthread_mutex_unlock(&inquiry->mutex);
}
