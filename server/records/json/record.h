/*
 * What the records service is about: a person, as three texts.
 *
 * A record here is a view: it owns nothing and lives as long as the bytes that it points to.
 */

#ifndef SERVER_RECORDS_JSON_RECORD_H_
#define SERVER_RECORDS_JSON_RECORD_H_

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* UTF-8 without a NUL byte in it and without one behind it. */
struct record_text {
    const char *bytes;
    size_t size;
};

/* Whether two texts are the same, byte for byte. */
static inline bool record_text_equals(struct record_text left, struct record_text right) {
    return left.size == right.size && memcmp(left.bytes, right.bytes, left.size) == 0;
}

enum record_member {
    RECORD_MEMBER_ID,
    RECORD_MEMBER_NAME,
    RECORD_MEMBER_AGE,
    RECORD_MEMBER_COUNT, /* also: none of them */
};

struct record {
    struct record_text id;
    struct record_text name;
    struct record_text age;
};

/* Returns where `record` keeps the member, which must be one of the three. */
static inline struct record_text *record_member_text(struct record *record,
                                                     enum record_member member) {
    if (member == RECORD_MEMBER_ID) {
        return &record->id;
    }
    return member == RECORD_MEMBER_NAME ? &record->name : &record->age;
}

/* The most characters that each member may have, by enum record_member; 0: no limit of its own. */
struct record_limits {
    size_t character_max[RECORD_MEMBER_COUNT];
};

/* Returns the member that `key[0..size)` names, in any letter case, or RECORD_MEMBER_COUNT. */
enum record_member record_member_from_key(const char *key, size_t size);

/* Returns the member's name in lower case. */
const char *record_member_name(enum record_member member);

/* Returns whether the member may be sent as a number, to be kept as its text. */
static inline bool record_member_allows_number(enum record_member member) {
    return member == RECORD_MEMBER_ID || member == RECORD_MEMBER_AGE;
}

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RECORDS_JSON_RECORD_H_ */
