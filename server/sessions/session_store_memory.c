#include "server/sessions/session_store_memory.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "server/sessions/randomness.h"

enum {
    /* Index of an entry that is none; entry 0 is left unused for it. */
    NONE = 0,
    HASH_WORD_COUNT = (CLIENT_ID_LENGTH + 7) / 8,
    HASH_BIT_COUNT_MIN = 4,
};

struct entry {
    struct session session;
    uint32_t attached_count;
    uint32_t next_in_bucket; /* or in the list of free entries */
    uint32_t previous_detached;
    uint32_t next_detached;
    int64_t purge_ms; /* while detached */
};

struct memory_store {
    struct entry *entries; /* 1 to capacity are used */
    uint32_t *buckets;
    uint64_t hash_keys[HASH_WORD_COUNT];
    unsigned hash_bit_count;
    uint32_t first_free;   /* of those given back */
    uint32_t first_unused; /* entries from here on were never used */
    uint32_t capacity;
    uint32_t first_detached; /* the one to be purged first */
    uint32_t last_detached;
    int64_t ttl_ms;
};

/* Multiply-shift over the words of the text, each with a secret odd factor (Dietzfelbinger et al.,
 * "A reliable randomized algorithm for the closest-pair problem", 1997). */
static uint32_t *find_bucket(struct memory_store *store, const char *client_id) {
    uint64_t sum = 0;
    for (size_t i = 0; i < HASH_WORD_COUNT; i++) {
        size_t offset = i * sizeof(uint64_t);
        size_t size = CLIENT_ID_LENGTH - offset;
        uint64_t word = 0;
        memcpy(&word, client_id + offset, size < sizeof word ? size : sizeof word);
        word *= store->hash_keys[i];
        sum += word ^ (word >> 32);
        sum *= store->hash_keys[i];
    }
    return &store->buckets[sum >> (64 - store->hash_bit_count)];
}

static uint32_t find_entry(struct memory_store *store, const char *client_id) {
    uint32_t index = *find_bucket(store, client_id);
    while (index != NONE && strcmp(store->entries[index].session.client_id, client_id) != 0) {
        index = store->entries[index].next_in_bucket;
    }
    return index;
}

static uint32_t take_free_entry(struct memory_store *store) {
    uint32_t index = store->first_free;
    if (index != NONE) {
        store->first_free = store->entries[index].next_in_bucket;
    } else if (store->first_unused <= store->capacity) {
        index = store->first_unused++;
    }
    return index;
}

static void link_detached(struct memory_store *store, uint32_t index) {
    struct entry *entry = &store->entries[index];
    entry->previous_detached = store->last_detached;
    entry->next_detached = NONE;
    if (store->last_detached == NONE) {
        store->first_detached = index;
    } else {
        store->entries[store->last_detached].next_detached = index;
    }
    store->last_detached = index;
}

static void unlink_detached(struct memory_store *store, uint32_t index) {
    struct entry *entry = &store->entries[index];
    if (entry->previous_detached == NONE) {
        store->first_detached = entry->next_detached;
    } else {
        store->entries[entry->previous_detached].next_detached = entry->next_detached;
    }
    if (entry->next_detached == NONE) {
        store->last_detached = entry->previous_detached;
    } else {
        store->entries[entry->next_detached].previous_detached = entry->previous_detached;
    }
}

static void remove_detached(struct memory_store *store, uint32_t index) {
    struct entry *entry = &store->entries[index];
    unlink_detached(store, index);
    uint32_t *link = find_bucket(store, entry->session.client_id);
    while (*link != index) {
        link = &store->entries[*link].next_in_bucket;
    }
    *link = entry->next_in_bucket;
    entry->next_in_bucket = store->first_free;
    store->first_free = index;
}

/* A session whose time is up is as good as gone, even if its purging has not had its turn. */
static bool is_expired(const struct entry *entry, int64_t now_ms) {
    return entry->attached_count == 0 && entry->purge_ms <= now_ms;
}

static enum session_store_result create(void *state, const struct session *session,
                                        int64_t now_ms) {
    struct memory_store *store = state;
    uint32_t index = find_entry(store, session->client_id);
    if (index != NONE) {
        if (!is_expired(&store->entries[index], now_ms)) {
            return SESSION_STORE_EXISTS;
        }
        remove_detached(store, index);
    }
    index = take_free_entry(store);
    if (index == NONE) {
        return SESSION_STORE_FULL;
    }
    uint32_t *bucket = find_bucket(store, session->client_id);
    store->entries[index] =
        (struct entry){.session = *session, .attached_count = 1, .next_in_bucket = *bucket};
    *bucket = index;
    return SESSION_STORE_OK;
}

static enum session_store_result attach(void *state, const char *client_id, int64_t now_ms,
                                        struct session *session) {
    struct memory_store *store = state;
    uint32_t index = find_entry(store, client_id);
    struct entry *entry = &store->entries[index];
    if (index == NONE || is_expired(entry, now_ms)) {
        return SESSION_STORE_MISSING;
    }
    if (entry->attached_count++ == 0) {
        unlink_detached(store, index);
    }
    *session = entry->session;
    return SESSION_STORE_OK;
}

static void keep(void *state, const char *client_id) {
    /* An attached session here stays without being asked for. */
    (void)state;
    (void)client_id;
}

static void detach(void *state, const char *client_id, int64_t now_ms) {
    struct memory_store *store = state;
    uint32_t index = find_entry(store, client_id);
    struct entry *entry = &store->entries[index];
    assert(index != NONE && entry->attached_count > 0);
    if (--entry->attached_count == 0) {
        entry->purge_ms = now_ms + store->ttl_ms;
        link_detached(store, index);
    }
}

static void purge(void *state, int64_t now_ms, session_purged_handler *handler, void *context) {
    struct memory_store *store = state;
    for (int i = 0; i < SESSION_STORE_PURGE_COUNT_MAX; i++) {
        uint32_t index = store->first_detached;
        if (index == NONE || store->entries[index].purge_ms > now_ms) {
            return;
        }
        remove_detached(store, index);
        handler(context, store->entries[index].session.client_id);
    }
}

static int64_t next_purge_ms(const void *state) {
    const struct memory_store *store = state;
    return store->first_detached == NONE ? INT64_MAX
                                         : store->entries[store->first_detached].purge_ms;
}

static void destroy(void *state) {
    struct memory_store *store = state;
    free(store->entries);
    free(store->buckets);
    free(store);
}

static const struct session_store_operations operations = {
    .create = create,
    .attach = attach,
    .keep = keep,
    .detach = detach,
    .purge = purge,
    .next_purge_ms = next_purge_ms,
    .destroy = destroy,
};

/* Allocates the tables. 0, or a negative errno value; destroy() frees what there is. */
static int allocate(struct memory_store *store, size_t capacity) {
    store->hash_bit_count = HASH_BIT_COUNT_MIN;
    while ((size_t)1 << store->hash_bit_count < capacity) {
        store->hash_bit_count++;
    }
    store->entries = calloc(capacity + 1, sizeof *store->entries);
    store->buckets = calloc((size_t)1 << store->hash_bit_count, sizeof *store->buckets);
    if (store->entries == NULL || store->buckets == NULL) {
        return -ENOMEM;
    }
    if (!randomness_fill(store->hash_keys, sizeof store->hash_keys)) {
        return -EIO;
    }
    for (size_t i = 0; i < HASH_WORD_COUNT; i++) {
        store->hash_keys[i] |= 1;
    }
    return 0;
}

int session_store_memory_open(struct session_store *store, size_t capacity, int64_t ttl_ms) {
    assert(capacity > 0 && capacity <= SESSION_STORE_CAPACITY_MAX);
    struct memory_store *state = calloc(1, sizeof *state);
    if (state == NULL) {
        return -ENOMEM;
    }
    state->capacity = (uint32_t)capacity;
    state->first_unused = 1;
    state->ttl_ms = ttl_ms;
    int error = allocate(state, capacity);
    if (error != 0) {
        destroy(state);
        return error;
    }
    *store = (struct session_store){.operations = &operations, .state = state};
    return 0;
}
