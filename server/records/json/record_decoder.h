/*
 * Turns the bytes of a connection into records and errors. Pure: no socket, no clock, no global.
 *
 * TCP keeps no boundaries, so the decoder finds them itself: a record ends with the '}' that closes
 * it, with or without a newline behind it. It may be given the bytes in any pieces and reports the
 * same events for all of them.
 *
 * Where a record is bad, the next one is looked for
 *   - behind the '}' that closes the bad one,
 *   - or behind a newline inside a string (JSON allows none there, so a quote is missing),
 *   - or at a '{' in the first column of a line (a record has no object inside, so the one before
 *   was never closed);
 * bytes that are no object at all end at the next newline or '{'.
 *
 * Between records white space, the punctuation of arrays, RS (RFC 7464) and NUL are passed over,
 * and a byte order mark at the start: a JSON array of objects is so many records. A stream whose
 * first line is an HTTP request is given up: a browser is not to write into the store.
 *
 * record_decoder_next reads any stream, an event at a time. record_decoder_take_plain reads the
 * common records only, many in one go. Where it stops, record_decoder_next goes on. Both together
 * report what record_decoder_next reports alone.
 *
 * Ownership: a decoder belongs to one connection and one thread. The texts of a record are valid
 * until the next call, and only as long as the caller leaves the bytes that it passed in place.
 */

#ifndef SERVER_RECORDS_JSON_RECORD_DECODER_H_
#define SERVER_RECORDS_JSON_RECORD_DECODER_H_

#include <stdbool.h>
#include <stddef.h>

#include "server/records/json/limits.h"
#include "server/records/json/record.h"
#include "server/records/json/record_line.h"

#ifdef __cplusplus
extern "C" {
#endif

struct record_decoder_options {
    size_t record_size_max; /* bytes from '{' to '}' */
    struct record_limits limits;
    bool reference_only; /* leave out the shortcut, for tests that compare */
};

/* The places where a decoder can be in the stream. */
enum record_decoder_mode {
    RECORD_DECODER_START,      /* before the first byte that says something */
    RECORD_DECODER_FIRST_LINE, /* in a first line that begins with no object */
    RECORD_DECODER_BETWEEN,    /* nothing begun */
    RECORD_DECODER_OBJECT,     /* inside a record */
    RECORD_DECODER_DROPPED,    /* inside a record that was too large */
    RECORD_DECODER_GARBAGE,    /* inside something that is no object */
};

struct record_decoder {
    struct record_decoder_options options;
    enum record_decoder_mode mode;
    size_t
        scanned_size; /* bytes of the record, or of the first line, that were looked at already */
    size_t skipped_size;  /* bytes dropped since the last place to go on from */
    size_t depth;         /* open braces */
    bool in_string;       /* between two quotes */
    bool after_backslash; /* the next byte of the string is escaped */
    bool at_line_start;   /* the byte before was a newline */
    /* Owns the texts of the last record, NULL if they are in the caller's bytes. */
    struct json_t *content;
};

enum record_event_kind {
    /* `record` is set. */
    RECORD_EVENT_RECORD,
    /* `message` says what is wrong; the decoder has gone on to where the next record can be. */
    RECORD_EVENT_ERROR,
    /* `message` says why the connection is useless: an HTTP request, or no place to go on from for
     * RECORDS_SKIP_SIZE_MAX bytes. */
    RECORD_EVENT_LOST,
    /* All bytes are used up, or begin a record whose end is missing. */
    RECORD_EVENT_PARTIAL,
};

struct record_event {
    enum record_event_kind kind;
    size_t consumed_size;
    struct record record;
    char message[MESSAGE_SIZE]; /* printable ASCII */
};

/* Makes `decoder` ready for the first byte of a stream. */
void record_decoder_init(struct record_decoder *decoder,
                         const struct record_decoder_options *options);

/* Frees what the decoder holds. The last record is gone with it. */
void record_decoder_destroy(struct record_decoder *decoder);

/* Looks for the next event in `data[0..size)`. `at_end` tells that nothing will follow.
 *
 * event->consumed_size bytes at the front are done with: the next call starts behind them. With
 * RECORD_EVENT_PARTIAL the bytes that are left, always fewer than record_size_max, have to be
 * passed again with more behind them; at the end of the stream none are left. */
void record_decoder_next(struct record_decoder *decoder, const char *data, size_t size, bool at_end,
                         struct record_event *event);

/* Takes plain records from the front of `data[0..size)` in one go and appends them to `lines`, as
 * record_decoder_next and record_lines_append would do by turns, until there is no room, no record,
 * or one that needs a closer look. Returns how many bytes are done with. */
size_t record_decoder_take_plain(struct record_decoder *decoder, const char *data, size_t size,
                                 struct record_lines *lines);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RECORDS_JSON_RECORD_DECODER_H_ */
