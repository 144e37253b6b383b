#include "server/records/query_port.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/records/json/record_line.h"
#include "server/records/message.h"
#include "server/records/query_attempt.h"
#include "server/runtime/exit_code.h"
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
    /* How often to look for what is due, while anything is. */
    TICK_MS = 100,
    /* The listener's sockets and the wakeup. */
    WATCHES_BESIDE_CLIENTS = LISTENER_CAPACITY + 1,
};

/* Ends a connection, which is closed already where its descriptor is -1. */
static void end(struct query_connection *connection, bool is_reset) {
    struct query_port *port = connection->port;
    port->long_count -= connection->is_long;
    epoll_loop_remove(&port->loop, connection->watch_index);
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
    if (epoll_loop_set_events(&connection->port->loop, connection->watch_index, POLLIN) != 0) {
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

static void end_answer(struct query_connection *connection) {
    if (query_threads_end_answer(connection->job.fd)) {
        connection->job.fd = -1;
        end(connection, false);
    } else {
        begin_lingering(connection);
    }
}

/* Says that there is no place for another long answer. */
static void refuse(struct query_connection *connection) {
    char line[2 * MESSAGE_SIZE];
    size_t size = record_line_format_error("too many long answers at a time; ask again later", line,
                                           sizeof line);
    (void)os_send_before(connection->job.fd, line, size);
    end_answer(connection);
}

static void hand_over(struct query_connection *connection) {
    struct query_port *port = connection->port;
    connection->is_long =
        !query_is_lookup(&connection->job.query) && port->long_count < RECORDS_LONG_QUERIES_MAX;
    port->long_count += connection->is_long;
    if (!connection->is_long && !query_is_lookup(&connection->job.query)) {
        refuse(connection);
        return;
    }
    connection->state = QUERY_ANSWERING;
    query_threads_submit(&port->threads, &connection->job);
}

/* The request is there. */
static void answer(struct query_connection *connection) {
    const struct query_port *port = connection->port;
    const char *newline = memchr(connection->request, '\n', connection->request_size);
    connection->job.query =
        query_parse(connection->request, newline == NULL ? connection->request_size
                                                         : (size_t)(newline - connection->request));
    (void)epoll_loop_set_events(&connection->port->loop, connection->watch_index, 0);
    switch (query_attempt(port->config.buffer, port->reader, &connection->job.query,
                          connection->job.fd)) {
    case QUERY_ATTEMPT_ANSWERED:
        end_answer(connection);
        break;
    case QUERY_ATTEMPT_TORN:
        end(connection, true);
        break;
    case QUERY_ATTEMPT_IMPOSSIBLE:
        hand_over(connection);
        break;
    }
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
        answer(connection);
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
    int watch_index = epoll_loop_add(&port->loop, fd, 0, on_readable, connection);
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

/* Takes note of the answers that are done. */
static void collect(struct query_port *port) {
    struct query_job *job = query_threads_take_done(&port->threads);
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

/* Does what is due now. True: something will be due later. */
static bool do_due(struct query_port *port, int64_t now_ms) {
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
            answer(connection); /* it was there in time, should the process have slept since */
        } else if (now_ms >= connection->deadline_ms) {
            end(connection, is_reading);
        } else {
            is_waiting = true;
        }
    }
    /* Last, because the system may have no room to watch for whoever is to have a free place. */
    return acceptor_tick(&port->acceptor, now_ms) || is_waiting;
}

/* As above, unless that was done a moment ago: all connections are looked at. Returns how long the
 * loop may wait for events. */
static int tick(struct query_port *port) {
    int64_t now_ms = os_now_ms();
    if (now_ms < port->next_tick_ms) {
        return (int)(port->next_tick_ms - now_ms);
    }
    port->next_tick_ms = now_ms + TICK_MS;
    return do_due(port, now_ms) ? TICK_MS : -1;
}

static void stop(struct query_port *port) {
    acceptor_stop(&port->acceptor);
    port->is_stopped = true;
    for (size_t index = 0; index < RECORDS_QUERIES_MAX; index++) {
        struct query_connection *connection = &port->connections[index];
        if (connection->state == QUERY_READING || connection->state == QUERY_LINGERING) {
            end(connection, connection->state == QUERY_READING);
        }
    }
}

static void on_wakeup(void *context, short events) {
    (void)events;
    struct query_port *port = context;
    wakeup_clear(&port->wakeup);
    if (atomic_load(&port->is_stopping) && !port->is_stopped) {
        stop(port);
    }
}

static void *run(void *context) {
    struct query_port *port = context;
    while (!port->is_stopped || port->acceptor.used_count > 0) {
        int timeout_ms = tick(port);
        collect(port);
        atomic_store(&port->client_count, port->acceptor.used_count);
        int result = epoll_loop_run_once(&port->loop, timeout_ms);
        if (result < 0) {
            logger_print(port->config.logger, LOG_LEVEL_ERROR, "cannot poll: %s",
                         strerror(-result));
            _exit(EXIT_CODE_IO_FAILURE);
        }
    }
    atomic_store(&port->client_count, 0);
    atomic_store(&port->is_idle, true);
    wakeup_signal(port->config.progress);
    return NULL;
}

void query_port_stop(struct query_port *port) {
    atomic_store(&port->is_stopping, true);
    wakeup_signal(&port->wakeup);
}

void query_port_cancel(struct query_port *port) {
    query_threads_cancel(&port->threads);
}

bool query_port_is_idle(struct query_port *port) {
    return atomic_load(&port->is_idle);
}

size_t query_port_count(struct query_port *port) {
    return atomic_load(&port->client_count);
}

void query_port_destroy(struct query_port *port) {
    if (port->is_started) {
        query_port_cancel(port);
        query_port_stop(port);
        (void)pthread_join(port->thread, NULL);
    }
    query_threads_finish(&port->threads);
    if (port->reader != NULL) {
        store_reader_close(port->reader);
    }
    free(port->requests);
    epoll_loop_destroy(&port->loop);
    if (port->config.store != NULL) {
        wakeup_destroy(&port->wakeup);
    }
    *port = (struct query_port){0};
}

static int allocate_connections(struct query_port *port) {
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
    return 0;
}

static int start_threads(struct query_port *port) {
    const struct query_threads_config config = {.buffer = port->config.buffer,
                                                .gate = port->config.gate,
                                                .store = port->config.store,
                                                .done = &port->wakeup};
    return query_threads_start(&port->threads, &config);
}

/* Begins to accept in the port's loop. */
static int watch_all(struct query_port *port) {
    const struct listener *listener = port->config.listener;
    int error = epoll_loop_init(&port->loop, RECORDS_QUERIES_MAX + WATCHES_BESIDE_CLIENTS);
    if (error != 0) {
        return error;
    }
    int watch_index = epoll_loop_add(&port->loop, port->wakeup.fd, POLLIN, on_wakeup, port);
    if (watch_index < 0) {
        return watch_index;
    }
    for (size_t index = 0; index < listener->count; index++) {
        /* Linux hands this on to the connections accepted, from their first moment: should the
         * process be killed, no client is to take half an answer for a whole one. */
        listener_set_reset_on_close(listener->fds[index], true);
    }
    const struct acceptor_configuration config = {
        .loop = &port->loop,
        .listener = listener,
        .place_count = RECORDS_QUERIES_MAX,
        .open_connection = open_connection,
        .context = port,
        .logger = port->config.logger,
    };
    return acceptor_init(&port->acceptor, &config);
}

int query_port_init(struct query_port *port, const struct query_port_config *config) {
    *port = (struct query_port){.config = *config, .wakeup = {.fd = -1}};
    port->reader = store_quick_reader_open(config->store);
    int error = wakeup_init(&port->wakeup);
    if (error == 0) {
        error = allocate_connections(port);
    }
    if (error == 0) {
        error = start_threads(port);
    }
    if (error == 0) {
        error = watch_all(port);
    }
    if (error == 0) {
        error = os_thread_create(&port->thread, "query port", run, port);
        port->is_started = error == 0;
    }
    if (error != 0) {
        query_port_destroy(port);
    }
    return error;
}
