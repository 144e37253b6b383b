/*
 * What the records service is about: a person, as three texts.
 *
 * A record here is a view: it owns nothing and lives as long as the bytes that it points to.
 */

#ifndef SERVER_RECORDS_RECORD_H_
#define SERVER_RECORDS_RECORD_H_

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* UTF-8 without a NUL byte in it and without one behind it. */
struct record_text {
    const char *bytes;
    size_t size;
};

/* Whether two texts are the same, byte for byte. */
static inline bool record_text_equals(struct record_text left, struct record_text right) {
    return left.size == right.size && memcmp(left.bytes, right.bytes, left.size) == 0;
}

struct record {
    struct record_text id;
    struct record_text name;
    struct record_text age;
};

#endif /* SERVER_RECORDS_RECORD_H_ */
