#include "server/records/ingest_port.h"

#include <errno.h>
#include <stdlib.h>

#include "server/runtime/os.h"

/* How long a client may take to read its last answers and to end its side, when it is over. */
enum { FAREWELL_TIMEOUT_MS = 2000 };

/* The silence after which a sender gives up its place for one that waits. */
enum { SILENCE_MS = 1000 };

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

static void await(struct ingest_port *port, uint32_t index) {
    const struct ingest_connection *connection = &port->connections[index];
    clients_await(&port->clients, index, ingest_connection_wanted_events(connection),
                  deadline_of(port, connection));
}

static void advance(struct ingest_port *port, uint32_t index) {
    if (ingest_connection_advance(&port->connections[index])) {
        await(port, index);
    } else {
        clients_end(&port->clients, index);
    }
}

static int open_connection(void *context, uint32_t index, int fd,
                           enum clients_admission admission) {
    struct ingest_port *port = context;
    (void)admission; /* there are no places to be refused in */
    ingest_connection_open(&port->connections[index], &port->shared, (uint16_t)index, fd,
                           port->inputs + (size_t)index * RECORDS_INPUT_SIZE, os_now_ms());
    /* What it has to say may be there already, as a rule is. */
    advance(port, index);
    return 0;
}

static void handle_events(void *context, uint32_t index, short events) {
    (void)events; /* an error or a hang-up is what recv and send then report */
    advance(context, index);
}

static void handle_time(void *context, uint32_t index) {
    struct ingest_port *port = context;
    if (deadline_of(port, &port->connections[index]) <= os_now_ms()) {
        clients_end(&port->clients, index);
    } else {
        await(port, index);
    }
}

static void close_connection(void *context, uint32_t index) {
    struct ingest_port *port = context;
    ingest_connection_close(&port->connections[index]);
}

static const struct clients_handlers handlers = {
    .open = open_connection,
    .handle_events = handle_events,
    .handle_time = handle_time,
    .close = close_connection,
};

int ingest_port_init(struct ingest_port *port, const struct ingest_port_config *config) {
    const struct clients_configuration clients_configuration = {
        .handlers = &handlers,
        .context = port,
        .loop = config->loop,
        .served_max = config->client_capacity,
        .logger = config->logger,
    };
    *port = (struct ingest_port){.config = *config};
    port->shared = (struct ingest_shared){
        .buffer = config->buffer,
        .decoder_options = {.record_size_max = RECORDS_RECORD_SIZE_MAX, .limits = config->limits},
        .acknowledges = config->acknowledges,
    };
    TAILQ_INIT(&port->shared.waiting);
    port->connections = calloc(config->client_capacity, sizeof *port->connections);
    /* Only the pages that are really used cost memory. */
    port->inputs = malloc(config->client_capacity * RECORDS_INPUT_SIZE);
    int error = port->connections == NULL || port->inputs == NULL ? -ENOMEM : 0;
    if (error == 0) {
        error = clients_init(&port->clients, &clients_configuration);
    }
    if (error == 0) {
        error = clients_listen(&port->clients, config->listener);
    }
    if (error != 0) {
        ingest_port_destroy(port);
    }
    return error;
}

void ingest_port_destroy(struct ingest_port *port) {
    clients_destroy(&port->clients);
    free(port->connections);
    free(port->inputs);
    *port = (struct ingest_port){0};
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
        advance(port, connection->number);
        connection = next;
    }
}

static bool is_full(const struct ingest_port *port) {
    return ingest_port_count(port) == port->config.client_capacity;
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
    if (!is_full(port) || port->shared.is_last_read || !is_somebody_waiting(port)) {
        return;
    }
    for (uint32_t index = 0; index < port->clients.place_count; index++) {
        struct ingest_connection *connection = &port->connections[index];
        if (connection->state == INGEST_RECEIVING && ingest_connection_awaits_client(connection) &&
            now_ms >= connection->active_ms + SILENCE_MS) {
            ingest_connection_finish(connection, now_ms);
            advance(port, index);
        }
    }
}

bool ingest_port_tick(struct ingest_port *port, int64_t now_ms) {
    make_room(port, now_ms);
    clients_handle_due(&port->clients, now_ms);
    return is_full(port) || clients_due_ms(&port->clients) != INT64_MAX;
}

void ingest_port_stop(struct ingest_port *port) {
    clients_listen_last(&port->clients);
    port->shared.is_last_read = true;
    for (uint32_t index = 0; index < port->clients.place_count; index++) {
        if (clients_is_open(&port->clients, index)) {
            advance(port, index);
        }
    }
}

size_t ingest_port_count(const struct ingest_port *port) {
    return port->clients.served_count;
}
