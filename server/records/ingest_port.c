#include "server/records/ingest_port.h"

#include <errno.h>
#include <stdlib.h>

#include "server/runtime/os.h"

/* How long a client may take to read its last answers and to end its side, when it is over. */
enum { FAREWELL_TIMEOUT_MS = 2000 };

/* The silence after which a sender gives up its place for one that waits. */
enum { SILENCE_MS = 1000 };

static void on_closed(void *context, struct ingest_connection *connection) {
    struct ingest_port *port = context;
    TAILQ_INSERT_HEAD(&port->closed, connection, waiting);
    acceptor_release(&port->acceptor);
}

/* Takes the one that was closed last, whose memory is the warmest. There is one, because the
 * acceptor takes a place before it opens a connection. */
static struct ingest_connection *take_closed(struct ingest_port *port) {
    struct ingest_connection *connection = TAILQ_FIRST(&port->closed);
    if (connection == NULL) {
        return &port->connections[port->touched_count++];
    }
    TAILQ_REMOVE(&port->closed, connection, waiting);
    return connection;
}

static int open_connection(void *context, int fd) {
    struct ingest_port *port = context;
    struct ingest_connection *connection = take_closed(port);
    size_t index = (size_t)(connection - port->connections);
    connection->number = (uint16_t)index;
    char *input = port->inputs + index * RECORDS_INPUT_SIZE;
    int error = ingest_connection_open(connection, &port->shared, fd, input, os_now_ms());
    if (error != 0) {
        TAILQ_INSERT_HEAD(&port->closed, connection, waiting);
        return error;
    }
    /* What it has to say may be there already, as a rule is. */
    ingest_connection_advance(connection);
    return 0;
}

static void free_memory(struct ingest_port *port) {
    free(port->connections);
    free(port->inputs);
    *port = (struct ingest_port){0};
}

int ingest_port_init(struct ingest_port *port, const struct ingest_port_config *config) {
    *port = (struct ingest_port){.config = *config};
    port->shared = (struct ingest_shared){
        .loop = config->loop,
        .buffer = config->buffer,
        .decoder_options = {.record_size_max = RECORDS_RECORD_SIZE_MAX, .limits = config->limits},
        .acknowledges = config->acknowledges,
        .closed = on_closed,
        .context = port,
    };
    TAILQ_INIT(&port->shared.waiting);
    TAILQ_INIT(&port->closed);
    port->connections = calloc(config->client_capacity, sizeof *port->connections);
    /* Only the pages that are really used cost memory. */
    port->inputs = malloc(config->client_capacity * RECORDS_INPUT_SIZE);
    if (port->connections == NULL || port->inputs == NULL) {
        free_memory(port);
        return -ENOMEM;
    }
    struct acceptor_configuration acceptor_configuration = {
        .loop = config->loop,
        .listener = config->listener,
        .place_count = config->client_capacity,
        .open_connection = open_connection,
        .context = port,
        .logger = config->logger,
    };
    int error = acceptor_init(&port->acceptor, &acceptor_configuration);
    if (error != 0) {
        free_memory(port);
    }
    return error;
}

void ingest_port_destroy(struct ingest_port *port) {
    free_memory(port);
}

bool ingest_port_is_waiting(const struct ingest_port *port) {
    return !TAILQ_EMPTY(&port->shared.waiting);
}

void ingest_port_advance(struct ingest_port *port) {
    struct ingest_queue *waiting = &port->shared.waiting;
    /* Those that get room and have to wait again go behind the last one. */
    const struct ingest_connection *last = TAILQ_LAST(waiting, ingest_queue);
    struct ingest_connection *connection = TAILQ_FIRST(waiting);
    bool is_over = connection == NULL;
    while (!is_over) {
        struct ingest_connection *next = TAILQ_NEXT(connection, waiting);
        is_over = connection == last;
        ingest_connection_advance(connection);
        connection = next;
    }
}

/* When the client is given up, or INT64_MAX. */
static int64_t deadline_of(const struct ingest_port *port,
                           const struct ingest_connection *connection) {
    if (!ingest_connection_awaits_client(connection)) {
        return INT64_MAX;
    }
    if (connection->state != INGEST_RECEIVING) {
        return connection->active_ms + FAREWELL_TIMEOUT_MS;
    }
    int64_t timeout_ms = port->config.idle_timeout_ms;
    if (port->shared.is_last_read) {
        timeout_ms = FAREWELL_TIMEOUT_MS;
    }
    return timeout_ms == 0 ? INT64_MAX : connection->active_ms + timeout_ms;
}

static bool is_somebody_waiting(const struct ingest_port *port) {
    const struct listener *listener = port->config.listener;
    for (size_t index = 0; index < listener->count; index++) {
        struct pollfd polled = {.fd = listener->fds[index], .events = POLLIN};
        if (os_poll(&polled, 1, 0) > 0) {
            return true;
        }
    }
    return false;
}

/* Lets no silent sender keep a place that another one waits for: `nc` without -N never ends its
 * stream. Nothing that it has sent is lost. */
static void make_room(struct ingest_port *port, int64_t now_ms) {
    if (ingest_port_count(port) < port->config.client_capacity || port->shared.is_last_read ||
        !is_somebody_waiting(port)) {
        return;
    }
    for (size_t index = 0; index < port->touched_count; index++) {
        struct ingest_connection *connection = &port->connections[index];
        if (connection->state == INGEST_RECEIVING && ingest_connection_awaits_client(connection) &&
            now_ms >= connection->active_ms + SILENCE_MS) {
            ingest_connection_finish(connection, now_ms);
        }
    }
}

bool ingest_port_tick(struct ingest_port *port, int64_t now_ms) {
    make_room(port, now_ms);
    bool is_waiting = ingest_port_count(port) == port->config.client_capacity;
    size_t place_count = ingest_port_count(port) == 0 ? 0 : port->touched_count;
    for (size_t index = 0; index < place_count; index++) {
        struct ingest_connection *connection = &port->connections[index];
        if (connection->state == INGEST_CLOSED) {
            continue;
        }
        int64_t deadline_ms = deadline_of(port, connection);
        if (deadline_ms <= now_ms) {
            ingest_connection_reset(connection);
        } else if (deadline_ms != INT64_MAX) {
            is_waiting = true;
        }
    }
    /* Last, because the system may have no room to watch for whoever is to have a free place. */
    return acceptor_tick(&port->acceptor, now_ms) || is_waiting;
}

void ingest_port_stop(struct ingest_port *port) {
    acceptor_stop(&port->acceptor);
    port->shared.is_last_read = true;
    for (size_t index = 0; index < port->touched_count; index++) {
        if (port->connections[index].state != INGEST_CLOSED) {
            ingest_connection_advance(&port->connections[index]);
        }
    }
}

size_t ingest_port_count(const struct ingest_port *port) {
    return port->acceptor.used_count;
}
