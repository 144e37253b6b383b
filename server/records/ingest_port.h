/*
 * The ingest port in the poll loop: all senders of records.
 *
 * Threading: the poll loop's thread.
 */
#ifndef SERVER_RECORDS_INGEST_PORT_H_
#define SERVER_RECORDS_INGEST_PORT_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/records/ingest_connection.h"
#include "server/runtime/clients.h"

struct ingest_port_config {
    struct epoll_loop *loop;
    const struct listener *listener;
    struct record_buffer *buffer;
    size_t client_capacity;
    struct record_limits limits; /* what fits into the store */
    bool acknowledges;
    int64_t idle_timeout_ms; /* 0: none */
    const struct logger *logger;
};

struct ingest_port {
    struct ingest_port_config config;
    struct ingest_shared shared;
    struct clients clients;
    struct ingest_connection *connections; /* by the client's index */
    char *inputs;                          /* the memory of their inputs */
};

/* Begins to accept. 0, or a negative errno value with nothing left over. */
int ingest_port_init(struct ingest_port *port, const struct ingest_port_config *config);
void ingest_port_destroy(struct ingest_port *port);

/* Whether there are connections that wait for the buffer or the store. */
bool ingest_port_is_waiting(const struct ingest_port *port);

/* Goes on with these connections: call it when the buffer has made progress. */
void ingest_port_advance(struct ingest_port *port);

/* Ends the clients that are silent for too long, and frees the places of those that are gone. True:
 * something will be due later, so call again before long. */
bool ingest_port_tick(struct ingest_port *port, int64_t now_ms);

/* Takes in what has come up to now, and nothing more. */
void ingest_port_stop(struct ingest_port *port);

/* The connections that are open. When there are none, everything they brought is in the buffer. */
size_t ingest_port_count(const struct ingest_port *port);

#endif /* SERVER_RECORDS_INGEST_PORT_H_ */
