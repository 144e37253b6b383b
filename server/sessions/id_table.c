#include "server/sessions/id_table.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "server/sessions/randomness.h"

enum { HASH_BIT_COUNT_MIN = 4, NONE = ID_TABLE_NONE };

struct id_table_entry {
    char client_id[CLIENT_ID_LENGTH + 1];
    uint32_t next_in_bucket; /* or in the list of free entries */
    uint32_t previous_queued;
    uint32_t next_queued;
    int64_t due_ms; /* while queued */
};

int id_table_init(struct id_table *table, size_t capacity) {
    assert(capacity > 0 && capacity <= ID_TABLE_CAPACITY_MAX);
    *table = (struct id_table){
        .capacity = (uint32_t)capacity, .first_unused = 1, .hash_bit_count = HASH_BIT_COUNT_MIN};
    while ((size_t)1 << table->hash_bit_count < capacity) {
        table->hash_bit_count++;
    }
    if (!randomness_fill(table->hash_keys, sizeof table->hash_keys)) {
        return -EIO;
    }
    for (size_t i = 0; i < ID_TABLE_HASH_WORD_COUNT; i++) {
        table->hash_keys[i] |= 1;
    }
    table->entries = calloc(capacity + 1, sizeof *table->entries);
    table->buckets = calloc((size_t)1 << table->hash_bit_count, sizeof *table->buckets);
    if (table->entries == NULL || table->buckets == NULL) {
        id_table_destroy(table);
        return -ENOMEM;
    }
    return 0;
}

void id_table_destroy(struct id_table *table) {
    free(table->entries);
    free(table->buckets);
    *table = (struct id_table){0};
}

/* Multiply-shift over the words of the text, each with a secret odd factor (Dietzfelbinger et al.,
 * "A reliable randomized algorithm for the closest-pair problem", 1997). */
static uint32_t *find_bucket(const struct id_table *table, const char *client_id) {
    uint64_t sum = 0;
    for (size_t i = 0; i < ID_TABLE_HASH_WORD_COUNT; i++) {
        size_t offset = i * sizeof(uint64_t);
        size_t size = CLIENT_ID_LENGTH - offset;
        uint64_t word = 0;
        memcpy(&word, client_id + offset, size < sizeof word ? size : sizeof word);
        word *= table->hash_keys[i];
        sum += word ^ (word >> 32);
        sum *= table->hash_keys[i];
    }
    return &table->buckets[sum >> (64 - table->hash_bit_count)];
}

uint32_t id_table_find(const struct id_table *table, const char *client_id) {
    uint32_t index = *find_bucket(table, client_id);
    while (index != NONE && strcmp(table->entries[index].client_id, client_id) != 0) {
        index = table->entries[index].next_in_bucket;
    }
    return index;
}

uint32_t id_table_insert(struct id_table *table, const char *client_id) {
    uint32_t index = table->first_free;
    if (index != NONE) {
        table->first_free = table->entries[index].next_in_bucket;
    } else if (table->first_unused <= table->capacity) {
        index = table->first_unused++;
    } else {
        return NONE;
    }
    uint32_t *bucket = find_bucket(table, client_id);
    struct id_table_entry *entry = &table->entries[index];
    *entry = (struct id_table_entry){.next_in_bucket = *bucket};
    memcpy(entry->client_id, client_id, CLIENT_ID_LENGTH);
    *bucket = index;
    return index;
}

void id_table_remove(struct id_table *table, uint32_t index) {
    struct id_table_entry *entry = &table->entries[index];
    uint32_t *link = find_bucket(table, entry->client_id);
    while (*link != index) {
        link = &table->entries[*link].next_in_bucket;
    }
    *link = entry->next_in_bucket;
    entry->next_in_bucket = table->first_free;
    table->first_free = index;
}

const char *id_table_client_id(const struct id_table *table, uint32_t index) {
    return table->entries[index].client_id;
}

void id_table_enqueue(struct id_table *table, uint32_t index, int64_t due_ms) {
    struct id_table_entry *entry = &table->entries[index];
    entry->due_ms = due_ms;
    entry->previous_queued = table->last_queued;
    entry->next_queued = NONE;
    if (table->last_queued == NONE) {
        table->first_queued = index;
    } else {
        table->entries[table->last_queued].next_queued = index;
    }
    table->last_queued = index;
}

void id_table_dequeue(struct id_table *table, uint32_t index) {
    struct id_table_entry *entry = &table->entries[index];
    if (entry->previous_queued == NONE) {
        table->first_queued = entry->next_queued;
    } else {
        table->entries[entry->previous_queued].next_queued = entry->next_queued;
    }
    if (entry->next_queued == NONE) {
        table->last_queued = entry->previous_queued;
    } else {
        table->entries[entry->next_queued].previous_queued = entry->previous_queued;
    }
}

uint32_t id_table_first_due(const struct id_table *table) {
    return table->first_queued;
}

int64_t id_table_due_ms(const struct id_table *table, uint32_t index) {
    return table->entries[index].due_ms;
}
