#include <string.h>

#include "server/runtime/os.h"
#include "server/sessions/decimal.h"
#include "server/sessions/redis_client_parts.h"

void redis_client_give_up(struct redis_node *node) {
    redis_connection_close(&node->connection);
    node->retry_ms = os_now_ms() + REDIS_CLIENT_PAUSE_MS;
}

static bool is_sentinel(const struct redis_client *client, const struct redis_node *node) {
    return client->configuration.location.master_name[0] != '\0' &&
           (size_t)(node - client->nodes) < client->configuration.location.node_count;
}

/* Runs a command of the login; on an error or a loss the node is given up. */
static bool log_in_by(struct redis_client *client, struct redis_node *node,
                      const char *const *words, size_t word_count, int64_t deadline_ms) {
    struct redis_reply reply;
    size_t size;
    if (!redis_connection_call(&node->connection, words, word_count, deadline_ms, &reply, &size)) {
        redis_client_complain_text(client, node->connection.problem);
        return false;
    }
    if (reply.kind == REDIS_REPLY_ERROR) {
        /* Some servers quote what they were sent, and that may be the password. */
        size_t shown_size = 0;
        while (shown_size < reply.size && strchr("'`\"", reply.text[shown_size]) == NULL) {
            shown_size++;
        }
        redis_client_complain(client, reply.text, shown_size);
        return false;
    }
    return true;
}

static bool log_in(struct redis_client *client, struct redis_node *node, int64_t deadline_ms) {
    const struct redis_client_configuration *configuration = &client->configuration;
    /* Sentinels have a password of their own, and neither users nor databases. */
    bool is_data = !is_sentinel(client, node);
    const char *password = is_data ? configuration->password : configuration->sentinel_password;
    const char *user = is_data ? configuration->location.user : "";
    uint32_t number = is_data ? configuration->location.database : 0;
    if (password == NULL) {
        password = "";
    }
    const char *const with_user[] = {"AUTH", user, password};
    const char *const without_user[] = {"AUTH", password};
    if (user[0] != '\0' && !log_in_by(client, node, with_user, 3, deadline_ms)) {
        return false;
    }
    if (user[0] == '\0' && password[0] != '\0' &&
        !log_in_by(client, node, without_user, 2, deadline_ms)) {
        return false;
    }
    char database[DECIMAL_LENGTH_MAX + 1];
    database[decimal_write(number, database)] = '\0';
    const char *const select[] = {"SELECT", database};
    return number == 0 || log_in_by(client, node, select, 2, deadline_ms);
}

bool redis_client_open_node(struct redis_client *client, struct redis_node *node,
                            struct redis_attempt *attempt) {
    client->used = node;
    attempt->is_reused = node->connection.is_open;
    if (attempt->is_reused) {
        return true;
    }
    if (os_now_ms() < node->retry_ms) {
        return false;
    }
    attempt->deadline_ms = attempt->begun_ms + REDIS_CLIENT_CONNECT_TIMEOUT_MS;
    if (!redis_connection_open(&node->connection, &node->address, client->tls, client->reply_bytes,
                               attempt->deadline_ms)) {
        redis_client_complain_text(client, node->connection.problem);
        redis_client_give_up(node);
        return false;
    }
    if (!log_in(client, node, attempt->deadline_ms)) {
        redis_client_give_up(node);
        return false;
    }
    return true;
}
