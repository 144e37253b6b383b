#include "server/sessions/redis_cluster.h"

#include <assert.h>
#include <string.h>

#include "server/sessions/decimal.h"

/* CRC-16/XMODEM, bit by bit: a key has some fifty bytes, and its command a round trip. */
uint16_t redis_cluster_slot(const char *key) {
    uint32_t crc = 0;
    for (const char *byte = key; *byte != '\0'; byte++) {
        assert(*byte != '{');
        crc ^= (uint32_t)(uint8_t)*byte << 8;
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc & 0x8000) != 0 ? (crc << 1) ^ 0x1021 : crc << 1;
        }
        crc &= 0xffff;
    }
    return (uint16_t)(crc % REDIS_SLOT_COUNT);
}

bool redis_cluster_parse_redirection(const struct redis_reply *error, const char *host,
                                     uint32_t *slot, struct redis_address *address) {
    if (!redis_reply_is_error(error, "MOVED") && !redis_reply_is_error(error, "ASK")) {
        return false;
    }
    const char *end = error->text + error->size;
    const char *slot_text = memchr(error->text, ' ', error->size);
    slot_text = slot_text == NULL ? end : slot_text + 1;
    const char *space = memchr(slot_text, ' ', (size_t)(end - slot_text));
    return space != NULL &&
           decimal_parse(slot_text, (size_t)(space - slot_text), REDIS_SLOT_COUNT - 1, slot) &&
           redis_address_parse(space + 1, (size_t)(end - space) - 1, host, address);
}

struct reader {
    const char *next;
    const char *end;
};

static bool take_item(struct reader *reader, enum redis_reply_kind kind, struct redis_reply *item) {
    size_t size = 0;
    if (redis_reply_parse(reader->next, (size_t)(reader->end - reader->next), item, &size) !=
        REDIS_REPLY_COMPLETE) {
        return false;
    }
    reader->next += size;
    return item->kind == kind;
}

/* Steps over `count` items, with all that they hold. */
static bool skip_items(struct reader *reader, size_t count) {
    for (size_t i = 0; i < count; i++) {
        size_t size = 0;
        if (redis_reply_measure(reader->next, (size_t)(reader->end - reader->next), &size) !=
            REDIS_REPLY_COMPLETE) {
            return false;
        }
        reader->next += size;
    }
    return true;
}

/* The master of a range: [host, port, id, ...]. */
static bool take_master(struct reader *reader, const char *host, struct redis_address *master) {
    struct redis_reply node;
    struct redis_reply name;
    struct redis_reply port;
    size_t size = 0;
    if (!take_item(reader, REDIS_REPLY_ARRAY, &node) || node.count < 2) {
        return false;
    }
    /* A node that does not know its own host sends nil or nothing. */
    if (redis_reply_parse(reader->next, (size_t)(reader->end - reader->next), &name, &size) !=
        REDIS_REPLY_COMPLETE) {
        return false;
    }
    reader->next += size;
    bool has_host = name.kind == REDIS_REPLY_STRING && name.size > 0;
    bool may_lack = name.kind == REDIS_REPLY_NIL || name.kind == REDIS_REPLY_STRING;
    return may_lack && take_item(reader, REDIS_REPLY_INTEGER, &port) && port.integer > 0 &&
           port.integer <= UINT16_MAX && skip_items(reader, node.count - 2) &&
           redis_address_set(master, has_host ? name.text : host,
                             has_host ? name.size : strlen(host), (uint32_t)port.integer);
}

static bool is_slot(const struct redis_reply *item) {
    return item->integer >= 0 && item->integer < REDIS_SLOT_COUNT;
}

bool redis_cluster_parse_slots(const char *bytes, size_t size, const char *host,
                               redis_cluster_range_handler *handler, void *context) {
    struct reader reader = {bytes, bytes + size};
    struct redis_reply ranges;
    if (!take_item(&reader, REDIS_REPLY_ARRAY, &ranges)) {
        return false;
    }
    for (size_t i = 0; i < ranges.count; i++) {
        struct redis_reply range;
        struct redis_reply first;
        struct redis_reply last;
        struct redis_address master;
        if (!take_item(&reader, REDIS_REPLY_ARRAY, &range) || range.count < 3 ||
            !take_item(&reader, REDIS_REPLY_INTEGER, &first) || !is_slot(&first) ||
            !take_item(&reader, REDIS_REPLY_INTEGER, &last) || !is_slot(&last) ||
            !take_master(&reader, host, &master) || !skip_items(&reader, range.count - 3)) {
            return false;
        }
        handler(context, (uint32_t)first.integer, (uint32_t)last.integer, &master);
    }
    return true;
}
