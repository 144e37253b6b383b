#include "server/sessions/redis_client.h"

#include <assert.h>
#include <stdlib.h>

#include "server/runtime/os.h"
#include "server/sessions/redis_client_parts.h"

enum {
    /* Servers that one command is sent to: a lost connection, a moved slot and one that is just
     * moving, and a second of each. */
    ATTEMPT_COUNT_MAX = 6,
};

static_assert((int)REDIS_CLIENT_NODE_COUNT_MAX < UINT8_MAX,
              "an index and REDIS_NO_NODE fit in a byte");

/* Whether an error says that another server, or a new connection, is what is needed. */
static bool is_stale(const struct redis_reply *reply) {
    static const char *const codes[] = {"READONLY", "LOADING", "MASTERDOWN", "CLUSTERDOWN",
                                        "NOAUTH"};
    for (size_t index = 0; index < sizeof codes / sizeof codes[0]; index++) {
        if (redis_reply_is_error(reply, codes[index])) {
            return true;
        }
    }
    return false;
}

/* Follows a redirection. False: it leads nowhere. */
static bool follow(struct redis_client *client, const struct redis_node *node,
                   const struct redis_reply *reply, struct redis_attempt *attempt) {
    struct redis_address address;
    uint32_t slot;
    if (!redis_cluster_parse_redirection(reply, node->address.host, &slot, &address)) {
        return false;
    }
    struct redis_node *target = redis_client_find_node(client, &address);
    if (target == NULL) {
        redis_client_complain_text(client, "the cluster has too many nodes");
        return false;
    }
    attempt->is_asking = redis_reply_is_error(reply, "ASK");
    attempt->target = target;
    if (!attempt->is_asking) {
        client->is_cluster = true;
        client->slot_nodes[slot] = (uint8_t)(target - client->nodes + 1);
        redis_client_refresh_slots(client, attempt);
        attempt->target = NULL;
    }
    return true;
}

/* Sends the command to a node that is connected. */
static bool send_to_node(struct redis_node *node, struct redis_attempt *attempt,
                         struct redis_reply *reply) {
    static const char *const asking[] = {"ASKING"};
    size_t size;
    if (attempt->is_asking &&
        !redis_connection_call(&node->connection, asking, 1, attempt->deadline_ms, reply, &size)) {
        return false;
    }
    return redis_connection_call(&node->connection, attempt->words, attempt->word_count,
                                 attempt->deadline_ms, reply, &size);
}

enum step { STEP_DONE, STEP_AGAIN };

/* One server, one time. */
static enum step try_node(struct redis_client *client, struct redis_node *node,
                          struct redis_attempt *attempt, struct redis_reply *reply) {
    attempt->target = NULL;
    if (!redis_client_open_node(client, node, attempt)) {
        return STEP_AGAIN;
    }
    if (!send_to_node(node, attempt, reply)) {
        attempt->was_sent = true;
        if (!attempt->is_reused || os_now_ms() >= attempt->deadline_ms) {
            redis_client_complain_text(client, node->connection.problem);
            redis_client_give_up(node);
        }
        return STEP_AGAIN;
    }
    attempt->is_asking = false;
    if (is_stale(reply)) {
        redis_connection_close(&node->connection);
        if (!attempt->is_reused) {
            redis_client_complain(client, reply->text, reply->size);
            redis_client_give_up(node);
        }
        return STEP_AGAIN;
    }
    return follow(client, node, reply, attempt) ? STEP_AGAIN : STEP_DONE;
}

bool redis_client_call(struct redis_client *client, const char *const *words, size_t word_count,
                       struct redis_reply *reply, bool *may_have_run_before) {
    int64_t now_ms = os_now_ms();
    assert(word_count >= 2);
    struct redis_attempt attempt = {
        .words = words,
        .word_count = word_count,
        .slot = redis_cluster_slot(words[1]),
        .begun_ms = now_ms,
        .deadline_ms = now_ms + REDIS_CLIENT_CALL_TIMEOUT_MS,
    };
    for (int count = 0; count < ATTEMPT_COUNT_MAX && os_now_ms() < attempt.deadline_ms; count++) {
        struct redis_node *node =
            attempt.target != NULL ? attempt.target : redis_client_choose_node(client, &attempt);
        if (node == NULL) {
            return false;
        }
        bool was_sent = attempt.was_sent;
        if (try_node(client, node, &attempt, reply) == STEP_DONE) {
            *may_have_run_before = was_sent;
            if (reply->kind != REDIS_REPLY_ERROR) {
                redis_client_note_success(client);
            }
            return true;
        }
    }
    return false;
}

struct redis_client *redis_client_new(const struct redis_client_configuration *configuration) {
    struct redis_client *client = calloc(1, sizeof *client);
    char *reply_bytes = malloc(REDIS_REPLY_SIZE_MAX);
    char problem[REDIS_PROBLEM_SIZE];
    if (client == NULL || reply_bytes == NULL) {
        logger_print(configuration->logger, LOG_LEVEL_ERROR, "redis: no memory");
        free(client);
        free(reply_bytes);
        return NULL;
    }
    client->configuration = *configuration;
    client->reply_bytes = reply_bytes;
    client->complaint_level = LOG_LEVEL_ERROR;
    client->node_count = configuration->location.node_count;
    for (size_t index = 0; index < client->node_count; index++) {
        client->nodes[index].address = configuration->location.nodes[index];
    }
    if (configuration->location.uses_tls) {
        client->tls = redis_connection_make_tls(&configuration->location, problem);
        if (client->tls == NULL) {
            logger_print(configuration->logger, LOG_LEVEL_ERROR, "redis: TLS: %s", problem);
            redis_client_free(client);
            return NULL;
        }
    }
    return client;
}

void redis_client_free(struct redis_client *client) {
    if (client == NULL) {
        return;
    }
    for (size_t index = 0; index < client->node_count; index++) {
        redis_connection_close(&client->nodes[index].connection);
    }
    SSL_CTX_free(client->tls);
    free(client->reply_bytes);
    free(client);
}
