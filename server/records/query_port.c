#include "server/records/query_port.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/records/json/message.h"
#include "server/records/json/record_line.h"
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
};

static uint32_t index_of(const struct query_connection *connection) {
    return (uint32_t)(connection - connection->port->connections);
}

static void end(struct query_connection *connection) {
    clients_end(&connection->port->clients, index_of(connection));
}

/* Waits for the client, until something is due. */
static void await(struct query_connection *connection) {
    int64_t due_ms = connection->silent_ms < connection->deadline_ms ? connection->silent_ms
                                                                     : connection->deadline_ms;
    clients_await(&connection->port->clients, index_of(connection), POLLIN, due_ms);
}

/* Waits for the client to end its side. */
static void linger(struct query_connection *connection) {
    char ignored[4096];
    ssize_t size = 1;
    for (int count = 0; count < READS_PER_TURN && size > 0; count++) {
        size = os_recv(connection->job.fd, ignored, sizeof ignored);
    }
    if ((size <= 0 && size != -EAGAIN) || connection->port->is_stopped) {
        end(connection);
    } else {
        await(connection);
    }
}

static void begin_lingering(struct query_connection *connection) {
    connection->state = QUERY_LINGERING;
    connection->deadline_ms = os_now_ms() + LINGER_TIMEOUT_MS;
    connection->silent_ms = INT64_MAX;
    linger(connection);
}

static void end_answer(struct query_connection *connection) {
    if (query_threads_end_answer(connection->job.fd)) {
        connection->job.fd = -1;
        end(connection);
    } else {
        begin_lingering(connection);
    }
}

/* Says that there is no place for another long answer. */
static void refuse(struct query_connection *connection) {
    char line[RECORDS_ERROR_LINE_SIZE_MAX];
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
    clients_await(&connection->port->clients, index_of(connection), 0, INT64_MAX);
    switch (query_attempt(port->config.buffer, port->reader, &connection->job.query,
                          connection->job.fd)) {
    case QUERY_ATTEMPT_ANSWERED:
        end_answer(connection);
        break;
    case QUERY_ATTEMPT_TORN:
        end(connection);
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
        end(connection);
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
        await(connection);
    }
}

static int open_connection(void *context, uint32_t index, int fd,
                           enum clients_admission admission) {
    struct query_port *port = context;
    struct query_connection *connection = &port->connections[index];
    (void)admission; /* there are no places to be refused in */
    connection->state = QUERY_READING;
    connection->opened_ms = os_now_ms();
    connection->deadline_ms = connection->opened_ms + REQUEST_TIMEOUT_MS;
    connection->silent_ms = INT64_MAX;
    connection->request_size = 0;
    connection->is_long = false;
    connection->job.fd = fd;
    receive(connection);
    return 0;
}

static void handle_events(void *context, uint32_t index, short events) {
    struct query_port *port = context;
    struct query_connection *connection = &port->connections[index];
    (void)events; /* an error or a hang-up is what recv then reports */
    if (connection->state == QUERY_LINGERING) {
        linger(connection);
    } else {
        receive(connection);
    }
}

static void handle_time(void *context, uint32_t index) {
    struct query_port *port = context;
    struct query_connection *connection = &port->connections[index];
    int64_t now_ms = os_now_ms();
    if (connection->state == QUERY_ANSWERING) {
        return; /* the deadline was the request's */
    }
    if (now_ms >= connection->silent_ms) {
        answer(connection); /* it was there in time, should the process have slept since */
    } else if (now_ms >= connection->deadline_ms) {
        end(connection);
    } else {
        await(connection);
    }
}

/* With FIN only after a whole answer. */
static void close_connection(void *context, uint32_t index) {
    struct query_port *port = context;
    struct query_connection *connection = &port->connections[index];
    port->long_count -= connection->is_long;
    if (connection->state == QUERY_LINGERING) {
        (void)os_close(connection->job.fd);
    } else if (connection->job.fd >= 0) { /* it was not closed at once */
        listener_reset_connection(connection->job.fd);
    }
}

static const struct clients_handlers handlers = {
    .open = open_connection,
    .handle_events = handle_events,
    .handle_time = handle_time,
    .close = close_connection,
};

/* Takes note of the answers that are done. */
static void collect(struct query_port *port) {
    struct query_job *job = query_threads_take_done(&port->threads);
    while (job != NULL) {
        struct query_connection *connection = job->context;
        job = job->next_done;
        if (connection->job.fd < 0) {
            end(connection);
        } else {
            begin_lingering(connection);
        }
    }
}

/* When all places are taken, ends the connection that has sent nothing for the longest time, a
 * second at least: what a client sends as soon as it is connected may not have been read yet. */
static void make_room(struct query_port *port, int64_t now_ms) {
    struct query_connection *oldest = NULL;
    if (port->clients.served_count < RECORDS_QUERIES_MAX) {
        return;
    }
    for (size_t index = 0; index < RECORDS_QUERIES_MAX; index++) {
        struct query_connection *connection = &port->connections[index];
        if (connection->state == QUERY_READING && connection->request_size == 0 &&
            now_ms >= connection->opened_ms + SILENCE_MS &&
            (oldest == NULL || connection->opened_ms < oldest->opened_ms)) {
            oldest = connection;
        }
    }
    if (oldest != NULL) {
        end(oldest);
    }
}

/* Does what is due now, unless that was done a moment ago. Returns how long the loop may wait for
 * events. */
static int tick(struct query_port *port) {
    int64_t now_ms = os_now_ms();
    if (now_ms < port->next_tick_ms) {
        return (int)(port->next_tick_ms - now_ms);
    }
    port->next_tick_ms = now_ms + TICK_MS;
    make_room(port, now_ms);
    clients_handle_due(&port->clients, now_ms);
    bool is_idle = clients_are_none(&port->clients) && clients_due_ms(&port->clients) == INT64_MAX;
    return is_idle ? -1 : TICK_MS;
}

static void stop(struct query_port *port) {
    clients_listen_last(&port->clients);
    port->is_stopped = true;
    for (uint32_t index = 0; index < RECORDS_QUERIES_MAX; index++) {
        if (clients_is_open(&port->clients, index) &&
            port->connections[index].state != QUERY_ANSWERING) {
            clients_end(&port->clients, index);
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
    while (!port->is_stopped || !clients_are_none(&port->clients)) {
        int timeout_ms = tick(port);
        collect(port);
        atomic_store(&port->client_count, port->clients.served_count);
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
    clients_destroy(&port->clients);
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
    for (size_t index = 0; index < RECORDS_QUERIES_MAX; index++) {
        struct query_connection *connection = &port->connections[index];
        connection->port = port;
        connection->job.context = connection;
        connection->request = port->requests + index * RECORDS_REQUEST_SIZE_MAX;
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
    /* The wakeup is one more. */
    int error = epoll_loop_init(&port->loop, clients_watch_count_max(RECORDS_QUERIES_MAX, 0) + 1);
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
    const struct clients_configuration config = {
        .handlers = &handlers,
        .context = port,
        .loop = &port->loop,
        .served_max = RECORDS_QUERIES_MAX,
        .logger = port->config.logger,
    };
    error = clients_init(&port->clients, &config);
    return error != 0 ? error : clients_listen(&port->clients, listener);
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
