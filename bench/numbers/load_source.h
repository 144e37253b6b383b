/*
 * Where the bytes to send come from: numbers generated on the fly, lines prepared in memory, or a
 * file that is passed on as it is, with a newline behind a last line that lacks it. One source
 * serves all connections of a run; each connection has a cursor with a buffer of its own.
 *
 * Ownership: the source owns its prepared lines, a cursor its buffer; a chunk stays valid until
 * the next call for the same cursor. The file descriptor belongs to the caller.
 * Threading: one thread.
 */
#ifndef BENCH_NUMBERS_LOAD_SOURCE_H_
#define BENCH_NUMBERS_LOAD_SOURCE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/numbers/load_generator.h"
#include "formatter/number_formatter.h"

/* Nine digits and a newline. */
#define LOAD_LINE_SIZE ((size_t)NUMBER_FORMATTER_LINE_SIZE)

struct load_source_options {
    struct load_generator_options numbers;
    uint32_t number_count;   /* in total, over all cursors; ignored with from_fd */
    uint32_t cursor_count;   /* connections that divide them, at least 1 */
    uint32_t prepared_count; /* lines to prepare and send cyclically; 0: generate on the fly */
    int from_fd;             /* pass this file on instead; -1: numbers */
    size_t buffer_size;      /* bytes a chunk at most, at least LOAD_LINE_SIZE */
};

struct load_source {
    struct load_source_options options;
    struct number_formatter formatter;
    char *prepared; /* prepared_count lines */
    char *carry;    /* with from_fd: the started line that belongs to the next chunk */
    size_t carry_size;
    bool at_end;     /* with from_fd: everything has been read */
    bool is_in_line; /* with from_fd: the last byte passed on is no newline */
};

struct load_cursor {
    struct load_generator generator;
    uint32_t position;       /* the next number, counted within this cursor's share */
    uint32_t count;          /* this cursor's share */
    uint32_t prepared_index; /* the next prepared line */
    char *buffer;
};

struct load_chunk {
    const char *data;
    size_t size;
    uint64_t line_count; /* newlines in data */
};

enum load_source_status {
    LOAD_SOURCE_CHUNK,  /* the chunk holds at least one byte */
    LOAD_SOURCE_WAIT,   /* from_fd has nothing to read yet: poll it */
    LOAD_SOURCE_END,    /* this cursor has sent its share */
    LOAD_SOURCE_FAILED, /* reading from_fd failed; errno says why */
};

/* Prepares a source. Returns 0, or ENOMEM; then nothing is left to close. */
int load_source_open(struct load_source *source, const struct load_source_options *options);
void load_source_close(struct load_source *source);

/* Prepares the cursor with the given index below cursor_count. Returns 0 or ENOMEM. */
int load_cursor_open(struct load_cursor *cursor, const struct load_source *source, uint32_t index);
void load_cursor_close(struct load_cursor *cursor);

/*
 * Gets the next bytes for a cursor: at most line_limit lines (with from_fd: line_limit times ten
 * bytes), at least one. With several cursors a file is cut at line ends only, except in lines
 * longer than the buffer.
 */
enum load_source_status load_source_next(struct load_source *source, struct load_cursor *cursor,
                                         size_t line_limit, struct load_chunk *chunk);

#endif /* BENCH_NUMBERS_LOAD_SOURCE_H_ */
