/*
 * The numbers server's loop: receives from the clients (clients.h), and shuts down, as the
 * specification says.
 *
 * DESIGN. One thread, one poll loop, one receive buffer. Each turn takes one recv from each client
 * that has sent something, parses it, and adds the numbers to the pipeline. When the pipeline takes
 * no more, what is left of that one recv stays in `pending`, and no client is read from until there
 * is room again: TCP holds the clients back.
 *
 * A client that half-closes, or sends `terminate`, gets its FIN when the batch with its last number
 * is stored. Whatever else ends a connection ends it with RST.
 *
 * Shutting down, by `terminate` or a signal, begins at the end of a turn, so that what came before
 * it has been received, and goes through the same steps as everything else, in the loop: clients
 * that may still send are reset, those whose end has arrived are read to it, `pending` goes into
 * the pipeline, the pipeline drains into the writer, the writer finishes; then the clients that
 * wait for it get their FIN. That may have to wait for the disk. Asked for again, a second or more
 * after the first time, the process ends at once, as by kill -9: what was confirmed is safe, and
 * the tail guard keeps the log whole.
 *
 * Ownership: the server owns its clients and buffers; the parts in the configuration are
 * main's. Threading: everything here belongs to one thread.
 */
#ifndef SERVER_NUMBERS_NUMBERS_SERVER_H_
#define SERVER_NUMBERS_NUMBERS_SERVER_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "parser/line_parser.h"
#include "server/numbers/clients.h"
#include "server/numbers/limits.h"
#include "server/numbers/log/disk_watch.h"
#include "server/numbers/log/log_writer.h"
#include "server/numbers/pipeline.h"
#include "server/runtime/exit_code.h"
#include "server/runtime/http/inquiry.h"
#include "server/runtime/listener.h"
#include "server/runtime/logger.h"
#include "server/runtime/poll_loop.h"
#include "server/runtime/service_manager.h"
#include "server/runtime/wakeup.h"

#ifdef __cplusplus
extern "C" {
#endif

struct numbers_server_configuration {
    size_t client_capacity;
    enum when_full when_full;
    int64_t idle_timeout_ms;       /* 0: none */
    bool refuses_remote_terminate; /* `terminate` counts from this machine only */
    struct listener *listener;
    int signal_fd;
    struct service_manager *manager; /* hears that the loop turns, and that it ends */
    int guard_fd; /* hung up: the tail guard is gone (tail_guard.h); -1: there is none */
    const struct wakeup *progress; /* the pipeline and the writer signal it */
    const struct line_parser *parser;
    struct pipeline *pipeline;
    struct log_writer *writer;
    struct inquiry *inquiry; /* of the status page; NULL: there is none */
    const struct logger *logger;
};

/* The numbers of one recv that the pipeline has not taken yet, and what is to happen after them. */
struct pending {
    struct client *client;
    size_t next_index;
    size_t count;
    enum line_parser_stop stop;
};

struct numbers_server {
    struct numbers_server_configuration configuration;
    struct poll_loop loop;
    struct clients clients;
    int guard_watch;

    char *buffer;      /* headroom, then RECEIVE_SIZE bytes */
    uint32_t *numbers; /* RECEIVED_NUMBER_CAPACITY, parsed from the buffer */
    struct pending pending;
    uint64_t received_size; /* bytes, of all clients since the start */

    const char *shutdown_reason; /* not NULL: somebody has asked for it in this turn */
    bool is_shutting_down;
    int64_t impatience_from_ms; /* from when on a second request ends the process at once */
    bool has_offered_to_end;
    struct disk_watch disk_watch;
    bool is_done;
    int failed_poll_count; /* in a row */
    enum exit_code exit_code;
};

/* Takes the memory and the watches. 0, or a negative errno value with nothing left over. */
int numbers_server_init(struct numbers_server *server,
                        const struct numbers_server_configuration *configuration);

/* Serves until `terminate`, a signal, or a failure of the log, and returns the exit code. The log
 * writer has finished by then. */
enum exit_code numbers_server_run(struct numbers_server *server);

void numbers_server_destroy(struct numbers_server *server);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_NUMBERS_NUMBERS_SERVER_H_ */
