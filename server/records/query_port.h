/*
 * The query port, in a thread and a poll loop of its own: takes connections in, reads the request
 * line of each, and answers it or hands it to the threads that answer.
 *
 * A lookup is tried here first, where the store has quick readers, because handing it over costs
 * more than the lookup: what is at hand and short is sent at once. Whatever is longer, fails, or
 * would have to wait is for the threads, from the beginning.
 *
 * A request ends with its newline, with the client's end of stream, or when nothing follows for a
 * second: `printf 'get data' | nc HOST PORT` sends neither of the first two. Whoever takes longer
 * than ten seconds for it is reset, so that no trickle of bytes occupies a place for good. When all
 * places are taken, further clients wait to be accepted, and whoever has sent nothing for a second
 * makes room for them: the one that has been silent for the longest time is reset. Not all places
 * are for long answers: what asks for one more is told so.
 *
 * Threading: init, stop, cancel, destroy and the questions belong to one thread, the server's loop;
 * all else is done in the port's own.
 */
#ifndef SERVER_RECORDS_QUERY_PORT_H_
#define SERVER_RECORDS_QUERY_PORT_H_

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "server/records/limits.h"
#include "server/records/query_threads.h"
#include "server/runtime/clients.h"
#include "server/runtime/epoll_loop.h"

enum query_state { QUERY_READING, QUERY_ANSWERING, QUERY_LINGERING };

struct query_port;

struct query_connection {
    struct query_port *port;
    enum query_state state;
    int64_t opened_ms;
    int64_t deadline_ms; /* for the request, or for the client to end its side */
    int64_t silent_ms;   /* when the request is taken as it is, if nothing follows */
    char *request;       /* RECORDS_REQUEST_SIZE_MAX bytes */
    size_t request_size;
    bool is_long; /* counts among the port's long answers */
    struct query_job job;
};

struct query_port_config {
    const struct listener *listener; /* stays the caller's */
    struct record_buffer *buffer;
    struct record_gate *gate;
    struct store *store;
    const struct wakeup *progress; /* signalled when the port is idle after a stop */
    const struct logger *logger;
};

struct query_port {
    struct query_port_config config;
    struct epoll_loop loop;
    struct wakeup wakeup; /* the loop's: answers are done, or it has to stop */
    struct query_threads threads;
    struct store_reader *reader; /* for what is answered here; NULL: nothing is */
    struct clients clients;
    char *requests;                                           /* the memory of all requests */
    struct query_connection connections[RECORDS_QUERIES_MAX]; /* by the client's index */
    size_t long_count; /* waiting for a thread, or being answered */
    bool is_stopped;
    int64_t next_tick_ms; /* when to look again for what is due */

    pthread_t thread;
    bool is_started;
    /* What the two threads tell each other. */
    atomic_bool is_stopping;
    atomic_bool is_idle; /* after a stop: the thread has ended */
    atomic_size_t client_count;
};

/* Starts the port and its threads. 0, or a negative errno value with nothing left over. */
int query_port_init(struct query_port *port, const struct query_port_config *config);

/* Cuts off what is under way. Does nothing to a zeroed port. */
void query_port_destroy(struct query_port *port);

/* Accepts no more, and drops the connections whose request is not there yet. */
void query_port_stop(struct query_port *port);

/* Cuts off all answers that are under way (query_threads_cancel). */
void query_port_cancel(struct query_port *port);

/* Whether the port was stopped and no answer is under way any more. */
bool query_port_is_idle(struct query_port *port);

/* How many clients are connected. */
size_t query_port_count(struct query_port *port);

#endif /* SERVER_RECORDS_QUERY_PORT_H_ */
