/*
 * Records in the form in which they wait for the store: each as its line of JSON, from which its
 * three texts can be had.
 *
 * The texts lie inside the line as long as nothing in them has to be escaped there; otherwise they
 * follow it. Lines of plain records therefore touch, and a store of lines writes many at once.
 *
 * Ownership: the memory is the caller's, who sets the pointers and the capacities and may use what
 * is behind `size` and `count` only after the last append. Threading: one thread.
 */
#ifndef SERVER_RECORDS_RECORD_LINES_H_
#define SERVER_RECORDS_RECORD_LINES_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/records/record.h"

#ifdef __cplusplus
extern "C" {
#endif

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

/* The same for a record in whose texts nothing has to be escaped. */
bool record_lines_append_plain(struct record_lines *lines, const struct record *record);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RECORDS_RECORD_LINES_H_ */
