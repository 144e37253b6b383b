/*
 * Where sessions are kept: an interface with two implementations, session_store_memory.h and
 * session_store_redis.h.
 *
 * A session is attached while a connection works on it (several may). When the last one lets go,
 * the session is kept for the store's time to live and then purged.
 *
 * Ownership: the implementation owns the sessions and hands out copies. Threading: one thread per
 * store. Time: every function takes the caller's clock, which does not run backwards.
 */
#ifndef SERVER_SESSIONS_SESSION_STORE_H_
#define SERVER_SESSIONS_SESSION_STORE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/sessions/session.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    /* The largest capacity of a store. A session takes about 150 bytes. */
    SESSION_STORE_CAPACITY_MAX = 10000000,
    /* Sessions purged at a time, before the sockets are looked at again: each prints a line, and
     * each costs a share of a round trip with Redis. */
    SESSION_STORE_PURGE_COUNT_MAX = 256,
};

/* What a store is made for. A note is a number that a service keeps for a client-id beside the
 * session, a place in the sequence, say: it goes its own time after it was written last, whether
 * there is a session or not, so it can outlive the session as its tombstone. */
struct session_store_limits {
    size_t capacity;      /* sessions, 1 to SESSION_STORE_CAPACITY_MAX */
    int64_t ttl_ms;       /* how long a session is kept after its detachment */
    size_t note_capacity; /* notes; when there are more, the oldest goes. 0: no notes are used */
    int64_t note_ttl_ms;  /* how long a note is kept after it was written */
    size_t peer_max;      /* sessions that one peer made; 0: no limit */
};

enum session_store_result {
    SESSION_STORE_OK,
    SESSION_STORE_EXISTS,      /* create: there is a session of this client-id */
    SESSION_STORE_MISSING,     /* attach, read_note: there is none */
    SESSION_STORE_FULL,        /* the limit is reached, or there is no memory */
    SESSION_STORE_PEER_FULL,   /* create: the limit of one peer is reached */
    SESSION_STORE_UNAVAILABLE, /* the store cannot be reached; nothing is known to have been done */
};

/* Told of each session that was purged. */
typedef void session_purged_handler(void *context, const char *client_id);

struct session_store_operations {
    enum session_store_result (*create)(void *state, const struct session *session, uint64_t peer,
                                        int64_t now_ms);
    enum session_store_result (*attach)(void *state, const char *client_id, int64_t now_ms,
                                        struct session *session);
    void (*keep)(void *state, const char *client_id);
    void (*detach)(void *state, const char *client_id, int64_t now_ms);
    enum session_store_result (*write_note)(void *state, const char *client_id, uint32_t note,
                                            int64_t now_ms);
    enum session_store_result (*read_note)(void *state, const char *client_id, int64_t now_ms,
                                           uint32_t *note);
    void (*purge)(void *state, int64_t now_ms, session_purged_handler *handler, void *context);
    int64_t (*next_purge_ms)(const void *state);
    void (*destroy)(void *state);
};

struct session_store {
    const struct session_store_operations *operations;
    void *state; /* the implementation's */
    /* How often an attached session must be kept, or the store forgets it: 0 if never. */
    int64_t keep_interval_ms;
};

/* Adds a copy of `session`, attached once, which counts for `peer` (peer_counts.h; 0: for nobody):
 * OK, EXISTS, FULL, PEER_FULL or UNAVAILABLE. */
static inline enum session_store_result session_store_create(struct session_store *store,
                                                             const struct session *session,
                                                             uint64_t peer, int64_t now_ms) {
    return store->operations->create(store->state, session, peer, now_ms);
}

/* Attaches the session of `client_id` once more and copies it to `*session`: OK, MISSING,
 * UNAVAILABLE, or FULL where the session is another server's that this one has no room to know. */
static inline enum session_store_result session_store_attach(struct session_store *store,
                                                             const char *client_id, int64_t now_ms,
                                                             struct session *session) {
    return store->operations->attach(store->state, client_id, now_ms, session);
}

/* Tells the store that the session is still attached; due every keep_interval_ms. */
static inline void session_store_keep(struct session_store *store, const char *client_id) {
    store->operations->keep(store->state, client_id);
}

/* Takes one attachment back. When it was the last, the time to live begins. */
static inline void session_store_detach(struct session_store *store, const char *client_id,
                                        int64_t now_ms) {
    store->operations->detach(store->state, client_id, now_ms);
}

/* Writes the note of `client_id`, in place of the one before: OK or UNAVAILABLE. */
static inline enum session_store_result session_store_write_note(struct session_store *store,
                                                                 const char *client_id,
                                                                 uint32_t note, int64_t now_ms) {
    return store->operations->write_note(store->state, client_id, note, now_ms);
}

/* Reads it: OK, MISSING or UNAVAILABLE. */
static inline enum session_store_result session_store_read_note(struct session_store *store,
                                                                const char *client_id,
                                                                int64_t now_ms, uint32_t *note) {
    return store->operations->read_note(store->state, client_id, now_ms, note);
}

/* Removes sessions whose time is up, at most SESSION_STORE_PURGE_COUNT_MAX of them, and tells
 * `handler`. */
static inline void session_store_purge(struct session_store *store, int64_t now_ms,
                                       session_purged_handler *handler, void *context) {
    store->operations->purge(store->state, now_ms, handler, context);
}

/* When session_store_purge has something to do next; INT64_MAX: nothing is waiting. */
static inline int64_t session_store_next_purge_ms(const struct session_store *store) {
    return store->operations->next_purge_ms(store->state);
}

/* Does nothing to a zeroed store. */
static inline void session_store_destroy(struct session_store *store) {
    if (store->operations != NULL) {
        store->operations->destroy(store->state);
    }
}

#ifdef __cplusplus
}
#endif

#endif /* SERVER_SESSIONS_SESSION_STORE_H_ */
