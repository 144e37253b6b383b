/*
 * Who was turned away, and why: each one in a line at the level `debug`, and all of them together
 * in a warning, at most one every REJECTION_WARNING_PERIOD_MS:
 *
 *   debug reset 192.0.2.7:40112: a bad line: "12345x"
 *   warning 12 clients turned away or lost: 10 refused for want of a place, 2 for a bad line; the
 *     last one: 192.0.2.7:40112
 *
 * Ownership: the logger is the caller's. Threading: one thread.
 */
#ifndef SERVER_NUMBERS_REJECTIONS_H_
#define SERVER_NUMBERS_REJECTIONS_H_

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "server/runtime/listener.h"
#include "server/runtime/logger.h"

#ifdef __cplusplus
extern "C" {
#endif

enum rejection {
    REJECTION_FULL,      /* no place was free */
    REJECTION_BAD_LINE,  /* it sent something that is no line */
    REJECTION_TERMINATE, /* it sent `terminate` and may not */
    REJECTION_IDLE,      /* it was silent for too long */
    REJECTION_LOST,      /* the peer has reset the connection, or cannot be reached */
    REJECTION_COUNT,
};

struct rejections {
    const struct logger *logger;
    uint64_t totals[REJECTION_COUNT];     /* since the start */
    uint64_t counts[REJECTION_COUNT];     /* since the last warning */
    int64_t warning_ms;                   /* not before then is there another one */
    char peer[LISTENER_ADDRESS_CAPACITY]; /* the last one's address */
};

void rejections_init(struct rejections *rejections, const struct logger *logger);

/* Counts one. bytes: of REJECTION_BAD_LINE, the beginning of the line, as far as it makes certain
 * that it is none. error: of REJECTION_LOST, an errno value. */
void rejections_add(struct rejections *rejections, enum rejection reason,
                    const struct sockaddr_storage *peer, const char *bytes, size_t size, int error);

/* Prints the warning if it is time for it and there is anything to warn of. */
void rejections_run(struct rejections *rejections, int64_t now_ms);

/* Says at the end, as a piece of information, what the next warning would have said. */
void rejections_finish(struct rejections *rejections);

/* When it will be time; INT64_MAX: there is nothing to warn of. */
int64_t rejections_deadline_ms(const struct rejections *rejections);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_NUMBERS_REJECTIONS_H_ */
