/*
 * Sends numbers to a numbers server over one or more connections, as fast as the server reads, and
 * learns from the way each connection ends whether its numbers are safe: after its last byte the
 * client half-closes and waits. An orderly end (FIN) means that every valid line was handed to the
 * log; a reset (RST) means that the server dropped the connection.
 *
 * Ownership: all memory and all sockets live from the start to the end of load_client_run.
 * Threading: one thread with poll over non-blocking sockets.
 */
#ifndef BENCH_NUMBERS_LOAD_CLIENT_H_
#define BENCH_NUMBERS_LOAD_CLIENT_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/numbers/load_source.h"
#include "server/runtime/progress.h"

#define LOAD_CLIENT_CONNECTION_COUNT_MAX 1024u

struct load_client_options {
    const char *host; /* a name or an address */
    uint16_t port;
    size_t send_size;                  /* bytes a send at most; 10 = one line a send */
    uint64_t rate;                     /* numbers a second over all connections; 0 = no limit */
    bool terminate;                    /* send "terminate" when all connections have ended */
    uint32_t timeout_ms;               /* give up when nothing happens for so long; 0 = never */
    struct load_source_options source; /* cursor_count is the number of connections */
    struct progress *progress;         /* is told of the lines sent */
};

struct load_client_result {
    uint64_t sent_bytes; /* handed to the kernel, without "terminate" */
    uint64_t sent_lines;
    uint64_t confirmed_lines; /* of the connections that ended in an orderly way */
    double seconds;           /* from the first connect to the last end of a connection */
    uint32_t confirmed_count; /* connections that the server ended with FIN after our last byte */
    uint32_t refused_count;   /* connections never made, or reset before anything was sent */
    uint32_t reset_count;     /* connections that the server ended in any other way */
    uint32_t timed_out_count; /* connections given up after timeout_ms */
    int last_error;           /* errno of the last refused or reset connection, 0 if none */
    int terminate_error;      /* errno of a "terminate" that could not be sent, 0 if none */
};

enum load_client_status {
    LOAD_CLIENT_DONE,         /* the run went through; the result says how it ended */
    LOAD_CLIENT_NO_SUCH_HOST, /* errno is not set; the result holds nothing */
    LOAD_CLIENT_NO_MEMORY,
    LOAD_CLIENT_SOURCE_FAILED, /* reading source.from_fd failed, errno says why */
    LOAD_CLIENT_POLL_FAILED,   /* poll failed, errno says why */
};

/* Runs from connecting to the last end. SIGPIPE need not be ignored by the caller. */
enum load_client_status load_client_run(const struct load_client_options *options,
                                        struct load_client_result *result);

#endif /* BENCH_NUMBERS_LOAD_CLIENT_H_ */
