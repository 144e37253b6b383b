/*
 * The client's connection: connect, send, and receive whole replies, each within a time limit.
 *
 * Ownership: the link owns its descriptor between client_link_open() and client_link_close(), and
 * its buffer from client_link_init() to client_link_destroy(). Threading: one thread per link.
 */
#ifndef SERVER_SEQUENCE_CLIENT_LINK_H_
#define SERVER_SEQUENCE_CLIENT_LINK_H_

#include <stddef.h>
#include <stdint.h>

#include "server/sequence/protocol.h"

#ifdef __cplusplus
extern "C" {
#endif

struct client_link {
    int fd;
    int64_t timeout_ms; /* for connecting, and for each silence of the server */
    char *bytes;        /* received and not yet consumed: from start to end */
    size_t start;
    size_t end;
    const char *problem; /* why the last call failed, a static text; NULL: see the error number */
};

/* 0, or -ENOMEM. */
int client_link_init(struct client_link *link, int64_t timeout_ms);
void client_link_destroy(struct client_link *link);

/* Connects to `port` of `host`, a name or an address. 0, or a negative errno value: -ENOENT if
 * there is no such host. */
int client_link_open(struct client_link *link, const char *host, uint16_t port);
void client_link_close(struct client_link *link);

/* Sends `size` bytes. 0, or a negative errno value. */
int client_link_send(struct client_link *link, const char *bytes, size_t size);

/* Waits for a reply. 0, or a negative errno value: -EPROTO for something that is no reply. A NUM's
 * numbers go to `numbers`, which has room for `capacity`. `*text` and `*text_size` are the reply as
 * it was received; they and an ERR's text hold until the next call. */
int client_link_receive(struct client_link *link, uint8_t *numbers, size_t capacity,
                        struct protocol_reply *reply, const char **text, size_t *text_size);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_SEQUENCE_CLIENT_LINK_H_ */
