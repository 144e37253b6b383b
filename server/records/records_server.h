/*
 * The records server's loop: the senders' port, the signals, and the way down. The query port has a
 * loop of its own.
 *
 * On SIGTERM, SIGINT or SIGHUP it takes in what has reached it, waits until all of it is in the
 * store, and ends. A second signal says what is not known to be stored and ends the process at
 * once.
 *
 * Threading: one thread, the poll loop's.
 */
#ifndef SERVER_RECORDS_RECORDS_SERVER_H_
#define SERVER_RECORDS_RECORDS_SERVER_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/records/import_progress.h"
#include "server/records/ingest_port.h"
#include "server/records/query_port.h"
#include "server/records/record_buffer.h"
#include "server/records/record_writers.h"
#include "server/runtime/exit_code.h"
#include "server/runtime/http/inquiry.h"
#include "server/runtime/service_manager.h"

struct records_server_config {
    const struct listener *ingest_listener;
    const struct listener *query_listener;
    int signal_fd;
    struct service_manager *manager; /* hears that the loop turns, and that it ends */
    const struct wakeup *progress;   /* of the buffer, the writers and the query port */
    struct record_buffer *buffer;
    struct record_writers *writers;
    struct store *store;
    size_t client_capacity;
    bool acknowledges;
    int64_t idle_timeout_ms;
    struct inquiry *inquiry; /* of the status page; NULL: there is none */
    const struct logger *logger;
};

struct records_server {
    struct records_server_config config;
    struct epoll_loop loop;
    struct ingest_port ingest_port;
    struct query_port query_port;
    bool has_read_signal; /* the next one is the second */
    bool is_stopping;
    bool is_closed;       /* the buffer: everything that came is in it */
    int64_t next_tick_ms; /* when to look again for what is due */
    struct import_progress import_progress;
};

/* 0, or a negative errno value with nothing left over. Destroying a zeroed server does nothing. */
int records_server_init(struct records_server *server, const struct records_server_config *config);

/* Serves until it is told to stop and everything is stored. */
enum exit_code records_server_run(struct records_server *server);

void records_server_destroy(struct records_server *server);

#endif /* SERVER_RECORDS_RECORDS_SERVER_H_ */
