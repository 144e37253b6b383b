#include "server/records/query_port.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "server/runtime/os.h"

enum {
    /* How long a client may take for its request. */
    REQUEST_TIMEOUT_MS = 10 * 1000,
    /* The silence after which what has come is the request. */
    SILENCE_MS = 1000,
};

static void submit(struct query_connection *connection) {
    epoll_loop_remove(connection->port->loop, connection->watch_index);
    const char *newline = memchr(connection->request, '\n', connection->request_size);
    connection->job.request = connection->request;
    connection->job.request_size =
        newline == NULL ? connection->request_size : (size_t)(newline - connection->request);
    connection->state = QUERY_ANSWERING;
    query_threads_submit(connection->port->threads, &connection->job);
}

static void drop(struct query_connection *connection) {
    epoll_loop_remove(connection->port->loop, connection->watch_index);
    listener_reset_connection(connection->job.fd);
    connection->state = QUERY_FREE;
    acceptor_release(&connection->port->acceptor);
}

static void on_readable(void *context, short events) {
    (void)events;
    struct query_connection *connection = context;
    char *end = connection->request + connection->request_size;
    ssize_t size =
        os_recv(connection->job.fd, end, RECORDS_REQUEST_SIZE_MAX - connection->request_size);
    if (size == -EAGAIN) {
        return;
    }
    if (size < 0) {
        drop(connection);
        return;
    }
    connection->request_size += (size_t)size;
    connection->silent_ms = os_now_ms() + SILENCE_MS;
    if (size == 0 || memchr(end, '\n', (size_t)size) != NULL ||
        connection->request_size == RECORDS_REQUEST_SIZE_MAX) {
        submit(connection);
    }
}

static struct query_connection *find_free(struct query_port *port) {
    size_t index = 0;
    while (port->connections[index].state != QUERY_FREE) {
        index++;
    }
    return &port->connections[index];
}

static int open_connection(void *context, int fd) {
    struct query_port *port = context;
    struct query_connection *connection = find_free(port);
    int watch_index = epoll_loop_add(port->loop, fd, POLLIN, on_readable, connection);
    if (watch_index < 0) {
        listener_reset_connection(fd);
        return watch_index;
    }
    connection->state = QUERY_READING;
    connection->watch_index = watch_index;
    connection->opened_ms = os_now_ms();
    connection->silent_ms = INT64_MAX;
    connection->request_size = 0;
    connection->job.fd = fd;
    return 0;
}

void query_port_destroy(struct query_port *port) {
    free(port->requests);
    *port = (struct query_port){0};
}

int query_port_init(struct query_port *port, struct epoll_loop *loop,
                    const struct listener *listener, struct query_threads *threads,
                    const struct logger *logger) {
    *port = (struct query_port){.loop = loop, .threads = threads};
    port->requests = malloc((size_t)RECORDS_QUERIES_MAX * RECORDS_REQUEST_SIZE_MAX);
    if (port->requests == NULL) {
        return -ENOMEM;
    }
    for (size_t index = 0; index < RECORDS_QUERIES_MAX; index++) {
        port->connections[index].port = port;
        port->connections[index].request = port->requests + index * RECORDS_REQUEST_SIZE_MAX;
    }
    for (size_t index = 0; index < listener->count; index++) {
        /* Linux hands this on to the connections accepted, from their first moment: should the
         * process be killed, no client is to take half an answer for a whole one. */
        listener_set_reset_on_close(listener->fds[index], true);
    }
    struct acceptor_configuration config = {
        .loop = loop,
        .listener = listener,
        .place_count = RECORDS_QUERIES_MAX,
        .open_connection = open_connection,
        .context = port,
        .logger = logger,
    };
    int error = acceptor_init(&port->acceptor, &config);
    if (error != 0) {
        query_port_destroy(port);
    }
    return error;
}

void query_port_collect(struct query_port *port) {
    for (size_t index = 0; index < RECORDS_QUERIES_MAX; index++) {
        struct query_connection *connection = &port->connections[index];
        if (connection->state == QUERY_ANSWERING && atomic_load(&connection->job.is_done)) {
            connection->state = QUERY_FREE;
            acceptor_release(&port->acceptor);
        }
    }
}

/* Returns the connection that has sent nothing for the longest time, a second at least: what a
 * client sends as soon as it is connected may not have been read yet. NULL: there is none. */
static struct query_connection *find_silent(struct query_port *port, int64_t now_ms) {
    struct query_connection *oldest = NULL;
    for (size_t index = 0; index < RECORDS_QUERIES_MAX; index++) {
        struct query_connection *connection = &port->connections[index];
        if (connection->state == QUERY_READING && connection->request_size == 0 &&
            now_ms >= connection->opened_ms + SILENCE_MS &&
            (oldest == NULL || connection->opened_ms < oldest->opened_ms)) {
            oldest = connection;
        }
    }
    return oldest;
}

static void make_room(struct query_port *port, int64_t now_ms) {
    struct query_connection *silent = find_silent(port, now_ms);
    if (port->acceptor.used_count == RECORDS_QUERIES_MAX && silent != NULL) {
        drop(silent);
    }
}

bool query_port_tick(struct query_port *port, int64_t now_ms) {
    bool is_waiting = false;
    make_room(port, now_ms);
    for (size_t index = 0; index < RECORDS_QUERIES_MAX; index++) {
        struct query_connection *connection = &port->connections[index];
        if (connection->state != QUERY_READING) {
            continue;
        }
        if (now_ms >= connection->silent_ms) {
            submit(connection); /* it was there in time, should the process have slept since */
        } else if (now_ms >= connection->opened_ms + REQUEST_TIMEOUT_MS) {
            drop(connection);
        } else {
            is_waiting = true;
        }
    }
    /* Last, because the system may have no room to watch for whoever is to have a free place. */
    return acceptor_tick(&port->acceptor, now_ms) || is_waiting;
}

bool query_port_is_idle(const struct query_port *port) {
    return port->acceptor.used_count == 0;
}

void query_port_stop(struct query_port *port) {
    acceptor_stop(&port->acceptor);
    for (size_t index = 0; index < RECORDS_QUERIES_MAX; index++) {
        if (port->connections[index].state == QUERY_READING) {
            drop(&port->connections[index]);
        }
    }
}
