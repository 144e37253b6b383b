#include "server/sessions/session_store_open.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/runtime/clients.h"
#include "server/runtime/output.h"
#include "server/sessions/session_store_memory.h"
#include "server/sessions/session_store_redis.h"

/* Less than PIPE_BUF: see output.h. */
enum { PURGE_LINE_CAPACITY = sizeof "Purging client info for: \n" + CLIENT_ID_LENGTH };

const char *session_store_choose(const char *text, struct session_store_choice *choice) {
    choice->is_redis = strcmp(text, "memory") != 0;
    return choice->is_redis ? redis_location_parse(text, &choice->redis) : NULL;
}

size_t session_store_peer_max(int64_t peer_client_max) {
    int64_t count = peer_client_max < 0 ? CLIENTS_PEER_MAX_DEFAULT : peer_client_max;
    return (size_t)count * SESSION_STORE_SESSIONS_PER_CLIENT;
}

int session_store_open(struct session_store *store, const struct session_store_choice *choice,
                       const char *prefix, const struct session_store_limits *limits,
                       const struct logger *logger) {
    if (choice->is_redis) {
        const struct redis_client_configuration configuration = {
            .location = choice->redis,
            .password = getenv("REDIS_PASSWORD"),
            .sentinel_password = getenv("REDIS_SENTINEL_PASSWORD"),
            .logger = logger,
        };
        return session_store_redis_open(store, &configuration, prefix, limits);
    }
    int error = session_store_memory_open(store, limits);
    if (error != 0) {
        logger_print(logger, LOG_LEVEL_ERROR, "cannot make room for the sessions: %s",
                     strerror(-error));
    }
    return error;
}

void session_store_print_purged(void *context, const char *client_id) {
    char line[PURGE_LINE_CAPACITY];
    (void)context;
    int size = snprintf(line, sizeof line, "Purging client info for: %s\n", client_id);
    /* Left out without room: all clients would wait with this thread. */
    (void)output_write_if_room(STDOUT_FILENO, line, (size_t)size);
}
