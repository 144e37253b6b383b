#include "server/sessions/session_store_redis.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/runtime/os.h"
#include "server/sessions/decimal.h"
#include "server/sessions/randomness.h"
#include "server/sessions/session_store_memory.h"

enum {
    /* Redis expires by its own clock; so long after the time to live it surely has. */
    PURGE_SLACK_MS = 10,
    KEY_SIZE = SESSION_STORE_REDIS_PREFIX_LENGTH_MAX + sizeof "-note:" + CLIENT_ID_LENGTH,
    TTL_SIZE = 24, /* any int64_t */
    /* Sessions asked for before the sockets are looked at again: each is a round trip. */
    PURGE_COUNT_MAX = 32,
};

struct redis_store {
    struct redis_client *client;
    const char *prefix;
    struct session_store_limits limits;
    char ttl[TTL_SIZE]; /* as texts, for commands, in milliseconds */
    char attached_ttl[TTL_SIZE];
    char note_ttl[TTL_SIZE];
    /* What this server knows of: how often each session is attached here, and when it is due. */
    struct session_store mirror;
    /* Sessions whose time is up by the mirror, and that Redis has not been asked for yet. */
    char due_ids[SESSION_STORE_PURGE_COUNT_MAX][CLIENT_ID_LENGTH + 1];
    size_t due_count;
    int64_t purge_again_ms; /* Redis could not be asked: not before this time */
};

static void write_key(const struct redis_store *store, const char *kind, const char *client_id,
                      char key[KEY_SIZE]) {
    (void)snprintf(key, KEY_SIZE, "%s%s:%s", store->prefix, kind, client_id);
}

/* Runs a command; false: Redis cannot be reached. An error is told, too. */
static bool run(struct redis_store *store, const char *const *words, size_t word_count,
                struct redis_reply *reply, bool *may_have_run_before) {
    if (!redis_client_call(store->client, words, word_count, reply, may_have_run_before)) {
        return false;
    }
    if (reply->kind == REDIS_REPLY_ERROR) {
        redis_client_complain(store->client, reply->text, reply->size);
    }
    return true;
}

static void complain(struct redis_store *store, const char *text) {
    redis_client_complain(store->client, text, strlen(text));
}

/* Notes one more attachment of a session that Redis has: OK, FULL or PEER_FULL. */
static enum session_store_result note_attached(struct redis_store *store,
                                               const struct session *session, uint64_t peer) {
    struct session known;
    int64_t now_ms = os_now_ms();
    enum session_store_result result =
        session_store_attach(&store->mirror, session->client_id, now_ms, &known);
    if (result == SESSION_STORE_MISSING) {
        return session_store_create(&store->mirror, session, peer, now_ms);
    }
    /* What Redis has is what holds: a session may have been lost and begun anew elsewhere. */
    session_store_memory_replace(&store->mirror, session);
    return result;
}

/* Reads the session that Redis has: OK, MISSING or UNAVAILABLE. Its time to live becomes that of an
 * attached one. */
static enum session_store_result read_session(struct redis_store *store, const char *client_id,
                                              struct session *session) {
    char key[KEY_SIZE];
    struct redis_reply reply;
    bool may_have_run_before;
    write_key(store, "", client_id, key);
    const char *const words[] = {"GETEX", key, "PX", store->attached_ttl};
    if (!run(store, words, 4, &reply, &may_have_run_before)) {
        return SESSION_STORE_UNAVAILABLE;
    }
    if (reply.kind == REDIS_REPLY_NIL) {
        return SESSION_STORE_MISSING;
    }
    if (reply.kind != REDIS_REPLY_STRING) {
        return SESSION_STORE_UNAVAILABLE;
    }
    if (!session_parse_text(client_id, reply.text, reply.size, session)) {
        complain(store, "a key holds something else than a session");
        return SESSION_STORE_MISSING;
    }
    return SESSION_STORE_OK;
}

/* Writes a session that Redis must not have: OK, EXISTS, FULL or UNAVAILABLE. */
static enum session_store_result write_session(struct redis_store *store,
                                               const struct session *session, const char *ttl) {
    char key[KEY_SIZE];
    char text[SESSION_TEXT_SIZE_MAX];
    struct redis_reply reply;
    bool may_have_run_before;
    struct session found;
    write_key(store, "", session->client_id, key);
    session_write_text(session, text);
    const char *const words[] = {"SET", key, text, "NX", "PX", ttl};
    if (!run(store, words, 6, &reply, &may_have_run_before)) {
        return SESSION_STORE_UNAVAILABLE;
    }
    switch (reply.kind) {
    case REDIS_REPLY_STATUS:
        return SESSION_STORE_OK;
    case REDIS_REPLY_NIL:
        /* Where the answer to the first attempt was lost, it may be our own that is in the way. */
        return may_have_run_before &&
                       read_session(store, session->client_id, &found) == SESSION_STORE_OK &&
                       memcmp(&found, session, sizeof found) == 0
                   ? SESSION_STORE_OK
                   : SESSION_STORE_EXISTS;
    default:
        return redis_reply_is_error(&reply, "OOM") ? SESSION_STORE_FULL : SESSION_STORE_UNAVAILABLE;
    }
}

static void delete_session(struct redis_store *store, const char *client_id) {
    char key[KEY_SIZE];
    struct redis_reply reply;
    bool may_have_run_before;
    write_key(store, "", client_id, key);
    const char *const words[] = {"DEL", key};
    (void)run(store, words, 2, &reply, &may_have_run_before);
}

static enum session_store_result create(void *state, const struct session *session, uint64_t peer,
                                        int64_t now_ms) {
    struct redis_store *store = state;
    (void)now_ms;
    enum session_store_result result = write_session(store, session, store->attached_ttl);
    if (result == SESSION_STORE_OK) {
        result = note_attached(store, session, peer);
        /* A key that was not set here is not this call's to delete: a Redis without memory refuses
         * before it looks whether there is a session, which somebody may be working on. */
        if (result != SESSION_STORE_OK) {
            delete_session(store, session->client_id);
        }
    }
    return result;
}

/* Puts a session back that Redis has lost and this server let go not long ago, and attaches it: OK,
 * MISSING or UNAVAILABLE. */
static enum session_store_result restore(struct redis_store *store, const char *client_id,
                                         struct session *session) {
    int64_t now_ms = os_now_ms();
    enum session_store_result result =
        session_store_attach(&store->mirror, client_id, now_ms + PURGE_SLACK_MS, session);
    if (result != SESSION_STORE_OK) {
        return result;
    }
    result = write_session(store, session, store->attached_ttl);
    if (result == SESSION_STORE_OK) {
        return result;
    }
    session_store_detach(&store->mirror, client_id, now_ms);
    return result == SESSION_STORE_EXISTS ? SESSION_STORE_UNAVAILABLE : result;
}

static enum session_store_result attach(void *state, const char *client_id, int64_t now_ms,
                                        struct session *session) {
    struct redis_store *store = state;
    (void)now_ms;
    enum session_store_result result = read_session(store, client_id, session);
    if (result == SESSION_STORE_MISSING) {
        return restore(store, client_id, session);
    }
    return result == SESSION_STORE_OK ? note_attached(store, session, 0) : result;
}

/* Gives a session that is attached here a time to live, and puts it back if Redis has lost it. */
static void renew(struct redis_store *store, const char *client_id, const char *ttl) {
    char key[KEY_SIZE];
    struct redis_reply reply;
    bool may_have_run_before;
    struct session session;
    write_key(store, "", client_id, key);
    const char *const words[] = {"PEXPIRE", key, ttl};
    bool is_lost = run(store, words, 3, &reply, &may_have_run_before) &&
                   reply.kind == REDIS_REPLY_INTEGER && reply.integer == 0;
    int64_t now_ms = os_now_ms();
    if (is_lost &&
        session_store_attach(&store->mirror, client_id, now_ms, &session) == SESSION_STORE_OK) {
        session_store_detach(&store->mirror, client_id, now_ms);
        (void)write_session(store, &session, ttl);
    }
}

static void keep(void *state, const char *client_id) {
    struct redis_store *store = state;
    renew(store, client_id, store->attached_ttl);
}

static void detach(void *state, const char *client_id, int64_t now_ms) {
    struct redis_store *store = state;
    (void)now_ms;
    /* If this fails, the session goes when its longer time to live as an attached one is over. If
     * another connection works on it, that one renews the longer time. */
    renew(store, client_id, store->ttl);
    session_store_detach(&store->mirror, client_id, os_now_ms());
}

static enum session_store_result write_note(void *state, const char *client_id, uint32_t note,
                                            int64_t now_ms) {
    struct redis_store *store = state;
    char key[KEY_SIZE];
    char text[DECIMAL_LENGTH_MAX + 1];
    struct redis_reply reply;
    bool may_have_run_before;
    (void)now_ms;
    write_key(store, "-note", client_id, key);
    text[decimal_write(note, text)] = '\0';
    const char *const words[] = {"SET", key, text, "PX", store->note_ttl};
    bool is_written =
        run(store, words, 5, &reply, &may_have_run_before) && reply.kind == REDIS_REPLY_STATUS;
    return is_written ? SESSION_STORE_OK : SESSION_STORE_UNAVAILABLE;
}

static enum session_store_result read_note(void *state, const char *client_id, int64_t now_ms,
                                           uint32_t *note) {
    struct redis_store *store = state;
    char key[KEY_SIZE];
    struct redis_reply reply;
    bool may_have_run_before;
    (void)now_ms;
    write_key(store, "-note", client_id, key);
    const char *const words[] = {"GETEX", key};
    if (!run(store, words, 2, &reply, &may_have_run_before)) {
        return SESSION_STORE_UNAVAILABLE;
    }
    if (reply.kind == REDIS_REPLY_NIL) {
        return SESSION_STORE_MISSING;
    }
    if (reply.kind != REDIS_REPLY_STRING) {
        return SESSION_STORE_UNAVAILABLE;
    }
    if (!decimal_parse(reply.text, reply.size, UINT32_MAX, note)) {
        complain(store, "a key holds something else than a note");
        return SESSION_STORE_MISSING;
    }
    return SESSION_STORE_OK;
}

static void collect_due(void *context, const char *client_id) {
    struct redis_store *store = context;
    memcpy(store->due_ids[store->due_count++], client_id, sizeof store->due_ids[0]);
}

/* Those that Redis cannot be asked for now stay, and are asked for when it is back. */
static void purge(void *state, int64_t now_ms, session_purged_handler *handler, void *context) {
    struct redis_store *store = state;
    if (now_ms < store->purge_again_ms) {
        return;
    }
    if (store->due_count == 0) {
        session_store_purge(&store->mirror, now_ms, collect_due, store);
    }
    for (int count = 0; count < PURGE_COUNT_MAX && store->due_count > 0; count++) {
        char key[KEY_SIZE];
        struct redis_reply reply;
        bool may_have_run_before;
        const char *client_id = store->due_ids[store->due_count - 1];
        write_key(store, "", client_id, key);
        const char *const words[] = {"EXISTS", key};
        if (!run(store, words, 2, &reply, &may_have_run_before)) {
            store->purge_again_ms = os_now_ms() + REDIS_CLIENT_PAUSE_MS;
            return;
        }
        store->due_count--;
        if (reply.kind == REDIS_REPLY_INTEGER && reply.integer == 0) {
            handler(context, client_id);
        }
    }
}

static int64_t next_purge_ms(const void *state) {
    const struct redis_store *store = state;
    int64_t due_ms = store->due_count > 0 ? 0 : session_store_next_purge_ms(&store->mirror);
    return store->purge_again_ms > due_ms ? store->purge_again_ms : due_ms;
}

static void destroy(void *state) {
    struct redis_store *store = state;
    redis_client_free(store->client);
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

/* Runs a command of the trial; false: it is not so answered, which was told. */
static bool try_command(struct redis_store *store, const char *const *words, size_t word_count,
                        enum redis_reply_kind expected) {
    struct redis_reply reply;
    bool may_have_run_before;
    if (!run(store, words, word_count, &reply, &may_have_run_before)) {
        return false;
    }
    if (reply.kind != expected && reply.kind != REDIS_REPLY_ERROR) {
        complain(store, "it answers what Redis does not");
    }
    return reply.kind == expected;
}

/* Takes a session through all that is ever done to one, so that a server that will not do is
 * refused at the start, not by each client. */
static bool try_out(struct redis_store *store) {
    uint8_t random[CLIENT_ID_RANDOM_SIZE];
    char client_id[CLIENT_ID_LENGTH + 1];
    char key[KEY_SIZE];
    if (!randomness_fill(random, sizeof random)) {
        complain(store, "no random numbers available");
        return false;
    }
    client_id_write(random, client_id);
    write_key(store, store->limits.note_capacity > 0 ? "-note" : "", client_id, key);
    const char *const set[] = {"SET", key, "trial", "NX", "PX", store->ttl};
    const char *const getex[] = {"GETEX", key, "PX", store->ttl};
    const char *const pexpire[] = {"PEXPIRE", key, store->ttl};
    const char *const exists[] = {"EXISTS", key};
    const char *const del[] = {"DEL", key};
    /* A server of several that is away takes the time of one call. */
    bool is_set = false;
    for (size_t attempt = 0; attempt < REDIS_LOCATION_NODE_COUNT_MAX && !is_set; attempt++) {
        is_set = try_command(store, set, 6, REDIS_REPLY_STATUS);
    }
    return is_set && try_command(store, getex, 4, REDIS_REPLY_STRING) &&
           try_command(store, pexpire, 3, REDIS_REPLY_INTEGER) &&
           try_command(store, exists, 2, REDIS_REPLY_INTEGER) &&
           try_command(store, del, 2, REDIS_REPLY_INTEGER);
}

int session_store_redis_open(struct session_store *store,
                             const struct redis_client_configuration *configuration,
                             const char *prefix, const struct session_store_limits *limits) {
    assert(limits->ttl_ms > 0 && strlen(prefix) <= SESSION_STORE_REDIS_PREFIX_LENGTH_MAX);
    struct redis_store *state = calloc(1, sizeof *state);
    const struct session_store_limits mirror_limits = {.capacity = limits->capacity,
                                                       .peer_max = limits->peer_max,
                                                       .ttl_ms = limits->ttl_ms + PURGE_SLACK_MS};
    int error = state == NULL ? -ENOMEM : session_store_memory_open(&state->mirror, &mirror_limits);
    if (error != 0) {
        logger_print(configuration->logger, LOG_LEVEL_ERROR,
                     "cannot make room for the sessions: %s", strerror(-error));
        free(state);
        return error;
    }
    int64_t keep_interval_ms = limits->ttl_ms / 3 > 0 ? limits->ttl_ms / 3 : 1;
    state->prefix = prefix;
    state->limits = *limits;
    (void)snprintf(state->ttl, TTL_SIZE, "%" PRId64, limits->ttl_ms);
    (void)snprintf(state->attached_ttl, TTL_SIZE, "%" PRId64, limits->ttl_ms + keep_interval_ms);
    (void)snprintf(state->note_ttl, TTL_SIZE, "%" PRId64, limits->note_ttl_ms);
    state->client = redis_client_new(configuration);
    if (state->client == NULL || !try_out(state)) {
        destroy(state);
        return -ECONNREFUSED;
    }
    redis_client_go_on(state->client);
    *store = (struct session_store){
        .operations = &operations, .state = state, .keep_interval_ms = keep_interval_ms};
    return 0;
}
