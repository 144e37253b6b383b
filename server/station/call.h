/*
 * A gRPC call as the server sees it arrive: what its headers say, and its messages.
 *
 * Fed with headers and bytes in whatever pieces they come; judged when the headers are complete.
 * Follows gRPC over HTTP2 (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md). No
 * sockets, no clock, no HTTP/2 in here.
 *
 * Ownership: plain values. Threading: pure functions.
 */
#ifndef SERVER_STATION_CALL_H_
#define SERVER_STATION_CALL_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/station/limits.h"
#include "server/station/status.h"
#include "server/station/wire.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { CALL_PREFIX_SIZE = 5 };

/* No grpc-timeout was sent. */
#define CALL_NO_TIMEOUT INT64_MAX

struct call {
    size_t header_list_size;    /* as RFC 9113, section 6.5.2 counts it */
    char path[LIMIT_PATH_SIZE]; /* terminated; empty: too long for any that is known */
    bool is_post;
    bool has_type;        /* a content type; */
    bool has_other_type;  /* one that is not gRPC's */
    bool is_compressed;   /* by its grpc-encoding */
    bool has_bad_timeout; /* malformed, or a second one */
    int64_t timeout_ms;
    bool is_input_ended; /* set by the caller: the client will send no more */
    size_t input_size;
    uint8_t input[LIMIT_STREAM_INPUT_SIZE];
};

void call_begin(struct call *call);

/* Takes note of a header. */
void call_add_header(struct call *call, const char *name, size_t name_size, const char *value,
                     size_t value_size);

enum call_verdict {
    CALL_ACCEPTED,
    CALL_IS_NO_POST, /* HTTP status 405 */
    CALL_IS_NO_GRPC, /* HTTP status 415 */
    CALL_REFUSED,    /* with a status of gRPC */
};

/* Judges the complete headers; *outcome says why the call is refused. */
enum call_verdict call_judge_headers(const struct call *call, struct outcome *outcome);

/* Reads the value of grpc-timeout: one to eight digits and a unit of H, M, S, m, u, n. Writes
 * milliseconds, rounded up; false if it is none. */
bool call_parse_timeout(const char *value, size_t size, int64_t *timeout_ms);

/* Appends received bytes. False: there is no room for them. */
bool call_add_input(struct call *call, const uint8_t *bytes, size_t size);

enum call_message {
    CALL_MESSAGE_COMPLETE,
    CALL_MESSAGE_PARTIAL, /* more bytes are needed; none are there if input_size is 0 */
    CALL_MESSAGE_BAD,     /* *outcome says why */
};

/* Looks at the first message of the input. It refers to the call, until that is fed again. */
enum call_message call_peek_message(const struct call *call, struct wire_bytes *message,
                                    struct outcome *outcome);

/* Takes the first message, which is complete, out of the input. Returns how many bytes of room that
 * made. */
size_t call_drop_message(struct call *call);

/* Writes what precedes a message of `size` bytes. */
void call_write_prefix(size_t size, uint8_t prefix[CALL_PREFIX_SIZE]);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_STATION_CALL_H_ */
