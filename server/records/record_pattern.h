/*
 * What the records of one sender have in common: everything but the three texts.
 *
 * A program that sends records writes the same keys, in the same order and letter case, with the
 * same spaces each time. The first good record shows them: it is cut into four pieces around its
 * texts. Bytes that consist of the same four pieces around three other texts, none of which has a
 * quote, a backslash or a control character in it and all of which are UTF-8, are a good record as
 * well, because the texts are all in which it differs from one that was found good.
 *
 * Threading: pure. Ownership: a pattern is a value.
 */
#ifndef SERVER_RECORDS_RECORD_PATTERN_H_
#define SERVER_RECORDS_RECORD_PATTERN_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/records/record.h"
#include "server/records/record_members.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    RECORD_PATTERN_PIECE_COUNT = RECORD_MEMBER_COUNT + 1,
    /* Keys, punctuation and spaces between two texts; records with more are read one by one. */
    RECORD_PATTERN_PIECE_SIZE_MAX = 32,
};

struct record_pattern_piece {
    char bytes[RECORD_PATTERN_PIECE_SIZE_MAX]; /* zeros behind size */
    size_t size;
    uint32_t ignored;    /* bit N: byte N of `bytes` does not belong to the piece */
    unsigned stop_count; /* quotes and control characters in it, which no text has */
};

struct record_pattern {
    /* From '{' to the quote that opens the first text, and so on; the last one ends with '}' and
     * the white space behind it. */
    struct record_pattern_piece pieces[RECORD_PATTERN_PIECE_COUNT];
    int places[RECORD_MEMBER_COUNT]; /* of each member's text among the texts: 0, 1, 2 */
    bool is_known;                   /* false while there was no record to learn from */
};

/* Takes the pattern of a good record: `bytes[0..size)` begins with it, `record_size` bytes long,
 * and `record` is what was read from it. The pattern stays as it was when the texts are not all
 * strings that stand in `bytes` as they are, or when a piece is too long. */
void record_pattern_learn(struct record_pattern *pattern, const char *bytes, size_t size,
                          size_t record_size, const struct record *record);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RECORDS_RECORD_PATTERN_H_ */
