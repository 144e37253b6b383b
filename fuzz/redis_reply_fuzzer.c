/* What a server sends that says it is Redis, and may be anything.
 *
 * Input: the bytes. Whatever is measured as a whole reply must be one item after the other, to the
 * byte; a shorter part of it must not be taken for one; and redirections and slots must lead to
 * hosts and ports that can be.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/fuzz_target.h"
#include "server/sessions/redis_cluster.h"
#include "server/sessions/redis_reply.h"

static void check(bool is_true, const char *what) {
    if (!is_true) {
        (void)fprintf(stderr, "redis reply: %s\n", what);
        abort();
    }
}

static void check_address(const struct redis_address *address) {
    size_t length = strnlen(address->host, sizeof address->host);
    check(length > 0 && length < sizeof address->host && address->port > 0, "no address");
    for (size_t i = 0; i < length; i++) {
        check(address->host[i] > ' ' && address->host[i] < 0x7f, "a host that cannot be");
    }
}

static void check_range(void *context, uint32_t first_slot, uint32_t last_slot,
                        const struct redis_address *master) {
    (void)context;
    check(first_slot < REDIS_SLOT_COUNT && last_slot < REDIS_SLOT_COUNT, "no slot");
    check_address(master);
}

/* Steps through the items of a whole reply. Returns its size. */
static size_t sum_items(const char *bytes, size_t size) {
    size_t offset = 0;
    for (size_t missing_count = 1; missing_count > 0; missing_count--) {
        struct redis_reply item;
        size_t item_size = 0;
        check(redis_reply_parse(bytes + offset, size - offset, &item, &item_size) ==
                  REDIS_REPLY_COMPLETE,
              "an item is missing");
        missing_count += item.count;
        offset += item_size;
    }
    return offset;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *bytes = (const char *)data;
    struct redis_reply reply;
    struct redis_address address;
    uint32_t slot;
    size_t whole_size = 0;
    size_t other_size = 0;
    (void)redis_cluster_parse_slots(bytes, size, "asked", check_range, NULL);
    if (redis_reply_measure(bytes, size, &whole_size) != REDIS_REPLY_COMPLETE) {
        return 0;
    }
    check(whole_size <= size && sum_items(bytes, size) == whole_size, "a wrong size");
    check(redis_reply_measure(bytes, whole_size - 1, &other_size) == REDIS_REPLY_PARTIAL,
          "a part was taken for the whole");
    check(redis_reply_parse(bytes, size, &reply, &other_size) == REDIS_REPLY_COMPLETE, "no item");
    if (redis_cluster_parse_redirection(&reply, "asked", &slot, &address)) {
        check(slot < REDIS_SLOT_COUNT, "no slot");
        check_address(&address);
    }
    return 0;
}
