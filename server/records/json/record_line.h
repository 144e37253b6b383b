/*
 * A record as one line of JSON: the form in which it waits for the store, in which the file store
 * keeps it, and which the query port shows. The one place that writes JSON.
 *
 * In the buffer the three texts of a record lie inside its line as long as nothing in them has to
 * be escaped there; otherwise they follow it. Lines of plain records therefore touch, and a store
 * of lines writes many at once.
 *
 * Ownership: the memory is the caller's, who sets the pointers and the capacities of struct
 * record_lines. Threading: pure.
 */
#ifndef SERVER_RECORDS_JSON_RECORD_LINE_H_
#define SERVER_RECORDS_JSON_RECORD_LINE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/records/json/record.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What stands in front of the first text in every line. */
#define RECORD_LINE_BEGINNING "{\"id\": \""

/* Returns how many bytes record_line_format writes for this record. */
size_t record_line_size(const struct record *record);

/* Writes `{"id": "1", "name": "John Doe", "age": "25"}` and a newline to `line`, which has room for
 * record_line_size bytes. Quotes, backslashes and control characters are escaped, all else is
 * written as it is. Returns the size written, without a NUL. */
size_t record_line_format(const struct record *record, char *line);

/* Writes `{"error": "..."}` and a newline to `line`; a message that does not fit is cut. The
 * message is printable ASCII. Returns the size written, without a NUL. */
size_t record_line_format_error(const char *message, char *line, size_t capacity);

/* Writes a message as the last text of a line: `"..."}` and a newline; otherwise as above. */
size_t record_line_format_end(const char *message, char *line, size_t capacity);

/* Small, because there is one for each record in the buffer: where the texts are follows from the
 * sizes. */
struct record_line {
    const char *bytes;
    uint32_t size; /* the newline included */
    uint32_t id_size;
    uint32_t name_size;
    uint32_t age_size;
};

/* Returns the record, whose texts are those of the line. */
struct record record_line_read(const struct record_line *line);

struct record_lines {
    char *bytes;
    size_t capacity; /* of bytes */
    size_t size;     /* bytes in use */
    struct record_line *lines;
    size_t line_capacity;
    size_t count; /* lines in use */
};

/* Returns how many bytes record_lines_append needs for the record. */
size_t record_lines_size_of(const struct record *record);

/* Adds a record. False, and nothing is changed: there is no room for it. */
bool record_lines_append(struct record_lines *lines, const struct record *record);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RECORDS_JSON_RECORD_LINE_H_ */
