/*
 * The three members of a record, as JSON names them.
 */

#ifndef SERVER_RECORDS_RECORD_MEMBERS_H_
#define SERVER_RECORDS_RECORD_MEMBERS_H_

#include <stdbool.h>
#include <stddef.h>

#include "server/records/record.h"

#ifdef __cplusplus
extern "C" {
#endif

enum record_member {
    RECORD_MEMBER_ID,
    RECORD_MEMBER_NAME,
    RECORD_MEMBER_AGE,
    RECORD_MEMBER_COUNT, /* also: none of them */
};

/* Returns the member that `key[0..size)` names, in any letter case, or RECORD_MEMBER_COUNT. */
enum record_member record_member_from_key(const char *key, size_t size);

/* Returns the member's name in lower case. */
const char *record_member_name(enum record_member member);

/* Returns whether the member may be sent as a number, to be kept as its text. */
bool record_member_allows_number(enum record_member member);

/* Returns where `record` keeps the member, which must be one of the three. */
struct record_text *record_member_text(struct record *record, enum record_member member);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RECORDS_RECORD_MEMBERS_H_ */
