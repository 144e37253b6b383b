#include "server/records/record_members.h"

static const char *const names[RECORD_MEMBER_COUNT] = {"id", "name", "age"};
static const size_t name_sizes[RECORD_MEMBER_COUNT] = {2, 4, 3};

/* The names are letters only, and the two forms of an ASCII letter differ in this bit alone. */
static const char LOWER_CASE_BIT = 0x20;

static bool equals_in_any_case(const char *key, const char *name, size_t size) {
    for (size_t i = 0; i < size; i++) {
        if ((key[i] | LOWER_CASE_BIT) != name[i]) {
            return false;
        }
    }
    return true;
}

enum record_member record_member_from_key(const char *key, size_t size) {
    for (int member = 0; member < RECORD_MEMBER_COUNT; member++) {
        if (name_sizes[member] == size && equals_in_any_case(key, names[member], size)) {
            return (enum record_member)member;
        }
    }
    return RECORD_MEMBER_COUNT;
}

const char *record_member_name(enum record_member member) {
    return names[member];
}

bool record_member_allows_number(enum record_member member) {
    return member == RECORD_MEMBER_ID || member == RECORD_MEMBER_AGE;
}

struct record_text *record_member_text(struct record *record, enum record_member member) {
    if (member == RECORD_MEMBER_ID) {
        return &record->id;
    }
    return member == RECORD_MEMBER_NAME ? &record->name : &record->age;
}
