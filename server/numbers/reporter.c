#include "server/numbers/reporter.h"

#include <inttypes.h>
#include <stdio.h>

#include "server/runtime/condition.h"
#include "server/runtime/os.h"
#include "server/runtime/output.h"

enum {
    LINE_CAPACITY = 160, /* less than PIPE_BUF: see output.h */
    /* How long the last report waits for a reader of standard output. */
    LAST_REPORT_WAIT_MS = 500,
};

static void report(struct reporter *reporter, int wait_ms) {
    if (!output_has_room(reporter->fd, wait_ms)) {
        return;
    }
    uint64_t unique_count = atomic_load(&reporter->tally->unique_count);
    uint64_t duplicate_count = atomic_load(&reporter->tally->duplicate_count);
    char line[LINE_CAPACITY];
    int size = snprintf(line, sizeof line,
                        "Received %" PRIu64 " unique numbers, %" PRIu64
                        " duplicates. Unique total: %" PRIu64 "\n",
                        unique_count - reporter->reported_unique_count,
                        duplicate_count - reporter->reported_duplicate_count, unique_count);
    /* An output that fails (its reader has gone, its disk is full) is no reason to stop serving. Of
     * a line that was cut short nobody can tell what it said: the next one says it again. */
    if (os_write(reporter->fd, line, (size_t)size) != size) {
        return;
    }
    service_manager_say_status(reporter->manager, line);
    reporter->reported_unique_count = unique_count;
    reporter->reported_duplicate_count = duplicate_count;
}

/* Waits for the beginning of the first interval and returns when it was; -1 if the server finishes
 * before. */
static int64_t wait_for_begin(struct reporter *reporter) {
    (void)pthread_mutex_lock(&reporter->mutex);
    while (!reporter->is_finishing && reporter->begin_ms < 0) {
        (void)pthread_cond_wait(&reporter->changed, &reporter->mutex);
    }
    int64_t begin_ms = reporter->begin_ms;
    (void)pthread_mutex_unlock(&reporter->mutex);
    return begin_ms;
}

/* Waits until deadline_ms; false if the server finishes before. */
static bool wait_until(struct reporter *reporter, int64_t deadline_ms) {
    (void)pthread_mutex_lock(&reporter->mutex);
    while (!reporter->is_finishing &&
           !condition_wait_until(&reporter->changed, &reporter->mutex, deadline_ms)) {
    }
    bool goes_on = !reporter->is_finishing;
    (void)pthread_mutex_unlock(&reporter->mutex);
    return goes_on;
}

static void *run_reporter(void *context) {
    struct reporter *reporter = context;
    int64_t begin_ms = wait_for_begin(reporter);
    if (begin_ms < 0) {
        return NULL;
    }
    int64_t deadline_ms = begin_ms + reporter->interval_ms;
    while (wait_until(reporter, deadline_ms)) {
        report(reporter, 0);
        int64_t late_ms = os_now_ms() - deadline_ms;
        deadline_ms += (late_ms / reporter->interval_ms + 1) * reporter->interval_ms;
    }
    report(reporter, LAST_REPORT_WAIT_MS);
    return NULL;
}

int reporter_init(struct reporter *reporter, const struct tally *tally, int fd, int64_t interval_ms,
                  const struct service_manager *manager) {
    *reporter = (struct reporter){
        .tally = tally, .manager = manager, .fd = fd, .interval_ms = interval_ms, .begin_ms = -1};
    int error = -pthread_mutex_init(&reporter->mutex, NULL);
    if (error != 0) {
        return error;
    }
    error = condition_init(&reporter->changed);
    if (error == 0) {
        error = os_thread_create(&reporter->thread, "reporter", run_reporter, reporter);
        if (error == 0) {
            return 0;
        }
        (void)pthread_cond_destroy(&reporter->changed);
    }
    (void)pthread_mutex_destroy(&reporter->mutex);
    return error;
}

void reporter_begin(struct reporter *reporter) {
    (void)pthread_mutex_lock(&reporter->mutex);
    reporter->begin_ms = os_now_ms();
    (void)pthread_cond_signal(&reporter->changed);
    (void)pthread_mutex_unlock(&reporter->mutex);
}

void reporter_finish(struct reporter *reporter) {
    (void)pthread_mutex_lock(&reporter->mutex);
    reporter->is_finishing = true;
    (void)pthread_cond_signal(&reporter->changed);
    (void)pthread_mutex_unlock(&reporter->mutex);
    (void)pthread_join(reporter->thread, NULL);
    (void)pthread_cond_destroy(&reporter->changed);
    (void)pthread_mutex_destroy(&reporter->mutex);
}
