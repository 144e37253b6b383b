#include "server/records/json/record.h"

#include <strings.h>

static const char *const names[RECORD_MEMBER_COUNT] = {"id", "name", "age"};

enum record_member record_member_from_key(const char *key, size_t size) {
    for (int member = 0; member < RECORD_MEMBER_COUNT; member++) {
        if (strlen(names[member]) == size && strncasecmp(key, names[member], size) == 0) {
            return (enum record_member)member;
        }
    }
    return RECORD_MEMBER_COUNT;
}

const char *record_member_name(enum record_member member) {
    return names[member];
}
