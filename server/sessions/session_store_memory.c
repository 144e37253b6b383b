#include "server/sessions/session_store_memory.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "server/runtime/peer_counts.h"
#include "server/sessions/id_table.h"

enum { NONE = ID_TABLE_NONE };

struct entry {
    struct session session;
    uint32_t attached_count; /* 0: it is queued, to be purged */
    uint32_t peer_token;     /* of `peers` */
};

struct memory_store {
    struct session_store_limits limits;
    struct id_table sessions;
    struct entry *entries; /* by index in `sessions` */
    struct peer_counts peers;
    struct id_table notes; /* all of them are queued, to be forgotten */
    uint32_t *note_values; /* by index in `notes` */
};

static void remove_detached(struct memory_store *store, uint32_t index) {
    peer_counts_release(&store->peers, store->entries[index].peer_token);
    id_table_dequeue(&store->sessions, index);
    id_table_remove(&store->sessions, index);
}

/* A session whose time is up is as good as gone, even if its purging has not had its turn. */
static bool is_expired(const struct memory_store *store, uint32_t index, int64_t now_ms) {
    return store->entries[index].attached_count == 0 &&
           id_table_due_ms(&store->sessions, index) <= now_ms;
}

static enum session_store_result create(void *state, const struct session *session, uint64_t peer,
                                        int64_t now_ms) {
    struct memory_store *store = state;
    uint32_t index = id_table_find(&store->sessions, session->client_id);
    if (index != NONE) {
        if (!is_expired(store, index, now_ms)) {
            return SESSION_STORE_EXISTS;
        }
        remove_detached(store, index);
    }
    index = id_table_insert(&store->sessions, session->client_id);
    if (index == NONE) {
        return SESSION_STORE_FULL;
    }
    bool is_limited = peer != 0 && store->limits.peer_max > 0;
    uint32_t peer_token = is_limited ? peer_counts_take(&store->peers, peer, store->limits.peer_max)
                                     : PEER_COUNTS_NONE;
    if (is_limited && peer_token == PEER_COUNTS_NONE) {
        id_table_remove(&store->sessions, index);
        return SESSION_STORE_PEER_FULL;
    }
    store->entries[index] =
        (struct entry){.session = *session, .attached_count = 1, .peer_token = peer_token};
    return SESSION_STORE_OK;
}

static enum session_store_result attach(void *state, const char *client_id, int64_t now_ms,
                                        struct session *session) {
    struct memory_store *store = state;
    uint32_t index = id_table_find(&store->sessions, client_id);
    if (index == NONE || is_expired(store, index, now_ms)) {
        return SESSION_STORE_MISSING;
    }
    if (store->entries[index].attached_count++ == 0) {
        id_table_dequeue(&store->sessions, index);
    }
    *session = store->entries[index].session;
    return SESSION_STORE_OK;
}

static void keep(void *state, const char *client_id) {
    /* An attached session here stays without being asked for. */
    (void)state;
    (void)client_id;
}

static void detach(void *state, const char *client_id, int64_t now_ms) {
    struct memory_store *store = state;
    uint32_t index = id_table_find(&store->sessions, client_id);
    assert(index != NONE && store->entries[index].attached_count > 0);
    if (--store->entries[index].attached_count == 0) {
        id_table_enqueue(&store->sessions, index, now_ms + store->limits.ttl_ms);
    }
}

/* Gives up the note that was written longest ago. */
static void forget_oldest_note(struct memory_store *store) {
    uint32_t index = id_table_first_due(&store->notes);
    id_table_dequeue(&store->notes, index);
    id_table_remove(&store->notes, index);
}

static enum session_store_result write_note(void *state, const char *client_id, uint32_t note,
                                            int64_t now_ms) {
    struct memory_store *store = state;
    assert(store->note_values != NULL);
    uint32_t index = id_table_find(&store->notes, client_id);
    if (index != NONE) {
        id_table_dequeue(&store->notes, index);
    } else {
        index = id_table_insert(&store->notes, client_id);
    }
    if (index == NONE) {
        forget_oldest_note(store);
        index = id_table_insert(&store->notes, client_id);
    }
    store->note_values[index] = note;
    id_table_enqueue(&store->notes, index, now_ms + store->limits.note_ttl_ms);
    return SESSION_STORE_OK;
}

static enum session_store_result read_note(void *state, const char *client_id, int64_t now_ms,
                                           uint32_t *note) {
    struct memory_store *store = state;
    assert(store->note_values != NULL);
    uint32_t index = id_table_find(&store->notes, client_id);
    if (index == NONE || id_table_due_ms(&store->notes, index) <= now_ms) {
        return SESSION_STORE_MISSING;
    }
    *note = store->note_values[index];
    return SESSION_STORE_OK;
}

static void purge(void *state, int64_t now_ms, session_purged_handler *handler, void *context) {
    struct memory_store *store = state;
    for (int count = 0; count < SESSION_STORE_PURGE_COUNT_MAX; count++) {
        uint32_t index = id_table_first_due(&store->sessions);
        if (index == NONE || id_table_due_ms(&store->sessions, index) > now_ms) {
            return;
        }
        remove_detached(store, index);
        handler(context, id_table_client_id(&store->sessions, index));
    }
}

static int64_t next_purge_ms(const void *state) {
    const struct memory_store *store = state;
    uint32_t index = id_table_first_due(&store->sessions);
    return index == NONE ? INT64_MAX : id_table_due_ms(&store->sessions, index);
}

static void destroy(void *state) {
    struct memory_store *store = state;
    id_table_destroy(&store->sessions);
    id_table_destroy(&store->notes);
    peer_counts_destroy(&store->peers);
    free(store->entries);
    free(store->note_values);
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

/* Makes a table of `capacity` entries and the array beside it. 0, or a negative errno value. */
static int allocate(struct id_table *table, size_t capacity, size_t value_size, void **values) {
    *values = calloc(capacity + 1, value_size);
    return *values == NULL ? -ENOMEM : id_table_init(table, capacity);
}

int session_store_memory_open(struct session_store *store,
                              const struct session_store_limits *limits) {
    assert(limits->capacity > 0 && limits->capacity <= SESSION_STORE_CAPACITY_MAX);
    struct memory_store *state = calloc(1, sizeof *state);
    if (state == NULL) {
        return -ENOMEM;
    }
    void *entries = NULL;
    void *note_values = NULL;
    state->limits = *limits;
    int error = allocate(&state->sessions, limits->capacity, sizeof *state->entries, &entries);
    if (error == 0 && limits->peer_max > 0) {
        error = peer_counts_init(&state->peers, limits->capacity);
    }
    if (error == 0 && limits->note_capacity > 0) {
        error = allocate(&state->notes, limits->note_capacity, sizeof *state->note_values,
                         &note_values);
    }
    state->entries = entries;
    state->note_values = note_values;
    if (error != 0) {
        destroy(state);
        return error;
    }
    *store = (struct session_store){.operations = &operations, .state = state};
    return 0;
}

void session_store_memory_replace(struct session_store *store, const struct session *session) {
    struct memory_store *state = store->state;
    uint32_t index = id_table_find(&state->sessions, session->client_id);
    assert(store->operations == &operations && index != NONE);
    state->entries[index].session = *session;
}
