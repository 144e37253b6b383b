/*
 * The replies of Redis (RESP2, https://redis.io/docs/reference/protocol-spec), strictly: what a
 * hostile or broken server sends is refused, not interpreted.
 *
 * A reply is an item, or an array of items, which may be arrays again. An array is its head only;
 * its items follow, one call each.
 *
 * Ownership: items point into the caller's bytes. Threading: pure functions.
 */
#ifndef SERVER_SESSIONS_REDIS_REPLY_H_
#define SERVER_SESSIONS_REDIS_REPLY_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    /* The longest reply: the slots of a large cluster. */
    REDIS_REPLY_SIZE_MAX = 262144,
    /* The most items of one reply, those of inner arrays included: each takes four bytes or
     * more. */
    REDIS_REPLY_ITEM_COUNT_MAX = REDIS_REPLY_SIZE_MAX / 4,
};

enum redis_reply_kind {
    REDIS_REPLY_STATUS,
    REDIS_REPLY_ERROR,
    REDIS_REPLY_INTEGER,
    REDIS_REPLY_STRING,
    REDIS_REPLY_NIL,
    REDIS_REPLY_ARRAY,
};

struct redis_reply {
    enum redis_reply_kind kind;
    const char *text; /* STATUS, ERROR, STRING: not terminated */
    size_t size;
    int64_t integer; /* INTEGER */
    size_t count;    /* ARRAY: of the items that follow */
};

enum redis_reply_status {
    REDIS_REPLY_COMPLETE,
    REDIS_REPLY_PARTIAL, /* more bytes are needed */
    REDIS_REPLY_INVALID, /* no byte that may follow makes this a reply */
};

/* Reads the item at the start of the `size` bytes at `bytes`. COMPLETE: `*reply` and
 * `*consumed_size` are set. */
enum redis_reply_status redis_reply_parse(const char *bytes, size_t size, struct redis_reply *reply,
                                          size_t *consumed_size);

/* Measures the whole reply at the start of the `size` bytes at `bytes`, with all that its arrays
 * hold. COMPLETE: `*whole_size` is set. One that is too long, or has too many items, is INVALID. */
enum redis_reply_status redis_reply_measure(const char *bytes, size_t size, size_t *whole_size);

/* Whether the reply is an error that begins with the word `code`, as "MOVED". */
bool redis_reply_is_error(const struct redis_reply *reply, const char *code);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_SESSIONS_REDIS_REPLY_H_ */
