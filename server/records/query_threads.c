#include "server/records/query_threads.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "server/runtime/listener.h"
#include "server/runtime/os.h"

enum {
    /* How long a client may take nothing of its answer. */
    SLOW_CLIENT_TIMEOUT_MS = 30 * 1000,
    /* How long to wait for a client to end its side after the answer, whatever it sends. */
    LINGER_TIMEOUT_MS = 1000,
    /* How soon a cancellation is noticed. */
    CANCEL_CHECK_MS = 100,
};

struct client {
    struct query_threads *threads;
    int fd;
};

/* Waits for an event on the client's socket. False: none came in time, or all was cancelled. */
static bool wait_until(const struct client *client, short events, int64_t deadline_ms) {
    while (!atomic_load(&client->threads->is_cancelled) && os_now_ms() < deadline_ms) {
        struct pollfd polled = {.fd = client->fd, .events = events};
        int count = os_poll(&polled, 1, CANCEL_CHECK_MS);
        if (count != 0) {
            return count > 0;
        }
    }
    return false;
}

static bool send_bytes(void *context, const char *bytes, size_t size) {
    const struct client *client = context;
    while (size > 0 && !atomic_load(&client->threads->is_cancelled)) {
        ssize_t sent_size = os_send(client->fd, bytes, size);
        if (sent_size >= 0) {
            bytes += sent_size;
            size -= (size_t)sent_size;
        } else if (sent_size != -EAGAIN ||
                   !wait_until(client, POLLOUT, os_now_ms() + SLOW_CLIENT_TIMEOUT_MS)) {
            return false;
        }
    }
    return size == 0;
}

/* Ends the connection so that the answer arrives: closing while something of the client is unread
 * would reset it, and the answer's end would be lost with it. */
static void close_after_answer(const struct client *client) {
    char ignored[4096];
    int64_t deadline_ms = os_now_ms() + LINGER_TIMEOUT_MS;
    /* Now the answer is whole: the only FIN that may ever be sent. */
    listener_set_reset_on_close(client->fd, false);
    (void)shutdown(client->fd, SHUT_WR);
    while (wait_until(client, POLLIN, deadline_ms)) {
        if (os_recv(client->fd, ignored, sizeof ignored) <= 0) {
            break;
        }
    }
    (void)os_close(client->fd);
}

static void run_job(struct query_threads *threads, struct store_reader *reader,
                    struct query_job *job) {
    struct client client = {.threads = threads, .fd = job->fd};
    struct query_sink sink = {.write = send_bytes, .context = &client};
    struct query_source source = {
        .buffer = threads->config.buffer, .writers = threads->config.writers, .reader = reader};
    bool is_answered = query_answer(&source, &job->query, &sink);
    if (is_answered) {
        close_after_answer(&client);
    } else {
        listener_reset_connection(job->fd);
    }
    atomic_store(&job->is_done, true);
    wakeup_signal(threads->config.done);
}

/* Takes out the oldest job that may be begun now, with the mutex held. NULL: there is none. */
static struct query_job *take_oldest(struct query_threads *threads) {
    bool is_long_allowed = threads->long_count < RECORDS_QUERY_THREADS - RECORDS_LOOKUP_THREADS;
    for (size_t index = 0; index < threads->waiting_count; index++) {
        struct query_job *job = threads->waiting[index];
        bool is_lookup = job->query.kind == QUERY_ID;
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
        /* The job goes back to the poll loop in the meantime. */
        bool is_lookup = job->query.kind == QUERY_ID;
        run_job(threads, thread->reader, job);
        if (!is_lookup) {
            (void)pthread_mutex_lock(&threads->mutex);
            threads->long_count--;
            (void)pthread_mutex_unlock(&threads->mutex);
        }
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
    job->query = query_parse(job->request, job->request_size);
    atomic_store(&job->is_done, false);
    (void)pthread_mutex_lock(&threads->mutex);
    threads->waiting[threads->waiting_count++] = job;
    (void)pthread_mutex_unlock(&threads->mutex);
    (void)pthread_cond_signal(&threads->submitted);
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
