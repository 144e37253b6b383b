/*
 * What a client of the query port asks for. Pure.
 */
#ifndef SERVER_RECORDS_QUERY_H_
#define SERVER_RECORDS_QUERY_H_

#include <stdbool.h>
#include <stddef.h>

#include "server/records/json/record.h"

#ifdef __cplusplus
extern "C" {
#endif

enum query_kind {
    QUERY_ANY,      /* the records in the buffer, or if there are none those in the store */
    QUERY_ALL,      /* both */
    QUERY_ID,       /* the records with an id: `id 17`, or a line of digits */
    QUERY_ID_OR_ANY /* any other line: the records with that id, or if there are none QUERY_ANY */
};

struct query {
    enum query_kind kind;
    struct record_text id; /* points into the line */
};

/* Whether a query asks for the records of one id and nothing else, which are few as a rule. */
static inline bool query_is_lookup(const struct query *query) {
    return query->kind == QUERY_ID;
}

/* Reads the request `line[0..size)`, without its newline. Space around it does not matter. */
struct query query_parse(const char *line, size_t size);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RECORDS_QUERY_H_ */
