/*
 * A record as one line of JSON, the form in which the file store keeps it and the query port shows
 * it.
 */

#ifndef SERVER_RECORDS_RECORD_JSON_H_
#define SERVER_RECORDS_RECORD_JSON_H_

#include <stddef.h>

#include "server/records/record.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What stands around the three texts in a line. */
#define RECORD_JSON_BEFORE_ID "{\"id\": \""
#define RECORD_JSON_BEFORE_NAME "\", \"name\": \""
#define RECORD_JSON_BEFORE_AGE "\", \"age\": \""
#define RECORD_JSON_END "\"}\n"

/* Returns how many bytes record_json_format writes for this record. */
size_t record_json_size(const struct record *record);

/* Returns how many bytes record_json_format can write for this record at most. */
size_t record_json_size_max(const struct record *record);

/* Writes `{"id": "1", "name": "John Doe", "age": "25"}` and a newline to `line`, which has room for
 * record_json_size_max bytes. Quotes, backslashes and control characters are escaped, all else is
 * written as it is. Returns the size written, without a NUL. */
size_t record_json_format(const struct record *record, char *line);

/* Writes `{"error": "..."}` and a newline to `line`; a message that does not fit is cut. The
 * message is printable ASCII. Returns the size written, without a NUL. */
size_t record_json_format_error(const char *message, char *line, size_t capacity);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RECORDS_RECORD_JSON_H_ */
