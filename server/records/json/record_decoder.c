#include "server/records/json/record_decoder.h"

#include <jansson.h>
#include <stdint.h>
#include <string.h>

#include "server/records/json/message.h"
#include "server/records/json/record_object.h"
#include "server/records/json/record_shortcut.h"
#include "server/records/json/text.h"

/* Stands before each text of a sequence (RFC 7464). */
static const char RECORD_SEPARATOR = 0x1E;

static const char BYTE_ORDER_MARK[] = "\xEF\xBB\xBF";

/* What one walk over the bytes of an object ended with. */
enum scan_result {
    SCAN_CLOSED,     /* the '}' of the object is the last byte scanned */
    SCAN_OPEN_QUOTE, /* a newline inside a string is the last byte scanned */
    SCAN_NEXT_BEGUN, /* the next byte begins another object */
    SCAN_EXHAUSTED,  /* no byte is left */
};

void record_decoder_init(struct record_decoder *decoder,
                         const struct record_decoder_options *options) {
    *decoder = (struct record_decoder){.options = *options, .mode = RECORD_DECODER_START};
}

static void release_content(struct record_decoder *decoder) {
    json_decref(decoder->content);
    decoder->content = NULL;
}

void record_decoder_destroy(struct record_decoder *decoder) {
    release_content(decoder);
}

static void scan_string_byte(struct record_decoder *decoder, char byte) {
    if (decoder->after_backslash) {
        decoder->after_backslash = false;
    } else if (byte == '\\') {
        decoder->after_backslash = true;
    } else if (byte == '"') {
        decoder->in_string = false;
    }
}

/* Walks over `data[0..size)`, the next bytes of an object; `*scanned_size` of them were needed.
 * Only braces are counted: whether the brackets match is the parser's business. */
static enum scan_result scan_object(struct record_decoder *decoder, const char *data, size_t size,
                                    size_t *scanned_size) {
    for (size_t i = 0; i < size; i++) {
        char byte = data[i];
        *scanned_size = i + 1;
        if (decoder->in_string) {
            if (byte == '\n') {
                return SCAN_OPEN_QUOTE;
            }
            scan_string_byte(decoder, byte);
        } else if (byte == '"') {
            decoder->in_string = true;
        } else if (byte == '{') {
            if (decoder->at_line_start) {
                *scanned_size = i;
                return SCAN_NEXT_BEGUN;
            }
            decoder->depth++;
        } else if (byte == '}' && --decoder->depth == 0) {
            return SCAN_CLOSED;
        }
        decoder->at_line_start = byte == '\n';
    }
    *scanned_size = size;
    return SCAN_EXHAUSTED;
}

static void begin_object(struct record_decoder *decoder) {
    decoder->mode = RECORD_DECODER_OBJECT;
    decoder->scanned_size = 0;
    decoder->depth = 0;
    decoder->in_string = false;
    decoder->after_backslash = false;
    decoder->at_line_start = false;
}

/* Ends the object at hand with an error, whose text is in the event already. */
static void fail_object(struct record_decoder *decoder, struct record_event *event,
                        enum record_decoder_mode next_mode) {
    event->kind = RECORD_EVENT_ERROR;
    decoder->mode = next_mode;
    decoder->skipped_size = 0;
}

/* Goes on with the object at `data[0..size)`, of which scanned_size bytes are known. */
static void continue_object(struct record_decoder *decoder, const char *data, size_t size,
                            bool at_end, struct record_event *event) {
    size_t size_max = decoder->options.record_size_max;
    size_t window_size = size < size_max ? size : size_max;
    size_t step_size = 0;
    enum scan_result result = scan_object(decoder, data + decoder->scanned_size,
                                          window_size - decoder->scanned_size, &step_size);
    decoder->scanned_size += step_size;
    event->consumed_size = decoder->scanned_size;
    if (result == SCAN_CLOSED) {
        decoder->mode = RECORD_DECODER_BETWEEN;
        bool good = record_object_parse(data, decoder->scanned_size, &decoder->options.limits,
                                        &decoder->content, &event->record, event->message);
        event->kind = good ? RECORD_EVENT_RECORD : RECORD_EVENT_ERROR;
    } else if (result == SCAN_OPEN_QUOTE) {
        message_format(event->message, "bad JSON: newline inside a string");
        fail_object(decoder, event, RECORD_DECODER_BETWEEN);
    } else if (result == SCAN_NEXT_BEGUN) {
        message_format(event->message, "record not closed before the next one");
        fail_object(decoder, event, RECORD_DECODER_BETWEEN);
    } else if (decoder->scanned_size == size_max) {
        message_format(event->message, "record larger than %zu bytes", size_max);
        fail_object(decoder, event, RECORD_DECODER_DROPPED);
    } else if (at_end) {
        message_format(event->message, "end of stream inside a record");
        fail_object(decoder, event, RECORD_DECODER_BETWEEN);
    } else {
        event->kind = RECORD_EVENT_PARTIAL;
        event->consumed_size = 0;
    }
}

/* Drops the rest of an object that was too large. Returns how many bytes that took. */
static size_t skip_object(struct record_decoder *decoder, const char *data, size_t size) {
    size_t step_size = 0;
    if (scan_object(decoder, data, size, &step_size) != SCAN_EXHAUSTED) {
        decoder->mode = RECORD_DECODER_BETWEEN;
    }
    return step_size;
}

/* Drops bytes that are no object. Returns how many. */
static size_t skip_garbage(struct record_decoder *decoder, const char *data, size_t size) {
    for (size_t i = 0; i < size; i++) {
        if (data[i] == '\n' || data[i] == '{') {
            decoder->mode = RECORD_DECODER_BETWEEN;
            return i;
        }
    }
    return size;
}

/* Drops what has to be dropped at the front of `data`. Returns how many bytes that was, and makes
 * the event a loss when there were too many of them in a row. */
static size_t skip_to_next(struct record_decoder *decoder, const char *data, size_t size,
                           struct record_event *event) {
    /* Never look further than where the connection is given up, so that it is the same place
     * however the bytes were cut. */
    size_t left_size = RECORDS_SKIP_SIZE_MAX - decoder->skipped_size;
    size_t window_size = size < left_size ? size : left_size;
    size_t step_size = decoder->mode == RECORD_DECODER_DROPPED
                           ? skip_object(decoder, data, window_size)
                           : skip_garbage(decoder, data, window_size);
    decoder->skipped_size += step_size;
    if (decoder->mode != RECORD_DECODER_BETWEEN && decoder->skipped_size == RECORDS_SKIP_SIZE_MAX) {
        event->kind = RECORD_EVENT_LOST;
        message_format(event->message, "no next record found in %d bytes", RECORDS_SKIP_SIZE_MAX);
    }
    return step_size;
}

/* White space, and what stands between records in arrays and in streams of other kinds. */
static size_t separators_span(const char *data, size_t size) {
    size_t at = 0;
    while (at < size && (text_is_space(data[at]) || data[at] == ',' || data[at] == '[' ||
                         data[at] == ']' || data[at] == RECORD_SEPARATOR || data[at] == '\0')) {
        at++;
    }
    return at;
}

/* No text has more characters than bytes. Where that is not enough the parser counts, and explains
 * the refusal. */
static bool fits(const struct record_limits *limits, struct record *record) {
    for (int member = 0; member < RECORD_MEMBER_COUNT; member++) {
        size_t character_max = limits->character_max[member];
        if (character_max > 0 &&
            record_member_text(record, (enum record_member)member)->size > character_max) {
            return false;
        }
    }
    return true;
}

static size_t try_shortcut(struct record_decoder *decoder, const char *data, size_t size,
                           struct record *record) {
    size_t size_max = decoder->options.record_size_max;
    if (decoder->options.reference_only) {
        return 0;
    }
    size_t shortcut_size = record_shortcut_parse(data, size < size_max ? size : size_max, record);
    return shortcut_size > 0 && fits(&decoder->options.limits, record) ? shortcut_size : 0;
}

static void begin_garbage(struct record_decoder *decoder, struct record_event *event) {
    message_format(event->message, "not a JSON object");
    fail_object(decoder, event, RECORD_DECODER_GARBAGE);
    event->consumed_size = 1;
}

/* Reads what begins at `data[0]`, which separates nothing. */
static void begin_next(struct record_decoder *decoder, const char *data, size_t size, bool at_end,
                       struct record_event *event) {
    if (data[0] != '{') {
        begin_garbage(decoder, event);
        return;
    }
    size_t shortcut_size = try_shortcut(decoder, data, size, &event->record);
    if (shortcut_size > 0) {
        event->kind = RECORD_EVENT_RECORD;
        event->consumed_size = shortcut_size;
        return;
    }
    begin_object(decoder);
    continue_object(decoder, data, size, at_end, event);
}

/* Passes over a byte order mark, and tells what the stream begins with. Returns how many bytes are
 * done with; none until it is certain that they are a mark or none, and what follows it is at hand.
 */
static size_t begin_stream(struct record_decoder *decoder, const char *data, size_t size,
                           bool at_end) {
    enum { MARK_SIZE = sizeof BYTE_ORDER_MARK - 1 };
    bool is_mark = memcmp(data, BYTE_ORDER_MARK, size < MARK_SIZE ? size : MARK_SIZE) == 0;
    if (is_mark && size <= MARK_SIZE && !at_end) {
        return 0;
    }
    size_t at = is_mark && size >= MARK_SIZE ? MARK_SIZE : 0;
    decoder->mode = RECORD_DECODER_BETWEEN;
    if (at < size && data[at] != '{' && separators_span(data + at, 1) == 0) {
        decoder->mode = RECORD_DECODER_FIRST_LINE;
        decoder->scanned_size = 0;
    }
    return at;
}

/* Whether a line ends with a version of HTTP, as the first line of every request does. */
static bool is_http(const char *line, size_t size) {
    static const char VERSION[] = " HTTP/";
    enum { BEHIND_SIZE = 3, VERSION_SIZE = sizeof VERSION - 1 };
    size -= size > 0 && line[size - 1] == '\r';
    return size > VERSION_SIZE + BEHIND_SIZE &&
           memcmp(line + size - VERSION_SIZE - BEHIND_SIZE, VERSION, VERSION_SIZE) == 0;
}

/* Waits for the end of a first line that begins with no object, to tell an HTTP request from any
 * other garbage. */
static void continue_first_line(struct record_decoder *decoder, const char *data, size_t size,
                                bool at_end, struct record_event *event) {
    size_t size_max = decoder->options.record_size_max;
    size_t window_size = size < size_max ? size : size_max;
    const char *newline =
        memchr(data + decoder->scanned_size, '\n', window_size - decoder->scanned_size);
    decoder->scanned_size = window_size;
    if (newline == NULL && !at_end && window_size < size_max) {
        event->kind = RECORD_EVENT_PARTIAL;
        return;
    }
    size_t line_size = newline == NULL ? window_size : (size_t)(newline - data);
    if (is_http(data, line_size)) {
        event->kind = RECORD_EVENT_LOST;
        event->consumed_size = line_size;
        message_format(event->message, "this is no HTTP server");
        return;
    }
    begin_garbage(decoder, event);
}

void record_decoder_next(struct record_decoder *decoder, const char *data, size_t size, bool at_end,
                         struct record_event *event) {
    release_content(decoder);
    event->kind = RECORD_EVENT_PARTIAL;
    event->consumed_size = 0;
    size_t at = 0;
    if (decoder->mode == RECORD_DECODER_START && size > 0) {
        at = begin_stream(decoder, data, size, at_end);
    }
    if (decoder->mode == RECORD_DECODER_GARBAGE || decoder->mode == RECORD_DECODER_DROPPED) {
        at = skip_to_next(decoder, data, size, event);
    }
    if (decoder->mode == RECORD_DECODER_BETWEEN) {
        at += separators_span(data + at, size - at);
        if (at < size) {
            begin_next(decoder, data + at, size - at, at_end, event);
        }
    } else if (decoder->mode == RECORD_DECODER_OBJECT) {
        continue_object(decoder, data, size, at_end, event);
    } else if (decoder->mode == RECORD_DECODER_FIRST_LINE) {
        continue_first_line(decoder, data + at, size - at, at_end, event);
    }
    event->consumed_size += at;
}

size_t record_decoder_take_plain(struct record_decoder *decoder, const char *data, size_t size,
                                 struct record_lines *lines) {
    if (decoder->mode != RECORD_DECODER_BETWEEN) {
        return 0;
    }
    size_t at = 0;
    size_t step_size;
    do {
        struct record record;
        at += separators_span(data + at, size - at);
        step_size = try_shortcut(decoder, data + at, size - at, &record);
        if (step_size > 0 && !record_lines_append(lines, &record)) {
            step_size = 0;
        }
        at += step_size;
    } while (step_size > 0);
    return at;
}
