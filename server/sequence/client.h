/*
 * The client: gets the whole of a sequence, whatever happens to its connections.
 *
 * It opens a sequence with INIT, takes batch after batch, and closes with FIN. When a connection is
 * lost it connects again, to the same server or the next of its list, with exponential backoff, and
 * continues with CONT at the first batch that it lacks. When INIT was sent and no answer came,
 * nobody knows whether the session exists: it tries CONT, and INIT again if the server does not
 * know it.
 *
 * Ownership: the client refers to its configuration and its state, which the caller owns.
 * Threading: one thread; the calls block.
 */
#ifndef SERVER_SEQUENCE_CLIENT_H_
#define SERVER_SEQUENCE_CLIENT_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/sequence/client_link.h"
#include "server/sequence/client_state.h"

enum {
    CLIENT_SERVER_COUNT_MAX = 17,
    CLIENT_HOST_SIZE = 256,
    /* By default a client tries for longer than a session lives without it (30 s by default), even
     * when chance makes every pause the shortest. */
    CLIENT_RETRY_COUNT_DEFAULT = 20,
    CLIENT_RETRY_DELAY_MS_DEFAULT = 100,
};

struct client_server {
    char host[CLIENT_HOST_SIZE]; /* terminated */
    uint16_t port;
};

struct client_configuration {
    struct client_server servers[CLIENT_SERVER_COUNT_MAX]; /* tried in turn */
    size_t server_count;
    int64_t max_retries;    /* connections in a row that bring nothing new, after the first */
    int64_t retry_delay_ms; /* before the first of them; see backoff.h */
    int64_t timeout_ms;     /* of a silent server */
    bool is_streaming;      /* STREAM instead of a RECV for each batch */
    bool is_verbose;        /* print each message */
    bool has_progress;      /* draw a progress bar on standard error */
};

enum client_result {
    CLIENT_DONE,    /* all numbers are there and the checksum is valid */
    CLIENT_FAILED,  /* refused, out of retries, or the checksum is wrong */
    CLIENT_IO_ERROR /* the state file cannot be written */
};

/* Gets what `state` lacks. `is_new`: the sequence begun in it is unknown to the server; otherwise
 * it is continued. Prints the sum and the verdict on standard output, and problems on standard
 * error. */
enum client_result client_run(const struct client_configuration *configuration,
                              struct client_state *state, bool is_new);

#endif /* SERVER_SEQUENCE_CLIENT_H_ */
