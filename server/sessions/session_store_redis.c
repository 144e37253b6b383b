#include "server/sessions/session_store_redis.h"

#include <assert.h>
#include <errno.h>
#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "server/runtime/os.h"
#include "server/sessions/decimal.h"
#include "server/sessions/session_store_memory.h"

/* Redis expires by its own clock; so long after the time to live it surely has. */
enum { PURGE_SLACK_MS = 10 };

struct redis_store {
    struct redis_address address;
    const char *password;
    const char *prefix;
    const struct logger *logger;
    enum log_level complaint_level; /* an error at the start, later a warning: it goes on */
    redisContext *connection;       /* NULL: not connected */
    int64_t retry_ms;               /* not before this time */
    int64_t ttl_ms;
    int64_t attached_ttl_ms;
    int64_t note_ttl_ms;
    struct warning_limiter warning;
    /* What this server knows of: how often each session is attached here, and when it is due. */
    struct session_store mirror;
};

/* The sessions whose time is up by the mirror. */
struct due_sessions {
    char client_ids[SESSION_STORE_PURGE_COUNT_MAX][CLIENT_ID_LENGTH + 1];
    size_t count;
};

static void complain(struct redis_store *store, const char *text) {
    if (warning_limiter_allows(&store->warning, os_now_ms())) {
        logger_print(store->logger, store->complaint_level, "redis at %s:%d: %s",
                     store->address.host, store->address.port, text);
    }
}

/* Gives the connection up and leaves Redis alone for a while. */
static void disconnect(struct redis_store *store, const char *reason) {
    complain(store, reason);
    if (store->connection != NULL) {
        redisFree(store->connection);
    }
    store->connection = NULL;
    store->retry_ms = os_now_ms() + SESSION_STORE_REDIS_PAUSE_MS;
}

/* Takes a reply of the connection. NULL, with the connection given up, if there is none. A reply
 * that is an error is handed on. */
static redisReply *check_reply(struct redis_store *store, redisReply *reply) {
    if (reply == NULL) {
        const char *reason = store->connection->errstr;
        char text[sizeof store->connection->errstr];
        (void)strncpy(text, *reason != '\0' ? reason : "no reply", sizeof text - 1);
        text[sizeof text - 1] = '\0';
        disconnect(store, text);
    } else if (reply->type == REDIS_REPLY_ERROR) {
        complain(store, reply->str);
    }
    return reply;
}

/* Runs a command of the connection's set-up. */
static bool set_up(struct redis_store *store, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static bool set_up(struct redis_store *store, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    redisReply *reply = check_reply(store, redisvCommand(store->connection, format, arguments));
    va_end(arguments);
    bool is_done = reply != NULL && reply->type != REDIS_REPLY_ERROR;
    freeReplyObject(reply);
    return is_done;
}

/* Whether there is a connection, made now if need be. */
static bool connect_to_redis(struct redis_store *store) {
    const struct timeval timeout = {.tv_usec = SESSION_STORE_REDIS_TIMEOUT_MS * 1000};
    if (store->connection != NULL) {
        return true;
    }
    if (os_now_ms() < store->retry_ms) {
        return false;
    }
    store->connection = redisConnectWithTimeout(store->address.host, store->address.port, timeout);
    if (store->connection == NULL || store->connection->err != 0) {
        disconnect(store, store->connection == NULL ? "no memory" : store->connection->errstr);
        return false;
    }
    bool is_ready = redisSetTimeout(store->connection, timeout) == REDIS_OK;
    is_ready = is_ready && (store->password == NULL || set_up(store, "AUTH %s", store->password));
    is_ready = is_ready && set_up(store, "SELECT %d", store->address.database);
    if (!is_ready && store->connection != NULL) {
        disconnect(store, "cannot log in or select the database");
    }
    return is_ready;
}

/* Runs a command; NULL if Redis cannot be reached. The caller frees the reply. */
static redisReply *command(struct redis_store *store, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static redisReply *command(struct redis_store *store, const char *format, ...) {
    if (!connect_to_redis(store)) {
        return NULL;
    }
    va_list arguments;
    va_start(arguments, format);
    redisReply *reply = check_reply(store, redisvCommand(store->connection, format, arguments));
    va_end(arguments);
    return reply;
}

/* What an error reply to SET means. */
static enum session_store_result judge_error(const redisReply *reply) {
    static const char out_of_memory[] = "OOM";
    return strncmp(reply->str, out_of_memory, sizeof out_of_memory - 1) == 0
               ? SESSION_STORE_FULL
               : SESSION_STORE_UNAVAILABLE;
}

/* Notes one more attachment of a session that Redis has: OK or FULL. */
static enum session_store_result note_attached(struct redis_store *store,
                                               const struct session *session) {
    struct session known;
    int64_t now_ms = os_now_ms();
    enum session_store_result result =
        session_store_attach(&store->mirror, session->client_id, now_ms, &known);
    return result == SESSION_STORE_MISSING ? session_store_create(&store->mirror, session, now_ms)
                                           : result;
}

static enum session_store_result create(void *state, const struct session *session,
                                        int64_t now_ms) {
    struct redis_store *store = state;
    char text[SESSION_TEXT_SIZE_MAX];
    (void)now_ms;
    session_write_text(session, text);
    redisReply *reply = command(store, "SET %s:%s %s NX PX %" PRId64, store->prefix,
                                session->client_id, text, store->attached_ttl_ms);
    if (reply == NULL) {
        return SESSION_STORE_UNAVAILABLE;
    }
    enum session_store_result result = SESSION_STORE_EXISTS;
    bool is_set = reply->type == REDIS_REPLY_STATUS;
    if (is_set) {
        result = note_attached(store, session);
    } else if (reply->type == REDIS_REPLY_ERROR) {
        result = judge_error(reply);
    }
    freeReplyObject(reply);
    /* A key that was not set here is not this call's to delete: a Redis without memory refuses
     * before it looks whether there is a session, which somebody may be working on. */
    if (is_set && result == SESSION_STORE_FULL) {
        freeReplyObject(command(store, "DEL %s:%s", store->prefix, session->client_id));
    }
    return result;
}

static enum session_store_result attach(void *state, const char *client_id, int64_t now_ms,
                                        struct session *session) {
    struct redis_store *store = state;
    (void)now_ms;
    redisReply *reply =
        command(store, "GETEX %s:%s PX %" PRId64, store->prefix, client_id, store->attached_ttl_ms);
    if (reply == NULL) {
        return SESSION_STORE_UNAVAILABLE;
    }
    enum session_store_result result = SESSION_STORE_MISSING;
    if (reply->type == REDIS_REPLY_ERROR) {
        result = SESSION_STORE_UNAVAILABLE;
    } else if (reply->type == REDIS_REPLY_STRING) {
        if (session_parse_text(client_id, reply->str, reply->len, session)) {
            result = note_attached(store, session);
        } else {
            complain(store, "a key holds something else than a session");
        }
    }
    freeReplyObject(reply);
    return result;
}

static void keep(void *state, const char *client_id) {
    struct redis_store *store = state;
    freeReplyObject(
        command(store, "PEXPIRE %s:%s %" PRId64, store->prefix, client_id, store->attached_ttl_ms));
}

static void detach(void *state, const char *client_id, int64_t now_ms) {
    struct redis_store *store = state;
    (void)now_ms;
    /* If this fails, the session goes when its longer time to live as an attached one is over. If
     * another connection works on it, that one renews the longer time. */
    freeReplyObject(
        command(store, "PEXPIRE %s:%s %" PRId64, store->prefix, client_id, store->ttl_ms));
    session_store_detach(&store->mirror, client_id, os_now_ms());
}

static enum session_store_result write_note(void *state, const char *client_id, uint32_t note,
                                            int64_t now_ms) {
    struct redis_store *store = state;
    (void)now_ms;
    redisReply *reply = command(store, "SET %s-note:%s %" PRIu32 " PX %" PRId64, store->prefix,
                                client_id, note, store->note_ttl_ms);
    bool is_written = reply != NULL && reply->type == REDIS_REPLY_STATUS;
    freeReplyObject(reply);
    return is_written ? SESSION_STORE_OK : SESSION_STORE_UNAVAILABLE;
}

static enum session_store_result read_note(void *state, const char *client_id, int64_t now_ms,
                                           uint32_t *note) {
    struct redis_store *store = state;
    (void)now_ms;
    redisReply *reply = command(store, "GET %s-note:%s", store->prefix, client_id);
    enum session_store_result result = SESSION_STORE_UNAVAILABLE;
    if (reply != NULL && reply->type == REDIS_REPLY_NIL) {
        result = SESSION_STORE_MISSING;
    } else if (reply != NULL && reply->type == REDIS_REPLY_STRING) {
        if (decimal_parse(reply->str, reply->len, UINT32_MAX, note)) {
            result = SESSION_STORE_OK;
        } else {
            complain(store, "a key holds something else than a note");
            result = SESSION_STORE_MISSING;
        }
    }
    freeReplyObject(reply);
    return result;
}

static void collect_due(void *context, const char *client_id) {
    struct due_sessions *due = context;
    memcpy(due->client_ids[due->count++], client_id, sizeof due->client_ids[0]);
}

static void purge(void *state, int64_t now_ms, session_purged_handler *handler, void *context) {
    struct redis_store *store = state;
    struct due_sessions due = {.count = 0};
    if (session_store_next_purge_ms(&store->mirror) > now_ms || !connect_to_redis(store)) {
        return;
    }
    session_store_purge(&store->mirror, now_ms, collect_due, &due);
    /* One round trip for all of them. */
    for (size_t i = 0; i < due.count; i++) {
        if (redisAppendCommand(store->connection, "EXISTS %s:%s", store->prefix,
                               due.client_ids[i]) != REDIS_OK) {
            disconnect(store, "no memory");
            return;
        }
    }
    for (size_t i = 0; i < due.count; i++) {
        void *received = NULL;
        (void)redisGetReply(store->connection, &received);
        redisReply *reply = check_reply(store, received);
        if (reply == NULL) {
            return;
        }
        if (reply->type == REDIS_REPLY_INTEGER && reply->integer == 0) {
            handler(context, due.client_ids[i]);
        }
        freeReplyObject(reply);
    }
}

static int64_t next_purge_ms(const void *state) {
    const struct redis_store *store = state;
    int64_t due_ms = session_store_next_purge_ms(&store->mirror);
    bool must_wait = store->connection == NULL && store->retry_ms > due_ms;
    return must_wait ? store->retry_ms : due_ms;
}

static void destroy(void *state) {
    struct redis_store *store = state;
    if (store->connection != NULL) {
        redisFree(store->connection);
    }
    session_store_destroy(&store->mirror);
    free(store);
}

static const struct session_store_operations operations = {
    .create = create,
    .attach = attach,
    .keep = keep,
    .detach = detach,
    .write_note = write_note,
    .read_note = read_note,
    .purge = purge,
    .next_purge_ms = next_purge_ms,
    .destroy = destroy,
};

/* Says why there is no room for what the store holds itself. Returns `error`. */
static int fail_to_open(const struct logger *logger, int error) {
    logger_print(logger, LOG_LEVEL_ERROR, "cannot make room for the sessions: %s",
                 strerror(-error));
    return error;
}

int session_store_redis_open(struct session_store *store,
                             const struct session_store_redis_config *config,
                             const struct session_store_limits *limits) {
    assert(limits->capacity > 0 && limits->ttl_ms > 0);
    struct redis_store *state = calloc(1, sizeof *state);
    if (state == NULL) {
        return fail_to_open(config->logger, -ENOMEM);
    }
    int64_t keep_interval_ms = limits->ttl_ms / 3 > 0 ? limits->ttl_ms / 3 : 1;
    state->address = config->address;
    state->password = config->password;
    state->prefix = config->prefix;
    state->logger = config->logger;
    state->ttl_ms = limits->ttl_ms;
    state->attached_ttl_ms = limits->ttl_ms + keep_interval_ms;
    state->note_ttl_ms = limits->note_ttl_ms;
    const struct session_store_limits mirror_limits = {.capacity = limits->capacity,
                                                       .ttl_ms = limits->ttl_ms + PURGE_SLACK_MS};
    int error = session_store_memory_open(&state->mirror, &mirror_limits);
    if (error != 0) {
        free(state);
        return fail_to_open(config->logger, error);
    }
    state->complaint_level = LOG_LEVEL_ERROR;
    if (!connect_to_redis(state)) {
        destroy(state);
        return -ECONNREFUSED;
    }
    state->complaint_level = LOG_LEVEL_WARNING;
    *store = (struct session_store){
        .operations = &operations, .state = state, .keep_interval_ms = keep_interval_ms};
    return 0;
}
