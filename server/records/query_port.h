/*
 * The query port in the poll loop: takes connections in, reads the request line of each, and hands
 * it to the threads that answer.
 *
 * A request ends with its newline, with the client's end of stream, or when nothing follows for a
 * second: `printf 'get data' | nc HOST PORT` sends neither of the first two. Whoever takes longer
 * than ten seconds for it is reset, so that no trickle of bytes occupies a place for good. When all
 * places are taken, further clients wait to be accepted, and whoever has sent nothing for a second
 * makes room for them: the one that has been silent for the longest time is reset. Not all places
 * are for long answers: what asks for one more is told so.
 *
 * Threading: the poll loop's thread.
 */
#ifndef SERVER_RECORDS_QUERY_PORT_H_
#define SERVER_RECORDS_QUERY_PORT_H_

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "server/records/limits.h"
#include "server/records/query_threads.h"
#include "server/runtime/acceptor.h"
#include "server/runtime/epoll_loop.h"

enum query_state { QUERY_FREE, QUERY_READING, QUERY_ANSWERING, QUERY_LINGERING };

struct query_port;

struct query_connection {
    struct query_port *port;
    enum query_state state;
    int watch_index;
    int64_t opened_ms;
    int64_t deadline_ms; /* for the request, or for the client to end its side */
    int64_t silent_ms;   /* when the request is taken as it is, if nothing follows */
    char *request;       /* RECORDS_REQUEST_SIZE_MAX bytes */
    size_t request_size;
    bool is_long; /* counts among the port's long answers */
    struct query_job job;
    SLIST_ENTRY(query_connection) next_free;
};

struct query_port {
    struct epoll_loop *loop;
    struct query_threads *threads;
    struct acceptor acceptor;
    char *requests; /* the memory of all requests */
    struct query_connection connections[RECORDS_QUERIES_MAX];
    SLIST_HEAD(, query_connection) free;
    size_t long_count; /* waiting for a thread, or being answered */
    bool is_stopped;
};

/* Begins to accept at `listener`, which stays the caller's. 0, or a negative errno value. */
int query_port_init(struct query_port *port, struct epoll_loop *loop,
                    const struct listener *listener, struct query_threads *threads,
                    const struct logger *logger);

/* Call it after query_threads_finish. */
void query_port_destroy(struct query_port *port);

/* Takes note of the answers that are done; call it in every round. */
void query_port_collect(struct query_port *port);

/* Does what is due now. True: something will be due later, so call again before long. */
bool query_port_tick(struct query_port *port, int64_t now_ms);

/* Whether no answer is under way. */
bool query_port_is_idle(const struct query_port *port);

/* Accepts no more, and drops the connections whose request is not there yet. */
void query_port_stop(struct query_port *port);

#endif /* SERVER_RECORDS_QUERY_PORT_H_ */
