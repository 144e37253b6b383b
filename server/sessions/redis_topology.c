#include <string.h>

#include "server/runtime/os.h"
#include "server/sessions/decimal.h"
#include "server/sessions/redis_client_parts.h"

/* Whether a node of a cluster has slots, or is one that we were told to ask. */
static bool is_needed(const struct redis_client *client, size_t index) {
    return index < client->configuration.location.node_count ||
           memchr(client->slot_nodes, (int)index + 1, sizeof client->slot_nodes) != NULL;
}

struct redis_node *redis_client_find_node(struct redis_client *client,
                                          const struct redis_address *address) {
    size_t free_index = client->node_count;
    for (size_t index = 0; index < client->node_count; index++) {
        if (redis_address_equal(&client->nodes[index].address, address)) {
            return &client->nodes[index];
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
    struct redis_node *node = &client->nodes[free_index];
    redis_connection_close(&node->connection);
    *node = (struct redis_node){.address = *address};
    return node;
}

static void assign_slots(void *context, uint32_t first_slot, uint32_t last_slot,
                         const struct redis_address *master) {
    struct redis_client *client = context;
    struct redis_node *node = redis_client_find_node(client, master);
    for (uint32_t slot = first_slot; slot <= last_slot && node != NULL; slot++) {
        client->slot_nodes[slot] = (uint8_t)(node - client->nodes + 1);
    }
}

/* Runs a command that asks a node about the others; if it cannot, the node is given up. */
static bool ask_node(struct redis_client *client, struct redis_node *node, const char *const *words,
                     size_t word_count, struct redis_attempt *attempt, struct redis_reply *reply,
                     size_t *size) {
    struct redis_attempt question = {.begun_ms = attempt->begun_ms,
                                     .deadline_ms = attempt->deadline_ms};
    if (!redis_client_open_node(client, node, &question)) {
        return false;
    }
    attempt->deadline_ms = question.deadline_ms;
    if (!redis_connection_call(&node->connection, words, word_count, attempt->deadline_ms, reply,
                               size)) {
        redis_client_complain_text(client, node->connection.problem);
        redis_client_give_up(node);
        return false;
    }
    if (reply->kind == REDIS_REPLY_ERROR) {
        redis_client_complain(client, reply->text, reply->size);
    }
    return reply->kind == REDIS_REPLY_ARRAY;
}

void redis_client_refresh_slots(struct redis_client *client, struct redis_attempt *attempt) {
    static const char *const words[] = {"CLUSTER", "SLOTS"};
    int64_t now_ms = os_now_ms();
    size_t node_count = client->node_count;
    if (now_ms < client->lookup_ms) {
        return;
    }
    client->lookup_ms = now_ms + REDIS_CLIENT_PAUSE_MS;
    for (size_t index = 0; index < node_count && os_now_ms() < attempt->deadline_ms; index++) {
        struct redis_reply reply;
        size_t size;
        struct redis_node *node = &client->nodes[index];
        char host[REDIS_HOST_SIZE];
        memcpy(host, node->address.host, sizeof host);
        if (now_ms >= node->retry_ms && ask_node(client, node, words, 2, attempt, &reply, &size) &&
            redis_cluster_parse_slots(client->reply_bytes, size, host, assign_slots, client)) {
            return;
        }
    }
}

/* Asks the sentinels who the master is, until one knows, and makes it the node in use. */
static void ask_sentinels(struct redis_client *client, struct redis_attempt *attempt) {
    const struct redis_location *location = &client->configuration.location;
    const char *const words[] = {"SENTINEL", "get-master-addr-by-name", location->master_name};
    struct redis_node *master = &client->nodes[location->node_count];
    for (size_t index = 0; index < location->node_count && os_now_ms() < attempt->deadline_ms;
         index++) {
        struct redis_reply reply;
        size_t size = 0;
        struct redis_node *sentinel = &client->nodes[index];
        bool is_answered = ask_node(client, sentinel, words, 3, attempt, &reply, &size);
        redis_connection_close(&sentinel->connection);
        size_t offset = 0;
        size_t item_size = 0;
        struct redis_reply items[3];
        for (size_t item = 0; is_answered && item < 3; item++) {
            is_answered = redis_reply_parse(client->reply_bytes + offset, size - offset,
                                            &items[item], &item_size) == REDIS_REPLY_COMPLETE;
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
                *master = (struct redis_node){.address = address};
            }
            client->node_count = location->node_count + 1;
            return;
        }
    }
}

static bool is_usable(const struct redis_node *node) {
    return node->connection.is_open || os_now_ms() >= node->retry_ms;
}

static struct redis_node *choose_master(struct redis_client *client,
                                        struct redis_attempt *attempt) {
    struct redis_node *master = &client->nodes[client->configuration.location.node_count];
    bool is_known = client->node_count > client->configuration.location.node_count;
    if (is_known && master->connection.is_open) {
        return master;
    }
    if (os_now_ms() >= client->lookup_ms) {
        client->lookup_ms = os_now_ms() + REDIS_CLIENT_PAUSE_MS / 4;
        ask_sentinels(client, attempt);
    }
    is_known = client->node_count > client->configuration.location.node_count;
    return is_known && is_usable(master) ? master : NULL;
}

/* The node that has the slot; any other one while that is not known, for it to tell. */
static struct redis_node *choose_owner(struct redis_client *client, struct redis_attempt *attempt) {
    uint8_t owner = client->slot_nodes[attempt->slot];
    if (owner == REDIS_NO_NODE || !is_usable(&client->nodes[owner - 1])) {
        redis_client_refresh_slots(client, attempt);
        owner = client->slot_nodes[attempt->slot];
    }
    if (owner != REDIS_NO_NODE) {
        return is_usable(&client->nodes[owner - 1]) ? &client->nodes[owner - 1] : NULL;
    }
    for (size_t index = 0; index < client->node_count; index++) {
        if (is_usable(&client->nodes[index])) {
            return &client->nodes[index];
        }
    }
    return NULL;
}

struct redis_node *redis_client_choose_node(struct redis_client *client,
                                            struct redis_attempt *attempt) {
    if (client->configuration.location.master_name[0] != '\0') {
        return choose_master(client, attempt);
    }
    if (client->is_cluster) {
        return choose_owner(client, attempt);
    }
    for (size_t count = 0; count < client->node_count; count++) {
        size_t index = (client->current_index + count) % client->node_count;
        if (is_usable(&client->nodes[index])) {
            client->current_index = index;
            return &client->nodes[index];
        }
    }
    return NULL;
}
