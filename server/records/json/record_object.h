/*
 * One JSON object to one record, by jansson. This is the specification of what a record is;
 * record_shortcut.h only repeats it faster.
 */

#ifndef SERVER_RECORDS_JSON_RECORD_OBJECT_H_
#define SERVER_RECORDS_JSON_RECORD_OBJECT_H_

#include <stdbool.h>
#include <stddef.h>

#include "server/records/json/message.h"
#include "server/records/json/record.h"

#ifdef __cplusplus
extern "C" {
#endif

struct json_t;

/* Parses `bytes[0..size)`, one JSON object and nothing else.
 *
 * Returns true and sets `record`, whose texts point into `*content` and into `bytes`; or returns
 * false and says in `message` why not.
 * `*content` is the caller's to release with json_decref in both cases; it may be NULL. */
bool record_object_parse(const char *bytes, size_t size, const struct record_limits *limits,
                         struct json_t **content, struct record *record,
                         char message[MESSAGE_SIZE]);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RECORDS_JSON_RECORD_OBJECT_H_ */
