#include <string.h>

#include "server/runtime/escape.h"
#include "server/runtime/os.h"
#include "server/sessions/decimal.h"
#include "server/sessions/redis_client_parts.h"

enum { NEW_CAUSE_PERIOD_MS = 5000 };

/* What helps against an error of Redis. */
static const struct {
    const char *code;
    const char *remedy;
} remedies[] = {
    {"READONLY",
     "a replica takes no writes: name its master, or the sentinels by redis+sentinel://"},
    {"NOAUTH", "set REDIS_PASSWORD, for a sentinel REDIS_SENTINEL_PASSWORD"},
    {"WRONGPASS", "REDIS_PASSWORD (REDIS_SENTINEL_PASSWORD), or the user in the URL, is wrong"},
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
    for (size_t index = 0; index < sizeof remedies / sizeof remedies[0]; index++) {
        size_t length = strlen(remedies[index].code);
        if (size >= length && memcmp(text, remedies[index].code, length) == 0) {
            return remedies[index].remedy;
        }
    }
    return NULL;
}

void redis_client_complain(struct redis_client *client, const char *text, size_t size) {
    char escaped[REDIS_COMPLAINT_SIZE];
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
    logger_print(client->configuration.logger, client->complaint_level, "redis at %s%s%s: %s%s%s",
                 address->host, address->port == 0 ? "" : ":", address->port == 0 ? "" : port,
                 escaped, remedy == NULL ? "" : ": ", remedy == NULL ? "" : remedy);
}

void redis_client_complain_text(struct redis_client *client, const char *text) {
    redis_client_complain(client, text, strlen(text));
}

void redis_client_go_on(struct redis_client *client) {
    client->complaint_level = LOG_LEVEL_WARNING;
}

void redis_client_note_success(struct redis_client *client) {
    if (client->is_complaining) {
        client->is_complaining = false;
        client->complaint[0] = '\0';
        logger_print(client->configuration.logger, LOG_LEVEL_INFO, "redis answers again");
    }
}
