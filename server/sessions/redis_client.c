#include "server/sessions/redis_client.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "server/runtime/escape.h"
#include "server/runtime/os.h"
#include "server/sessions/decimal.h"
#include "server/sessions/redis_cluster.h"

enum {
    /* Servers that one command is sent to: a lost connection, a moved slot and one that is just
     * moving, and a second of each. */
    ATTEMPT_COUNT_MAX = 6,
    NEW_CAUSE_PERIOD_MS = 5000,
    COMPLAINT_SIZE = REDIS_PROBLEM_SIZE,
    NO_NODE = 0, /* in `slot_nodes`; others are indexes plus one */
};

static_assert((int)REDIS_CLIENT_NODE_COUNT_MAX < UINT8_MAX, "an index and NO_NODE fit in a byte");

struct node {
    struct redis_address address;
    struct redis_connection connection;
    int64_t retry_ms; /* not before this time */
};

struct redis_client {
    struct redis_client_config config;
    SSL_CTX *tls;
    char *reply_bytes;
    struct node nodes[REDIS_CLIENT_NODE_COUNT_MAX]; /* those of the location first */
    size_t node_count;
    size_t current_index; /* the server in use, where it is not a cluster */
    bool is_cluster;      /* a node has said so */
    bool is_complaining;
    enum log_level complaint_level;
    int64_t lookup_ms; /* the sentinels, or the cluster's slots, are not asked before */
    int64_t complaint_ms;
    char complaint[COMPLAINT_SIZE];
    const struct node *used; /* the one used last */
    uint8_t slot_nodes[REDIS_SLOT_COUNT];
};

/* One call on its way. */
struct attempt {
    const char *const *words;
    size_t word_count;
    uint32_t slot;
    int64_t begun_ms;
    int64_t deadline_ms;
    struct node *target; /* where a redirection leads; NULL: choose */
    bool is_asking;
    bool is_reused; /* the connection was there before */
    bool was_sent;  /* to a server that was lost before it answered */
};

/* What helps against an error of Redis. */
static const struct {
    const char *code;
    const char *remedy;
} remedies[] = {
    {"READONLY",
     "a replica takes no writes: name its master, or the sentinels by redis+sentinel://"},
    {"NOAUTH", "set REDIS_PASSWORD"},
    {"WRONGPASS", "REDIS_PASSWORD, or the user in the URL, is wrong"},
    {"NOPERM", "the user needs +set +getex +pexpire +exists +del on its keys (ACL SETUSER)"},
    {"LOADING", "it is still reading its data; try again"},
    {"MASTERDOWN", "a replica without its master: name the master"},
    {"MISCONF", "it takes no writes because it cannot save them; its log says why"},
    {"OOM", "give it more memory (maxmemory)"},
    {"CLUSTERDOWN", "the cluster does not serve; see redis-cli cluster info"},
    {"ERR unknown", "Redis 6.2 or newer is needed"},
    {"ERR SELECT", "a cluster has database 0 only: leave the database out of the URL"},
    {"ERR DB", "there is no such database"},
};

static const char *find_remedy(const char *text, size_t size) {
    for (size_t i = 0; i < sizeof remedies / sizeof remedies[0]; i++) {
        size_t length = strlen(remedies[i].code);
        if (size >= length && memcmp(text, remedies[i].code, length) == 0) {
            return remedies[i].remedy;
        }
    }
    return NULL;
}

void redis_client_complain(struct redis_client *client, const char *text, size_t size) {
    char escaped[COMPLAINT_SIZE];
    int64_t now_ms = os_now_ms();
    (void)escape_bytes(escaped, sizeof escaped, text, size);
    bool is_new = strcmp(escaped, client->complaint) != 0;
    int64_t period_ms = is_new ? NEW_CAUSE_PERIOD_MS : WARNING_PERIOD_MS;
    if (client->is_complaining && now_ms < client->complaint_ms + period_ms) {
        return;
    }
    client->is_complaining = true;
    client->complaint_ms = now_ms;
    memcpy(client->complaint, escaped, sizeof escaped);
    const char *remedy = find_remedy(text, size);
    const struct redis_address *address =
        client->used == NULL ? &client->nodes[0].address : &client->used->address;
    char port[DECIMAL_LENGTH_MAX + 1];
    port[decimal_write(address->port, port)] = '\0';
    logger_print(client->config.logger, client->complaint_level, "redis at %s%s%s: %s%s%s",
                 address->host, address->port == 0 ? "" : ":", address->port == 0 ? "" : port,
                 escaped, remedy == NULL ? "" : ": ", remedy == NULL ? "" : remedy);
}

static void complain_text(struct redis_client *client, const char *text) {
    redis_client_complain(client, text, strlen(text));
}

void redis_client_go_on(struct redis_client *client) {
    client->complaint_level = LOG_LEVEL_WARNING;
}

static void note_success(struct redis_client *client) {
    if (client->is_complaining) {
        client->is_complaining = false;
        client->complaint[0] = '\0';
        logger_print(client->config.logger, LOG_LEVEL_INFO, "redis answers again");
    }
}

static void give_up_node(struct node *node) {
    redis_connection_close(&node->connection);
    node->retry_ms = os_now_ms() + REDIS_CLIENT_PAUSE_MS;
}

static bool is_sentinel(const struct redis_client *client, const struct node *node) {
    return client->config.location.master_name[0] != '\0' &&
           (size_t)(node - client->nodes) < client->config.location.node_count;
}

/* Runs a command of the login; on an error or a loss the node is given up. */
static bool log_in_by(struct redis_client *client, struct node *node, const char *const *words,
                      size_t word_count, int64_t deadline_ms) {
    struct redis_reply reply;
    size_t size;
    if (!redis_connection_call(&node->connection, words, word_count, deadline_ms, &reply, &size)) {
        complain_text(client, node->connection.problem);
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

static bool log_in(struct redis_client *client, struct node *node, int64_t deadline_ms) {
    const struct redis_client_config *config = &client->config;
    const char *password = config->password == NULL ? "" : config->password;
    const char *user = config->location.user;
    if (is_sentinel(client, node)) {
        return true; /* sentinels have passwords of their own, and no databases */
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
    database[decimal_write(config->location.database, database)] = '\0';
    const char *const select[] = {"SELECT", database};
    return config->location.database == 0 || log_in_by(client, node, select, 2, deadline_ms);
}

/* Whether there is a connection to the node, made now if need be. */
static bool open_node(struct redis_client *client, struct node *node, struct attempt *attempt) {
    client->used = node;
    attempt->is_reused = node->connection.is_open;
    if (attempt->is_reused) {
        return true;
    }
    if (os_now_ms() < node->retry_ms) {
        return false;
    }
    attempt->deadline_ms = attempt->begun_ms + REDIS_CLIENT_CONNECT_TIMEOUT_MS;
    SSL_CTX *tls = is_sentinel(client, node) ? NULL : client->tls;
    if (!redis_connection_open(&node->connection, &node->address, tls, client->reply_bytes,
                               attempt->deadline_ms)) {
        complain_text(client, node->connection.problem);
        give_up_node(node);
        return false;
    }
    if (!log_in(client, node, attempt->deadline_ms)) {
        give_up_node(node);
        return false;
    }
    return true;
}

/* Whether a node of a cluster has slots, or is one that we were told to ask. */
static bool is_needed(const struct redis_client *client, size_t index) {
    return index < client->config.location.node_count ||
           memchr(client->slot_nodes, (int)index + 1, sizeof client->slot_nodes) != NULL;
}

/* The node at `address`, remembered from now on. NULL: there are too many. */
static struct node *find_node(struct redis_client *client, const struct redis_address *address) {
    size_t free_index = client->node_count;
    for (size_t i = 0; i < client->node_count; i++) {
        if (redis_address_equal(&client->nodes[i].address, address)) {
            return &client->nodes[i];
        }
    }
    if (free_index == REDIS_CLIENT_NODE_COUNT_MAX) {
        free_index = 0;
        while (free_index < client->node_count && is_needed(client, free_index)) {
            free_index++;
        }
        if (free_index == client->node_count) {
            return NULL;
        }
    } else {
        client->node_count++;
    }
    struct node *node = &client->nodes[free_index];
    redis_connection_close(&node->connection);
    *node = (struct node){.address = *address};
    return node;
}

static void assign_slots(void *context, uint32_t first_slot, uint32_t last_slot,
                         const struct redis_address *master) {
    struct redis_client *client = context;
    struct node *node = find_node(client, master);
    for (uint32_t slot = first_slot; slot <= last_slot && node != NULL; slot++) {
        client->slot_nodes[slot] = (uint8_t)(node - client->nodes + 1);
    }
}

/* Runs a command that asks a node about the others; if it cannot, the node is given up. */
static bool ask_node(struct redis_client *client, struct node *node, const char *const *words,
                     size_t word_count, struct attempt *attempt, struct redis_reply *reply,
                     size_t *size) {
    struct attempt question = {.begun_ms = attempt->begun_ms, .deadline_ms = attempt->deadline_ms};
    if (!open_node(client, node, &question)) {
        return false;
    }
    attempt->deadline_ms = question.deadline_ms;
    if (!redis_connection_call(&node->connection, words, word_count, attempt->deadline_ms, reply,
                               size)) {
        complain_text(client, node->connection.problem);
        give_up_node(node);
        return false;
    }
    if (reply->kind == REDIS_REPLY_ERROR) {
        redis_client_complain(client, reply->text, reply->size);
    }
    return reply->kind == REDIS_REPLY_ARRAY;
}

/* Asks the nodes of a cluster who has which slots, until one knows. */
static void refresh_slots(struct redis_client *client, struct attempt *attempt) {
    static const char *const words[] = {"CLUSTER", "SLOTS"};
    int64_t now_ms = os_now_ms();
    size_t node_count = client->node_count;
    if (now_ms < client->lookup_ms) {
        return;
    }
    client->lookup_ms = now_ms + REDIS_CLIENT_PAUSE_MS;
    for (size_t i = 0; i < node_count && os_now_ms() < attempt->deadline_ms; i++) {
        struct redis_reply reply;
        size_t size;
        struct node *node = &client->nodes[i];
        char host[REDIS_HOST_SIZE];
        memcpy(host, node->address.host, sizeof host);
        if (now_ms >= node->retry_ms && ask_node(client, node, words, 2, attempt, &reply, &size) &&
            redis_cluster_parse_slots(client->reply_bytes, size, host, assign_slots, client)) {
            return;
        }
    }
}

/* Asks the sentinels who the master is, until one knows, and makes it the node in use. */
static void ask_sentinels(struct redis_client *client, struct attempt *attempt) {
    const struct redis_location *location = &client->config.location;
    const char *const words[] = {"SENTINEL", "get-master-addr-by-name", location->master_name};
    struct node *master = &client->nodes[location->node_count];
    for (size_t i = 0; i < location->node_count && os_now_ms() < attempt->deadline_ms; i++) {
        struct redis_reply reply;
        size_t size = 0;
        struct node *sentinel = &client->nodes[i];
        bool is_answered = ask_node(client, sentinel, words, 3, attempt, &reply, &size);
        redis_connection_close(&sentinel->connection);
        size_t offset = 0;
        size_t item_size = 0;
        struct redis_reply items[3];
        for (size_t j = 0; is_answered && j < 3; j++) {
            is_answered = redis_reply_parse(client->reply_bytes + offset, size - offset, &items[j],
                                            &item_size) == REDIS_REPLY_COMPLETE;
            offset += item_size;
        }
        struct redis_address address;
        uint32_t port;
        if (is_answered && reply.count == 2 && items[1].kind == REDIS_REPLY_STRING &&
            items[2].kind == REDIS_REPLY_STRING &&
            decimal_parse(items[2].text, items[2].size, UINT16_MAX, &port) &&
            redis_address_set(&address, items[1].text, items[1].size, port)) {
            if (!redis_address_equal(&master->address, &address)) {
                redis_connection_close(&master->connection);
                *master = (struct node){.address = address};
            }
            client->node_count = location->node_count + 1;
            return;
        }
    }
}

static bool is_usable(const struct node *node) {
    return node->connection.is_open || os_now_ms() >= node->retry_ms;
}

static struct node *choose_master(struct redis_client *client, struct attempt *attempt) {
    struct node *master = &client->nodes[client->config.location.node_count];
    bool is_known = client->node_count > client->config.location.node_count;
    if (is_known && master->connection.is_open) {
        return master;
    }
    if (os_now_ms() >= client->lookup_ms) {
        client->lookup_ms = os_now_ms() + REDIS_CLIENT_PAUSE_MS / 4;
        ask_sentinels(client, attempt);
    }
    is_known = client->node_count > client->config.location.node_count;
    return is_known && is_usable(master) ? master : NULL;
}

/* The node that has the slot; any other one while that is not known, for it to tell. */
static struct node *choose_owner(struct redis_client *client, struct attempt *attempt) {
    uint8_t owner = client->slot_nodes[attempt->slot];
    if (owner == NO_NODE || !is_usable(&client->nodes[owner - 1])) {
        refresh_slots(client, attempt);
        owner = client->slot_nodes[attempt->slot];
    }
    if (owner != NO_NODE) {
        return is_usable(&client->nodes[owner - 1]) ? &client->nodes[owner - 1] : NULL;
    }
    for (size_t i = 0; i < client->node_count; i++) {
        if (is_usable(&client->nodes[i])) {
            return &client->nodes[i];
        }
    }
    return NULL;
}

/* The server to send the command to. NULL: there is none now. */
static struct node *choose_node(struct redis_client *client, struct attempt *attempt) {
    if (client->config.location.master_name[0] != '\0') {
        return choose_master(client, attempt);
    }
    if (client->is_cluster) {
        return choose_owner(client, attempt);
    }
    for (size_t i = 0; i < client->node_count; i++) {
        size_t index = (client->current_index + i) % client->node_count;
        if (is_usable(&client->nodes[index])) {
            client->current_index = index;
            return &client->nodes[index];
        }
    }
    return NULL;
}

/* Whether an error says that another server, or a new connection, is what is needed. */
static bool is_stale(const struct redis_reply *reply) {
    static const char *const codes[] = {"READONLY", "LOADING", "MASTERDOWN", "CLUSTERDOWN",
                                        "NOAUTH"};
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        if (redis_reply_is_error(reply, codes[i])) {
            return true;
        }
    }
    return false;
}

/* Follows a redirection. False: it leads nowhere. */
static bool follow(struct redis_client *client, const struct node *node,
                   const struct redis_reply *reply, struct attempt *attempt) {
    struct redis_address address;
    uint32_t slot;
    if (!redis_cluster_parse_redirection(reply, node->address.host, &slot, &address)) {
        return false;
    }
    struct node *target = find_node(client, &address);
    if (target == NULL) {
        complain_text(client, "the cluster has too many nodes");
        return false;
    }
    attempt->is_asking = redis_reply_is_error(reply, "ASK");
    attempt->target = target;
    if (!attempt->is_asking) {
        client->is_cluster = true;
        client->slot_nodes[slot] = (uint8_t)(target - client->nodes + 1);
        refresh_slots(client, attempt);
        attempt->target = NULL;
    }
    return true;
}

/* Sends the command to a node that is connected. */
static bool send_to_node(struct node *node, struct attempt *attempt, struct redis_reply *reply) {
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
static enum step try_node(struct redis_client *client, struct node *node, struct attempt *attempt,
                          struct redis_reply *reply) {
    attempt->target = NULL;
    if (!open_node(client, node, attempt)) {
        return STEP_AGAIN;
    }
    if (!send_to_node(node, attempt, reply)) {
        attempt->was_sent = true;
        if (!attempt->is_reused || os_now_ms() >= attempt->deadline_ms) {
            complain_text(client, node->connection.problem);
            give_up_node(node);
        }
        return STEP_AGAIN;
    }
    attempt->is_asking = false;
    if (is_stale(reply)) {
        redis_connection_close(&node->connection);
        if (!attempt->is_reused) {
            redis_client_complain(client, reply->text, reply->size);
            give_up_node(node);
        }
        return STEP_AGAIN;
    }
    return follow(client, node, reply, attempt) ? STEP_AGAIN : STEP_DONE;
}

bool redis_client_call(struct redis_client *client, const char *const *words, size_t word_count,
                       struct redis_reply *reply, bool *may_have_run_before) {
    int64_t now_ms = os_now_ms();
    assert(word_count >= 2);
    struct attempt attempt = {
        .words = words,
        .word_count = word_count,
        .slot = redis_cluster_slot(words[1]),
        .begun_ms = now_ms,
        .deadline_ms = now_ms + REDIS_CLIENT_CALL_TIMEOUT_MS,
    };
    for (int i = 0; i < ATTEMPT_COUNT_MAX && os_now_ms() < attempt.deadline_ms; i++) {
        struct node *node = attempt.target != NULL ? attempt.target : choose_node(client, &attempt);
        if (node == NULL) {
            return false;
        }
        bool was_sent = attempt.was_sent;
        if (try_node(client, node, &attempt, reply) == STEP_DONE) {
            *may_have_run_before = was_sent;
            if (reply->kind != REDIS_REPLY_ERROR) {
                note_success(client);
            }
            return true;
        }
    }
    return false;
}

struct redis_client *redis_client_new(const struct redis_client_config *config) {
    struct redis_client *client = calloc(1, sizeof *client);
    char *reply_bytes = malloc(REDIS_REPLY_SIZE_MAX);
    char problem[REDIS_PROBLEM_SIZE];
    if (client == NULL || reply_bytes == NULL) {
        logger_print(config->logger, LOG_LEVEL_ERROR, "redis: no memory");
        free(client);
        free(reply_bytes);
        return NULL;
    }
    client->config = *config;
    client->reply_bytes = reply_bytes;
    client->complaint_level = LOG_LEVEL_ERROR;
    client->node_count = config->location.node_count;
    for (size_t i = 0; i < client->node_count; i++) {
        client->nodes[i].address = config->location.nodes[i];
    }
    if (config->location.uses_tls) {
        client->tls = redis_connection_make_tls(&config->location, problem);
        if (client->tls == NULL) {
            logger_print(config->logger, LOG_LEVEL_ERROR, "redis: TLS: %s", problem);
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
    for (size_t i = 0; i < client->node_count; i++) {
        redis_connection_close(&client->nodes[i].connection);
    }
    SSL_CTX_free(client->tls);
    free(client->reply_bytes);
    free(client);
}
