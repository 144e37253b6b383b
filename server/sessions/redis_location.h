/*
 * Where Redis is, as a URL says it:
 *
 *   redis://[USER@]HOST[:PORT][,HOST[:PORT]...][/DATABASE]    a server, or nodes of a cluster
 *   rediss://...[?ssl-ca=FILE&ssl-cert=FILE&ssl-key=FILE]     the same over TLS
 *   redis+sentinel://[USER@]HOST[:PORT][,...]/MASTER[/DATABASE]   sentinels, and whom to ask for
 *   rediss+sentinel://...                                     the same, all of them over TLS
 *   unix://[USER@]/PATH[?db=DATABASE]                         a Unix socket
 *
 * A numeric IPv6 address is written in brackets. There is no place for a password: a command line
 * is there for all to see.
 *
 * Ownership: plain values. Threading: pure functions.
 */
#ifndef SERVER_SESSIONS_REDIS_LOCATION_H_
#define SERVER_SESSIONS_REDIS_LOCATION_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    REDIS_PORT_DEFAULT = 6379,
    REDIS_SENTINEL_PORT_DEFAULT = 26379,
    REDIS_HOST_SIZE = 256,
    REDIS_NAME_SIZE = 128,
    REDIS_PATH_SIZE = 1024,
    REDIS_LOCATION_NODE_COUNT_MAX = 16,
};

struct redis_address {
    char host[REDIS_HOST_SIZE]; /* terminated; of a Unix socket its path */
    uint16_t port;              /* 0: a Unix socket */
};

/* All texts are terminated; an empty one was not given. */
struct redis_location {
    struct redis_address nodes[REDIS_LOCATION_NODE_COUNT_MAX];
    size_t node_count;
    bool uses_tls;
    uint32_t database;
    char user[REDIS_NAME_SIZE];
    char master_name[REDIS_NAME_SIZE]; /* given: the nodes are sentinels */
    char ca_path[REDIS_PATH_SIZE];
    char certificate_path[REDIS_PATH_SIZE];
    char key_path[REDIS_PATH_SIZE];
};

/* Reads `url`. Returns NULL, or what is wrong with it, a static text that quotes nothing of it. */
const char *redis_location_parse(const char *url, struct redis_location *location);

/* Reads "HOST:PORT" as Redis names its nodes: the port is behind the last colon. `host_default` is
 * taken where the host is missing, which is how a node calls itself. */
bool redis_address_parse(const char *text, size_t size, const char *host_default,
                         struct redis_address *address);

/* Fills an address from its parts; false if they are none. */
bool redis_address_set(struct redis_address *address, const char *host, size_t host_size,
                       uint32_t port);

bool redis_address_equal(const struct redis_address *one, const struct redis_address *other);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_SESSIONS_REDIS_LOCATION_H_ */
