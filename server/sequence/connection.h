/*
 * One connection of the server: a socket, its buffers, its times, and the conversation on it.
 *
 * Requests are read only while there is room for them, and replies are made only as fast as the
 * socket takes them, so a connection never needs more than its two fixed buffers. When the
 * conversation is over the sending side is closed first and the rest of what the client sends is
 * thrown away for a while: closing at once would send RST over unread bytes, and the client could
 * lose the last answer.
 *
 * Ownership: the connection owns its descriptor from connection_begin() or connection_refuse() to
 * connection_end(). Threading: the poll loop's thread.
 */
#ifndef SERVER_SEQUENCE_CONNECTION_H_
#define SERVER_SEQUENCE_CONNECTION_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/sequence/conversation.h"
#include "server/sequence/limits.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What all connections of a server share. Times in milliseconds; 0: no such limit. */
struct connection_configuration {
    struct conversation_configuration *conversation;
    /* Without a whole message taken, or all output sent, or a tick awaited; bytes that drip do not
     * extend it. */
    int64_t idle_timeout_ms;
    int64_t session_timeout_ms; /* after the connection was accepted, whatever it does */
    int64_t tick_ms;            /* between two NUM messages of a STREAM */
};

struct connection {
    const struct connection_configuration *configuration;
    int fd;
    bool is_lingering;   /* all is sent; waiting for the client to close */
    bool is_turn_over;   /* there is more to send at once, but the others come first */
    bool is_input_ended; /* the client has closed its sending side */
    bool is_given_up;    /* its time is over: what it has not taken is thrown away */
    enum conversation_status status;
    struct conversation conversation;
    int64_t begun_ms;
    int64_t
        active_ms;   /* when something last came to an end: a message taken, output sent, a tick */
    int64_t tick_ms; /* when the next message of a STREAM is due */
    int64_t keep_ms; /* when the session must be kept next */
    int64_t linger_ms; /* when the client must have closed */
    size_t input_size;
    size_t output_start; /* the first byte not yet sent */
    size_t output_size;  /* the end of the bytes to send */
    char input[LIMIT_INPUT_SIZE];
    char output[LIMIT_OUTPUT_SIZE];
};

enum connection_outcome {
    CONNECTION_OPEN,     /* goes on */
    CONNECTION_FINISHED, /* call connection_end() */
    CONNECTION_FAILED,   /* the same, and fault injection asks for it */
};

/* Starts to serve `peer` (peer_counts.h; 0: without limits) on `fd`. `configuration` must outlive
 * the connection. */
void connection_begin(struct connection *connection,
                      const struct connection_configuration *configuration, int fd, uint64_t peer,
                      int64_t now_ms);

/* Starts a connection that is told ERR with `text`, and nothing else. */
void connection_refuse(struct connection *connection,
                       const struct connection_configuration *configuration, int fd,
                       const char *text, int64_t now_ms);

/* Moves bytes as the poll events of the descriptor say. */
enum connection_outcome connection_handle_events(struct connection *connection, short events,
                                                 int64_t now_ms);

/* Does what is due at now_ms. */
enum connection_outcome connection_handle_time(struct connection *connection, int64_t now_ms);

/* The poll events to watch for; 0: none for now. */
short connection_wanted_events(const struct connection *connection);

/* When connection_handle_time() is to be called next; INT64_MAX: never. */
int64_t connection_deadline_ms(const struct connection *connection);

/* Lets go of the session and closes the descriptor. */
void connection_end(struct connection *connection, int64_t now_ms);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_SEQUENCE_CONNECTION_H_ */
