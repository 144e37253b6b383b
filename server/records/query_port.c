#include "server/records/query_port.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "server/records/json/record_line.h"
#include "server/records/message.h"
#include "server/runtime/os.h"

enum {
    /* How long a client may take for its request. */
    REQUEST_TIMEOUT_MS = 10 * 1000,
    /* The silence after which what has come is the request. */
    SILENCE_MS = 1000,
    /* How long to wait for a client to end its side after the answer, whatever it sends. */
    LINGER_TIMEOUT_MS = 1000,
    /* Reads before the others have their turn. */
    READS_PER_TURN = 4,
};

/* Ends a connection, which is closed already where its descriptor is -1. */
static void end(struct query_connection *connection, bool is_reset) {
    struct query_port *port = connection->port;
    port->long_count -= connection->is_long;
    epoll_loop_remove(port->loop, connection->watch_index);
    if (is_reset) {
        listener_reset_connection(connection->job.fd);
    } else if (connection->job.fd >= 0) {
        (void)os_close(connection->job.fd);
    }
    connection->state = QUERY_FREE;
    SLIST_INSERT_HEAD(&port->free, connection, next_free);
    acceptor_release(&port->acceptor);
}

static void watch(struct query_connection *connection) {
    if (epoll_loop_set_events(connection->port->loop, connection->watch_index, POLLIN) != 0) {
        end(connection, true); /* the system lacks memory: this one gives some back */
    }
}

/* Waits for the client to end its side. */
static void linger(struct query_connection *connection) {
    char ignored[4096];
    ssize_t size = 1;
    for (int count = 0; count < READS_PER_TURN && size > 0; count++) {
        size = os_recv(connection->job.fd, ignored, sizeof ignored);
    }
    if ((size <= 0 && size != -EAGAIN) || connection->port->is_stopped) {
        end(connection, false);
    } else {
        watch(connection);
    }
}

static void begin_lingering(struct query_connection *connection) {
    connection->state = QUERY_LINGERING;
    connection->deadline_ms = os_now_ms() + LINGER_TIMEOUT_MS;
    linger(connection);
}

/* Says that there is no place for another long answer. */
static void refuse(struct query_connection *connection) {
    char line[2 * MESSAGE_SIZE];
    size_t size = record_line_format_error("too many long answers at a time; ask again later", line,
                                           sizeof line);
    listener_set_reset_on_close(connection->job.fd, false);
    (void)os_send_before(connection->job.fd, line, size);
    (void)shutdown(connection->job.fd, SHUT_WR);
    begin_lingering(connection);
}

static void submit(struct query_connection *connection) {
    struct query_port *port = connection->port;
    const char *newline = memchr(connection->request, '\n', connection->request_size);
    connection->job.query =
        query_parse(connection->request, newline == NULL ? connection->request_size
                                                         : (size_t)(newline - connection->request));
    (void)epoll_loop_set_events(port->loop, connection->watch_index, 0);
    connection->is_long =
        !query_is_lookup(&connection->job.query) && port->long_count < RECORDS_LONG_QUERIES_MAX;
    port->long_count += connection->is_long;
    if (!connection->is_long && !query_is_lookup(&connection->job.query)) {
        refuse(connection);
        return;
    }
    connection->state = QUERY_ANSWERING;
    query_threads_submit(port->threads, &connection->job);
}

static void receive(struct query_connection *connection) {
    char *end_of_request = connection->request + connection->request_size;
    ssize_t size = os_recv(connection->job.fd, end_of_request,
                           RECORDS_REQUEST_SIZE_MAX - connection->request_size);
    if (size < 0 && size != -EAGAIN) {
        end(connection, true);
        return;
    }
    if (size > 0) {
        connection->request_size += (size_t)size;
        connection->silent_ms = os_now_ms() + SILENCE_MS;
    }
    if (size == 0 || connection->request_size == RECORDS_REQUEST_SIZE_MAX ||
        (size > 0 && memchr(end_of_request, '\n', (size_t)size) != NULL)) {
        submit(connection);
    } else {
        watch(connection);
    }
}

static void on_readable(void *context, short events) {
    (void)events;
    struct query_connection *connection = context;
    if (connection->state == QUERY_LINGERING) {
        linger(connection);
    } else {
        receive(connection);
    }
}

static int open_connection(void *context, int fd) {
    struct query_port *port = context;
    struct query_connection *connection = SLIST_FIRST(&port->free);
    int watch_index = epoll_loop_add(port->loop, fd, 0, on_readable, connection);
    if (watch_index < 0) {
        listener_reset_connection(fd);
        return watch_index;
    }
    SLIST_REMOVE_HEAD(&port->free, next_free);
    connection->state = QUERY_READING;
    connection->watch_index = watch_index;
    connection->opened_ms = os_now_ms();
    connection->deadline_ms = connection->opened_ms + REQUEST_TIMEOUT_MS;
    connection->silent_ms = INT64_MAX;
    connection->request_size = 0;
    connection->is_long = false;
    connection->job.fd = fd;
    receive(connection);
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
    for (size_t index = RECORDS_QUERIES_MAX; index-- > 0;) {
        struct query_connection *connection = &port->connections[index];
        connection->port = port;
        connection->job.context = connection;
        connection->request = port->requests + index * RECORDS_REQUEST_SIZE_MAX;
        SLIST_INSERT_HEAD(&port->free, connection, next_free);
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
    struct query_job *job = query_threads_take_done(port->threads);
    while (job != NULL) {
        struct query_connection *connection = job->context;
        job = job->next_done;
        if (connection->job.fd < 0) {
            end(connection, false);
        } else {
            begin_lingering(connection);
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
        end(silent, true);
    }
}

bool query_port_tick(struct query_port *port, int64_t now_ms) {
    bool is_waiting = false;
    make_room(port, now_ms);
    for (size_t index = 0; index < RECORDS_QUERIES_MAX; index++) {
        struct query_connection *connection = &port->connections[index];
        bool is_reading = connection->state == QUERY_READING;
        if (!is_reading && connection->state != QUERY_LINGERING) {
            is_waiting = is_waiting || connection->state == QUERY_ANSWERING;
            continue;
        }
        if (is_reading && now_ms >= connection->silent_ms) {
            submit(connection); /* it was there in time, should the process have slept since */
        } else if (now_ms >= connection->deadline_ms) {
            end(connection, is_reading);
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
    port->is_stopped = true;
    for (size_t index = 0; index < RECORDS_QUERIES_MAX; index++) {
        struct query_connection *connection = &port->connections[index];
        if (connection->state == QUERY_READING || connection->state == QUERY_LINGERING) {
            end(connection, connection->state == QUERY_READING);
        }
    }
}
