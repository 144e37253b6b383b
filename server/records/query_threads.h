/*
 * The threads that answer queries, so that neither a large table nor a slow client holds up the
 * poll loop.
 *
 * DESIGN. The poll loop, which is the query port's, submits a job: a connected socket and the query
 * that came over it. A thread writes the answer and hands the job back: with the connection closed,
 * or, where the client has not ended its side yet, with our side ended, so that the poll loop can
 * wait for the client's.
 *
 * A few threads are kept for lookups by id, which are short. A lookup whose client does not take
 * its answer at once is none from then on, and is cut off when there is no other thread for it. A
 * client that takes nothing for a while, or too little in all, is cut off, too. The sockets come
 * with reset-on-close (listener_set_reset_on_close), which ends with a whole answer.
 *
 * Ownership: a job belongs to the threads between submit and take_done, and so does its socket;
 * otherwise to the poll loop. Threading: submit, take_done and cancel belong to the poll loop's
 * thread.
 */
#ifndef SERVER_RECORDS_QUERY_THREADS_H_
#define SERVER_RECORDS_QUERY_THREADS_H_

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "server/records/limits.h"
#include "server/records/query_answer.h"
#include "server/runtime/wakeup.h"

struct query_job {
    int fd; /* -1 afterwards: closed */
    struct query query;
    void *context; /* the poll loop's */
    struct query_job *next_done;
};

struct query_threads_config {
    struct record_buffer *buffer;
    struct record_gate *gate;
    struct store *store;
    const struct wakeup *done; /* signalled when there are jobs to take back soon */
};

struct query_thread {
    struct query_threads *threads;
    struct store_reader *reader; /* keeps its connection from one query to the next */
    pthread_t thread;
};

struct query_threads {
    struct query_threads_config config;
    struct query_thread threads[RECORDS_QUERY_THREADS];
    size_t started_count;
    atomic_bool is_cancelled;

    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t submitted;
    struct query_job *waiting[RECORDS_QUERIES_MAX]; /* oldest first */
    size_t waiting_count;
    size_t long_count; /* threads that answer something else than a short lookup */
    struct query_job *done;
    size_t done_count; /* of them those whose connection is closed */
    bool is_stopping;
};

/* Starts the threads. 0, or a negative errno value with nothing left over. */
int query_threads_start(struct query_threads *threads, const struct query_threads_config *config);

/* Hands a job over. There are never more than RECORDS_QUERIES_MAX. */
void query_threads_submit(struct query_threads *threads, struct query_job *job);

/* Takes back the jobs that are done, linked by next_done. NULL: there are none. Call it in every
 * round, a few times a second at least: not every job is worth a signal. */
struct query_job *query_threads_take_done(struct query_threads *threads);

/* Ends our side of a connection after a whole answer. Returns whether the client has ended its own:
 * then the connection is closed. Closing it earlier, with something of the client unread, would
 * reset it, and the answer's end would be lost with it. */
bool query_threads_end_answer(int fd);

/* Cuts off all answers that are under way, with RST so that nobody takes them for whole, as soon as
 * they take their next step: for the end of the program. */
void query_threads_cancel(struct query_threads *threads);

/* Waits until all submitted jobs are done and ends the threads. Does nothing to zeroed ones. */
void query_threads_finish(struct query_threads *threads);

#endif /* SERVER_RECORDS_QUERY_THREADS_H_ */
