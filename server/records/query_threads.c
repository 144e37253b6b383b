#include "server/records/query_threads.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "server/runtime/listener.h"
#include "server/runtime/os.h"

enum {
    /* How long a client may take nothing of its answer. */
    STANDSTILL_MS = 30 * 1000,
    /* How long it may keep its thread waiting in all, and the bytes that it has to take for each
     * further second: less than any line that people still use, but no trickle. */
    WAIT_MS = 30 * 1000,
    RATE_MIN = 64 * 1024,
    /* How soon a cancellation is noticed. */
    CANCEL_CHECK_MS = 100,
};

/* So many closed connections may wait for the poll loop's next round before it is woken for them.
 */
enum { DONE_COUNT_MAX = 16 };

enum { LONG_THREADS_MAX = RECORDS_QUERY_THREADS - RECORDS_LOOKUP_THREADS };

struct client {
    struct query_threads *threads;
    int fd;
    bool is_long; /* counts among the threads' long_count */
    uint64_t sent_size;
    int64_t waited_ms;
};

/* Makes a lookup one of the long answers. False: there are as many as there may be. */
static bool become_long(struct client *client) {
    struct query_threads *threads = client->threads;
    (void)pthread_mutex_lock(&threads->mutex);
    if (!client->is_long && threads->long_count < LONG_THREADS_MAX) {
        client->is_long = true;
        threads->long_count++;
    }
    (void)pthread_mutex_unlock(&threads->mutex);
    return client->is_long;
}

/* Waits until the client has taken something. False: it takes too little, or all was cancelled. */
static bool await_client(struct client *client) {
    int64_t begin_ms = os_now_ms();
    int64_t wait_ms =
        WAIT_MS + (int64_t)(client->sent_size / (RATE_MIN / 1000)) - client->waited_ms;
    int64_t deadline_ms = begin_ms + (wait_ms < STANDSTILL_MS ? wait_ms : STANDSTILL_MS);
    int count = 0;
    while (count == 0 && !atomic_load(&client->threads->is_cancelled) &&
           os_now_ms() < deadline_ms) {
        struct pollfd polled = {.fd = client->fd, .events = POLLOUT};
        count = os_poll(&polled, 1, CANCEL_CHECK_MS);
    }
    client->waited_ms += os_now_ms() - begin_ms;
    return count > 0;
}

static bool send_bytes(void *context, const char *bytes, size_t size) {
    struct client *client = context;
    while (size > 0 && !atomic_load(&client->threads->is_cancelled)) {
        ssize_t sent_size = os_send_before(client->fd, bytes, size);
        if (sent_size >= 0) {
            bytes += sent_size;
            size -= (size_t)sent_size;
            client->sent_size += (size_t)sent_size;
        } else if (sent_size != -EAGAIN || !become_long(client) || !await_client(client)) {
            return false;
        }
    }
    return size == 0;
}

bool query_threads_end_answer(int fd) {
    char byte;
    /* The only FIN that may ever be sent. */
    listener_set_reset_on_close(fd, false);
    if (os_recv(fd, &byte, sizeof byte) == 0) {
        (void)os_close(fd);
        return true;
    }
    (void)shutdown(fd, SHUT_WR);
    return false;
}

static void hand_back(struct query_threads *threads, struct query_job *job, bool was_long) {
    (void)pthread_mutex_lock(&threads->mutex);
    bool is_urgent = job->fd >= 0 || ++threads->done_count == DONE_COUNT_MAX;
    job->next_done = threads->done;
    threads->done = job;
    threads->long_count -= was_long;
    (void)pthread_mutex_unlock(&threads->mutex);
    if (is_urgent) {
        wakeup_signal(threads->config.done);
    }
}

static void run_job(struct query_threads *threads, struct store_reader *reader,
                    struct query_job *job) {
    struct client client = {
        .threads = threads, .fd = job->fd, .is_long = !query_is_lookup(&job->query)};
    struct query_sink sink = {.write = send_bytes, .context = &client};
    struct query_source source = {
        .buffer = threads->config.buffer, .gate = threads->config.gate, .reader = reader};
    if (!query_answer(&source, &job->query, &sink)) {
        listener_reset_connection(job->fd);
        job->fd = -1;
    } else if (query_threads_end_answer(job->fd)) {
        job->fd = -1;
    }
    hand_back(threads, job, client.is_long);
}

/* Takes out the oldest job that may be begun now, with the mutex held. NULL: there is none. */
static struct query_job *take_oldest(struct query_threads *threads) {
    bool is_long_allowed = threads->long_count < LONG_THREADS_MAX;
    for (size_t index = 0; index < threads->waiting_count; index++) {
        struct query_job *job = threads->waiting[index];
        bool is_lookup = query_is_lookup(&job->query);
        if (is_lookup || is_long_allowed) {
            threads->long_count += !is_lookup;
            threads->waiting_count--;
            memmove(threads->waiting + index, threads->waiting + index + 1,
                    (threads->waiting_count - index) * sizeof threads->waiting[0]);
            return job;
        }
    }
    return NULL;
}

/* Waits for a job. NULL: there will be none, or none that the threads which are at work now do not
 * come to afterwards. */
static struct query_job *take_job(struct query_threads *threads) {
    (void)pthread_mutex_lock(&threads->mutex);
    struct query_job *job = take_oldest(threads);
    while (job == NULL && !threads->is_stopping) {
        (void)pthread_cond_wait(&threads->submitted, &threads->mutex);
        job = take_oldest(threads);
    }
    (void)pthread_mutex_unlock(&threads->mutex);
    return job;
}

static void *run_thread(void *context) {
    struct query_thread *thread = context;
    struct query_threads *threads = thread->threads;
    for (struct query_job *job = take_job(threads); job != NULL; job = take_job(threads)) {
        run_job(threads, thread->reader, job);
    }
    store_reader_close(thread->reader);
    return NULL;
}

static int start_thread(struct query_threads *threads) {
    struct query_thread *thread = &threads->threads[threads->started_count];
    *thread = (struct query_thread){.threads = threads,
                                    .reader = store_reader_open(threads->config.store)};
    if (thread->reader == NULL) {
        return -ENOMEM;
    }
    int error = os_thread_create(&thread->thread, "query", run_thread, thread);
    if (error != 0) {
        store_reader_close(thread->reader);
        return error;
    }
    threads->started_count++;
    return 0;
}

int query_threads_start(struct query_threads *threads, const struct query_threads_config *config) {
    *threads = (struct query_threads){.config = *config};
    int error = -pthread_mutex_init(&threads->mutex, NULL);
    if (error != 0) {
        return error;
    }
    error = -pthread_cond_init(&threads->submitted, NULL);
    if (error != 0) {
        (void)pthread_mutex_destroy(&threads->mutex);
        return error;
    }
    while (threads->started_count < RECORDS_QUERY_THREADS && error == 0) {
        error = start_thread(threads);
    }
    if (error != 0) {
        query_threads_finish(threads);
    }
    return error;
}

void query_threads_submit(struct query_threads *threads, struct query_job *job) {
    (void)pthread_mutex_lock(&threads->mutex);
    threads->waiting[threads->waiting_count++] = job;
    (void)pthread_mutex_unlock(&threads->mutex);
    (void)pthread_cond_signal(&threads->submitted);
}

struct query_job *query_threads_take_done(struct query_threads *threads) {
    (void)pthread_mutex_lock(&threads->mutex);
    struct query_job *done = threads->done;
    threads->done = NULL;
    threads->done_count = 0;
    (void)pthread_mutex_unlock(&threads->mutex);
    return done;
}

void query_threads_cancel(struct query_threads *threads) {
    atomic_store(&threads->is_cancelled, true);
}

void query_threads_finish(struct query_threads *threads) {
    (void)pthread_mutex_lock(&threads->mutex);
    threads->is_stopping = true;
    (void)pthread_mutex_unlock(&threads->mutex);
    (void)pthread_cond_broadcast(&threads->submitted);
    for (size_t index = 0; index < threads->started_count; index++) {
        (void)pthread_join(threads->threads[index].thread, NULL);
    }
    (void)pthread_cond_destroy(&threads->submitted);
    (void)pthread_mutex_destroy(&threads->mutex);
    *threads = (struct query_threads){0};
}
