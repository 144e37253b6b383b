/* What the files of the client share, and nobody else sees, from the bottom up: redis_complaint.c
 * says what is wrong, redis_login.c makes connections, redis_topology.c knows which server is
 * whose, redis_client.c makes the attempts of a call. Each calls those before it only.
 *
 * Ownership and threading: the client's (redis_client.h).
 */
#ifndef SERVER_SESSIONS_REDIS_CLIENT_PARTS_H_
#define SERVER_SESSIONS_REDIS_CLIENT_PARTS_H_

#include "server/sessions/redis_client.h"
#include "server/sessions/redis_cluster.h"

enum {
    REDIS_COMPLAINT_SIZE = REDIS_PROBLEM_SIZE,
    REDIS_NO_NODE = 0, /* in `slot_nodes`; others are indexes plus one */
};

struct redis_node {
    struct redis_address address;
    struct redis_connection connection;
    int64_t retry_ms; /* not before this time */
};

struct redis_client {
    struct redis_client_configuration configuration;
    SSL_CTX *tls;
    char *reply_bytes;
    struct redis_node nodes[REDIS_CLIENT_NODE_COUNT_MAX]; /* those of the location first */
    size_t node_count;
    size_t current_index; /* the server in use, where it is not a cluster */
    bool is_cluster;      /* a node has said so */
    bool is_complaining;
    enum log_level complaint_level;
    int64_t lookup_ms; /* the sentinels, or the cluster's slots, are not asked before */
    int64_t complaint_ms;
    char complaint[REDIS_COMPLAINT_SIZE];
    const struct redis_node *used; /* the one used last */
    uint8_t slot_nodes[REDIS_SLOT_COUNT];
};

/* One call on its way. */
struct redis_attempt {
    const char *const *words;
    size_t word_count;
    uint32_t slot;
    int64_t begun_ms;
    int64_t deadline_ms;
    struct redis_node *target; /* where a redirection leads; NULL: choose */
    bool is_asking;
    bool is_reused; /* the connection was there before */
    bool was_sent;  /* to a server that was lost before it answered */
};

/* As redis_client_complain, with a terminated text. */
void redis_client_complain_text(struct redis_client *client, const char *text);

/* Says that all is well again, if it was not. */
void redis_client_note_success(struct redis_client *client);

/* Closes the connection to a node, and leaves the node alone for a while. */
void redis_client_give_up(struct redis_node *node);

/* Whether there is a connection to the node, made now if need be. If it cannot be made, the node is
 * given up. */
bool redis_client_open_node(struct redis_client *client, struct redis_node *node,
                            struct redis_attempt *attempt);

/* The node at `address`, remembered from now on. NULL: there are too many. */
struct redis_node *redis_client_find_node(struct redis_client *client,
                                          const struct redis_address *address);

/* Asks the nodes of a cluster who has which slots, until one knows; not too often. */
void redis_client_refresh_slots(struct redis_client *client, struct redis_attempt *attempt);

/* The server to send the command to. NULL: there is none now. */
struct redis_node *redis_client_choose_node(struct redis_client *client,
                                            struct redis_attempt *attempt);

#endif /* SERVER_SESSIONS_REDIS_CLIENT_PARTS_H_ */
