/*
 * The numbers server's loop: accepts clients, receives from them, and ends them, each as the
 * specification says.
 *
 * DESIGN. One thread, one poll loop, one receive buffer. Each turn takes one recv from each client
 * that has sent something, parses it, and adds the numbers to the pipeline. When the pipeline takes
 * no more, what is left of that one recv stays in `pending`, and no client is read from until there
 * is room again: TCP holds the clients back.
 *
 * A client that half-closes gets its FIN when the batch with its last number is stored. Whatever
 * else ends a connection ends it with RST.
 *
 * Shutting down, by `terminate` or a signal, goes through the same steps as everything else, in the
 * loop: clients are reset, `pending` goes into the pipeline, the pipeline drains into the writer,
 * the writer finishes; then the clients that wait for it get their FIN. That may have to wait for
 * the disk. Asked for again, a second or more after the first time, the process ends at once, as by
 * kill -9: what was confirmed is safe, and the tail guard keeps the log whole.
 *
 * Ownership: the server owns its connections and buffers; the parts in the configuration are
 * main's. Threading: everything here belongs to one thread.
 */
#ifndef SERVER_NUMBERS_NUMBERS_SERVER_H_
#define SERVER_NUMBERS_NUMBERS_SERVER_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "parser/line_parser.h"
#include "server/numbers/limits.h"
#include "server/numbers/log/disk_watch.h"
#include "server/numbers/log/log_writer.h"
#include "server/numbers/pipeline.h"
#include "server/numbers/session.h"
#include "server/runtime/exit_code.h"
#include "server/runtime/listener.h"
#include "server/runtime/logger.h"
#include "server/runtime/poll_loop.h"
#include "server/runtime/wakeup.h"

#ifdef __cplusplus
extern "C" {
#endif

enum when_full { WHEN_FULL_REFUSE, WHEN_FULL_WAIT };

struct numbers_server_configuration {
    size_t client_capacity;
    enum when_full when_full;
    int64_t idle_timeout_ms;       /* 0: none */
    bool refuses_remote_terminate; /* `terminate` counts from this machine only */
    struct listener *listener;
    int signal_fd;
    int guard_fd; /* hung up: the tail guard is gone (tail_guard.h); -1: there is none */
    const struct wakeup *progress; /* the pipeline and the writer signal it */
    const struct line_parser *parser;
    struct pipeline *pipeline;
    struct log_writer *writer;
    const struct logger *logger;
};

enum connection_state {
    CONNECTION_FREE,
    CONNECTION_RECEIVING,
    CONNECTION_STORING, /* the client is done; its FIN follows when awaited_batch is stored */
};

struct numbers_server;

struct connection {
    struct numbers_server *server;
    enum connection_state state;
    int fd;
    int watch_index;
    struct session session;
    uint64_t awaited_batch;
    int64_t last_received_ms;
    bool may_terminate; /* its "terminate" counts */
};

/* The numbers of one recv that the pipeline has not taken yet, and what is to happen after them. */
struct pending {
    struct connection *connection; /* NULL: it has been ended meanwhile */
    size_t next_index;
    size_t count;
    enum line_parser_stop stop;
};

struct numbers_server {
    struct numbers_server_configuration configuration;
    struct poll_loop loop;
    struct connection *connections; /* configuration.client_capacity entries */
    size_t client_count;            /* connections that are not free */
    size_t storing_count;           /* of these, in CONNECTION_STORING */
    poll_handler *on_receivable;    /* of the connections' watches */
    int listener_watches[LISTENER_CAPACITY];
    bool is_accepting;
    bool is_accept_due;      /* somebody waits to be accepted at the end of the turn */
    int64_t accept_again_ms; /* when to accept again after a failure; INT64_MAX: no failure */
    struct warning_limiter accept_warning;
    int guard_watch;

    char *buffer;      /* headroom, then RECEIVE_SIZE bytes */
    uint32_t *numbers; /* RECEIVED_NUMBER_CAPACITY, parsed from the buffer */
    struct pending pending;
    bool is_stalled; /* the pipeline takes no more; nobody is read from */

    bool is_shutting_down;
    int64_t impatience_from_ms; /* from when on a second request ends the process at once */
    bool has_offered_to_end;
    struct disk_watch disk_watch;
    bool is_done;
    int failed_poll_count; /* in a row */
    enum exit_code exit_code;
    int64_t
        idle_deadline_ms; /* when a client may next have been silent for too long, or INT64_MAX */
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
