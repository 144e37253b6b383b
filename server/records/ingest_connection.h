/*
 * One sender of records: bytes in, records into the buffer, complaints back.
 *
 * DESIGN. A connection goes through
 *   RECEIVING  reading and decoding, until the client's end of stream, or until the stream is lost;
 *   STORING    under --ack: all is decoded, but not all of it is in the store yet;
 *   ANSWERING  what there is to say is being sent;
 *   LINGERING  our side is ended; what the client still sends is dropped, because closing before it
 *              is read would take the answers back;
 *   OVER       there is nothing left to do but to close it.
 * It stops reading while a record has to wait for room in the buffer, and while the client does not
 * take the answers. Nothing that was read is dropped: the input stays where it is until then.
 *
 * Answers are sent when there is nothing to read for the moment: to a client that has closed its
 * socket they would bring a reset, and with it the end of what it sent.
 *
 * A connection that brings one record costs few system calls: it is read from at once, watched only
 * where there is something to wait for, and its last answer leaves together with the end of our
 * side.
 *
 * Ownership: a connection owns its socket and its decoder; the memory for its input is the
 * caller's. Threading: the poll loop's thread.
 */
#ifndef SERVER_RECORDS_INGEST_CONNECTION_H_
#define SERVER_RECORDS_INGEST_CONNECTION_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "server/records/json/record_decoder.h"
#include "server/records/limits.h"
#include "server/records/record_buffer.h"

enum ingest_state {
    INGEST_RECEIVING,
    INGEST_STORING,
    INGEST_ANSWERING,
    INGEST_LINGERING,
    INGEST_OVER,
};

struct ingest_connection;

TAILQ_HEAD(ingest_queue, ingest_connection);

/* What all connections share. */
struct ingest_shared {
    struct record_buffer *buffer;
    uint64_t stored_position; /* of the buffer, when somebody last looked */
    struct record_decoder_options decoder_options;
    bool acknowledges; /* {"stored": N} at the end of a stream */
    bool is_last_read; /* the signal to stop has come: what is readable now is all */
    /* Connections that wait for the buffer or the store, the one that has waited longest first. */
    struct ingest_queue waiting;
    uint64_t record_count;
    uint64_t error_count;
};

struct ingest_connection {
    struct ingest_shared *shared;
    uint16_t number; /* names it as a sender to the buffer; the same in its place for ever */
    enum ingest_state state;
    int fd;
    int64_t opened_ms;
    int64_t active_ms; /* when something last came in or went out */
    /* Its neighbours among those that wait for the buffer or the store. */
    TAILQ_ENTRY(ingest_connection) waiting;
    bool is_waiting;

    struct record_decoder decoder;
    char *input; /* RECORDS_INPUT_SIZE bytes; input[begin..end) are not decoded yet */
    size_t input_begin;
    size_t input_end;
    bool is_at_end;        /* nothing will follow */
    bool has_client_ended; /* its end of stream was read: a close takes no answer back */
    size_t last_read_size; /* read since the signal to stop */
    struct record held;    /* decoded, but the buffer was full */
    bool is_holding;
    uint64_t stored_count; /* records in the buffer or beyond */
    uint64_t position;     /* behind the last of them, in the buffer's count */

    char replies[RECORDS_REPLIES_SIZE]; /* replies[begin..end) are not sent yet */
    size_t replies_begin;
    size_t replies_end;
    bool is_deaf; /* the client takes no answers */
};

/* Begins with a new socket. `input` has to stay until the connection is closed. */
void ingest_connection_open(struct ingest_connection *connection, struct ingest_shared *shared,
                            uint16_t number, int fd, char *input, int64_t now_ms);

/* Goes on as far as possible: at first, when what it wants has happened to the socket, when the
 * buffer has room again, when records were stored, when shared->is_last_read was set. False: it is
 * over. */
bool ingest_connection_advance(struct ingest_connection *connection);

/* Which poll events it has to wait for then; 0: none. */
short ingest_connection_wanted_events(const struct ingest_connection *connection);

/* Lets one that receives go on as if its client had ended the stream. */
void ingest_connection_finish(struct ingest_connection *connection, int64_t now_ms);

/* Lets go of everything: with FIN if it is over, else with RST. */
void ingest_connection_close(struct ingest_connection *connection);

/* Whether it is the client that is waited for, and not the buffer or the store. */
bool ingest_connection_awaits_client(const struct ingest_connection *connection);

#endif /* SERVER_RECORDS_INGEST_CONNECTION_H_ */
