/*
 * The wire protocol of the sequence service: text messages over TCP, each ended by ';'.
 *
 *   client -> server                           server -> client
 *   INIT,<client-id>,<n>,<batch-size>;         ACK;            or ERR,<reason>;
 *   CONT,<client-id>;                          ACK;            or ERR,<reason>;
 *   RECV,<batch-index>;                        NUM,a:b:c;      or ERR,<reason>;
 *   STREAM,<from-batch-index>;                 NUM,a:b:c; ... FAC,<md5>;
 *   FIN;                                       FAC,<md5>;
 *
 * A client-id is a UUID as text (8-4-4-4-12 hexadecimal digits in either case) and is compared as
 * text. Numbers are plain decimal, without sign, space or leading zeros, so each message has one
 * spelling.
 *
 * Both parsers take the bytes received so far and say whether they begin with a whole message, with
 * a part of one, or with something that no further byte can make valid.
 *
 * Ownership: no allocation; parsed messages hold copies, except the text of an ERR reply, which
 * points into the caller's bytes. Threading: pure functions.
 */
#ifndef SERVER_SEQUENCE_PROTOCOL_H_
#define SERVER_SEQUENCE_PROTOCOL_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/sessions/client_id.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    PROTOCOL_CHECKSUM_LENGTH = 32,
    PROTOCOL_NUMBER_COUNT_MAX = 65535, /* numbers in a sequence, at most */
    PROTOCOL_BATCH_SIZE_MAX = 65535,
    PROTOCOL_NUMBER_MAX = 100, /* the largest number of a sequence */

    /* The longest request is INIT,<36>,65535,65535; with 54 bytes. */
    PROTOCOL_REQUEST_SIZE_MAX = 64,
    /* The longest text of an ERR reply, its "ERR," and ";" not counted. */
    PROTOCOL_ERROR_TEXT_LENGTH_MAX = 120,
    PROTOCOL_ERROR_SIZE_MAX = PROTOCOL_ERROR_TEXT_LENGTH_MAX + 5,
    PROTOCOL_CHECKSUM_REPLY_SIZE = PROTOCOL_CHECKSUM_LENGTH + 5,
    PROTOCOL_ACK_SIZE = 4,

    /* What a piece of a NUM reply may take: its beginning, and each number with what follows it. */
    PROTOCOL_NUMBERS_PREFIX_SIZE = 4,
    PROTOCOL_NUMBER_SIZE_MAX = 4,
    /* The longest reply, a NUM with the largest batch. */
    PROTOCOL_REPLY_SIZE_MAX =
        PROTOCOL_NUMBERS_PREFIX_SIZE + PROTOCOL_NUMBER_SIZE_MAX * PROTOCOL_BATCH_SIZE_MAX,
};

/* The texts of refusals that a client may try to overcome by asking again later. */
#define PROTOCOL_TEXT_TOO_MANY_CONNECTIONS "Too many connections"
#define PROTOCOL_TEXT_TOO_MANY_OF_ONE_PEER "Too many connections from your address"
#define PROTOCOL_TEXT_TOO_MANY_SESSIONS "Too many sessions"
#define PROTOCOL_TEXT_TOO_MANY_SESSIONS_OF_ONE_PEER "Too many sessions from your address"
#define PROTOCOL_TEXT_STORE_UNAVAILABLE "Session store unavailable"

enum protocol_status {
    PROTOCOL_COMPLETE, /* a message was read; the consumed size is set */
    PROTOCOL_PARTIAL,  /* more bytes are needed; nothing was consumed */
    PROTOCOL_INVALID,  /* no byte that may follow makes this a message; the error is set */
};

enum protocol_error {
    PROTOCOL_ERROR_NONE,
    PROTOCOL_ERROR_UNKNOWN_MESSAGE,
    PROTOCOL_ERROR_MESSAGE_TOO_LONG,
    PROTOCOL_ERROR_FIELD_COUNT,
    PROTOCOL_ERROR_CLIENT_ID,
    PROTOCOL_ERROR_NUMBER_COUNT,
    PROTOCOL_ERROR_BATCH_SIZE,
    PROTOCOL_ERROR_BATCH_INDEX,
    PROTOCOL_ERROR_NUMBER,
    PROTOCOL_ERROR_CHECKSUM,
};

enum protocol_request_kind {
    PROTOCOL_INIT,
    PROTOCOL_CONT,
    PROTOCOL_RECV,
    PROTOCOL_STREAM,
    PROTOCOL_FIN,
};

struct protocol_request {
    enum protocol_request_kind kind;
    char client_id[CLIENT_ID_LENGTH + 1]; /* INIT, CONT: terminated text */
    uint32_t number_count;                /* INIT: 0 to PROTOCOL_NUMBER_COUNT_MAX */
    uint32_t batch_size;                  /* INIT: 1 to PROTOCOL_BATCH_SIZE_MAX */
    /* RECV, STREAM: the number, UINT32_MAX if it is larger; and its digits as they were sent, not
     * terminated, in the caller's bytes. */
    uint32_t batch_index;
    const char *batch_index_text;
    size_t batch_index_length;
};

enum protocol_reply_kind {
    PROTOCOL_ACK,
    PROTOCOL_NUM,
    PROTOCOL_ERR,
    PROTOCOL_FAC,
};

struct protocol_reply {
    enum protocol_reply_kind kind;
    size_t number_count;      /* NUM: how many were written to the caller's array */
    const char *error_text;   /* ERR: not terminated, in the caller's bytes */
    size_t error_text_length; /* ERR: at most PROTOCOL_ERROR_TEXT_LENGTH_MAX */
    char checksum[PROTOCOL_CHECKSUM_LENGTH + 1]; /* FAC: terminated, lower-case hexadecimal */
};

/* Reads the request at the start of the `size` bytes at `bytes`. COMPLETE: `*request` and
 * `*consumed_size` (1 to PROTOCOL_REQUEST_SIZE_MAX) are set; fields that the kind does not use are
 * zero or NULL. INVALID: `*error` is set. A message is judged when its ';' is there, or when it is
 * longer than any. */
enum protocol_status protocol_parse_request(const char *bytes, size_t size,
                                            struct protocol_request *request, size_t *consumed_size,
                                            enum protocol_error *error);

/* Writes `request` to `out`, which has room for PROTOCOL_REQUEST_SIZE_MAX bytes. Returns the size.
 * The client-id must be a valid one. The batch index is written as a number, without its text. */
size_t protocol_write_request(const struct protocol_request *request, char *out);

/* Reads the reply at the start of the `size` bytes at `bytes`, as protocol_parse_request does. The
 * numbers of a NUM are written to `numbers`, which has room for `capacity` of them; a reply with
 * more is invalid, and so is one with none. */
enum protocol_status protocol_parse_reply(const char *bytes, size_t size, uint8_t *numbers,
                                          size_t capacity, struct protocol_reply *reply,
                                          size_t *consumed_size, enum protocol_error *error);

/* Writes "ACK;" to `out`, which has room for PROTOCOL_ACK_SIZE bytes. Returns the size. */
size_t protocol_write_ack(char *out);

/* Writes "ERR,<text>;" to `out`, which has room for PROTOCOL_ERROR_SIZE_MAX bytes. Returns the
 * size. `text` is terminated, has no ';', and is cut off at PROTOCOL_ERROR_TEXT_LENGTH_MAX
 * bytes. */
size_t protocol_write_error(const char *text, char *out);

/* Writes "FAC,<checksum>;" to `out`, which has room for PROTOCOL_CHECKSUM_REPLY_SIZE bytes. Returns
 * the size. `checksum` is PROTOCOL_CHECKSUM_LENGTH hexadecimal digits. */
size_t protocol_write_checksum(const char *checksum, char *out);

/* Writes a piece of a NUM reply: `count` numbers at `numbers`, each at most PROTOCOL_NUMBER_MAX.
 * The first piece (`is_first`) begins with "NUM,"; the last number of the last piece (`is_last`) is
 * followed by ';', every other number by ':'. `out` has room for PROTOCOL_NUMBERS_PREFIX_SIZE bytes
 * and PROTOCOL_NUMBER_SIZE_MAX more per number. Returns the size. count >= 1. */
size_t protocol_write_numbers(const uint8_t *numbers, size_t count, bool is_first, bool is_last,
                              char *out);

/* Returns what is wrong, as the text for an ERR reply. */
const char *protocol_describe_error(enum protocol_error error);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_SEQUENCE_PROTOCOL_H_ */
