/*
 * A connection to one Redis server, by TCP, TLS or a Unix socket: commands out, whole replies in,
 * each before a deadline however slowly the bytes drip.
 *
 * Looking up a name is the system's, and is not bound by the deadline: give numeric addresses where
 * that may take long.
 *
 * Ownership: a connection owns its socket; the buffer for a reply is the caller's, and may be
 * shared by connections of which one is used at a time. Threading: one thread; calls block.
 */
#ifndef SERVER_SESSIONS_REDIS_CONNECTION_H_
#define SERVER_SESSIONS_REDIS_CONNECTION_H_

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/sessions/redis_location.h"
#include "server/sessions/redis_reply.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { REDIS_PROBLEM_SIZE = 256, REDIS_COMMAND_SIZE_MAX = 4096 };

/* Zeroed, it is closed. */
struct redis_connection {
    bool is_open;
    int fd;
    SSL *tls;                         /* NULL: none */
    char *reply_bytes;                /* room for REDIS_REPLY_SIZE_MAX bytes */
    char problem[REDIS_PROBLEM_SIZE]; /* why the last call failed: one line, escaped */
};

/* Connects, and with `tls` shakes hands; the server's certificate must be good for its host. False:
 * it stays closed. */
bool redis_connection_open(struct redis_connection *connection, const struct redis_address *address,
                           SSL_CTX *tls, char *reply_bytes, int64_t deadline_ms);

/* Does nothing to one that is closed. */
void redis_connection_close(struct redis_connection *connection);

/* Sends a command of `word_count` terminated words and receives the reply, which holds until the
 * buffer is used again: its first item is `*reply`, its whole of `*reply_size` bytes begins at
 * reply_bytes. False: the connection is closed; whether the server has run the command is not
 * known. */
bool redis_connection_call(struct redis_connection *connection, const char *const *words,
                           size_t word_count, int64_t deadline_ms, struct redis_reply *reply,
                           size_t *reply_size);

/* What TLS needs for a location: the authorities to trust, our certificate. NULL: `problem` says
 * why. Free it with SSL_CTX_free(). */
SSL_CTX *redis_connection_make_tls(const struct redis_location *location,
                                   char problem[REDIS_PROBLEM_SIZE]);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_SESSIONS_REDIS_CONNECTION_H_ */
