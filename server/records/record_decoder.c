#include "server/records/record_decoder.h"

#include <jansson.h>
#include <stdint.h>
#include <string.h>

#include "server/records/record_message.h"
#include "server/records/record_object.h"
#include "server/records/record_shortcut.h"

/* What one walk over the bytes of an object ended with. */
enum scan_result {
    SCAN_CLOSED,     /* the '}' of the object is the last byte scanned */
    SCAN_OPEN_QUOTE, /* a newline inside a string is the last byte scanned */
    SCAN_NEXT_BEGUN, /* the next byte begins another object */
    SCAN_EXHAUSTED,  /* no byte is left */
};

void record_decoder_init(struct record_decoder *decoder,
                         const struct record_decoder_options *options) {
    *decoder = (struct record_decoder){.options = *options, .mode = RECORD_DECODER_BETWEEN};
    decoder->kernel = options->kernel;
    if (decoder->kernel == NULL) {
        decoder->kernel = record_kernel_get(record_kernel_count() - 1);
    }
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
        bool good =
            record_object_parse(data, decoder->scanned_size, decoder->options.member_character_max,
                                &decoder->content, &event->record, event->message);
        event->kind = good ? RECORD_EVENT_RECORD : RECORD_EVENT_ERROR;
    } else if (result == SCAN_OPEN_QUOTE) {
        record_message_format(event->message, "bad JSON: newline inside a string");
        fail_object(decoder, event, RECORD_DECODER_BETWEEN);
    } else if (result == SCAN_NEXT_BEGUN) {
        record_message_format(event->message, "record not closed before the next one");
        fail_object(decoder, event, RECORD_DECODER_BETWEEN);
    } else if (decoder->scanned_size == size_max) {
        record_message_format(event->message, "record larger than %zu bytes", size_max);
        fail_object(decoder, event, RECORD_DECODER_DROPPED);
    } else if (at_end) {
        record_message_format(event->message, "end of stream inside a record");
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
        record_message_format(event->message, "no next record found in %d bytes",
                              RECORDS_SKIP_SIZE_MAX);
    }
    return step_size;
}

static size_t skip_space(const char *data, size_t size) {
    size_t at = 0;
    while (at < size &&
           (data[at] == ' ' || data[at] == '\t' || data[at] == '\r' || data[at] == '\n')) {
        at++;
    }
    return at;
}

static size_t try_shortcut(struct record_decoder *decoder, const char *data, size_t size,
                           struct record *record) {
    size_t size_max = decoder->options.record_size_max;
    if (decoder->options.reference_only) {
        return 0;
    }
    size_t shortcut_size = record_shortcut_parse(data, size < size_max ? size : size_max, record);
    /* No text has more characters than bytes. The parser counts them, and explains the refusal. */
    size_t character_max = decoder->options.member_character_max;
    bool too_long = character_max > 0 && shortcut_size > 0 &&
                    (record->id.size > character_max || record->name.size > character_max ||
                     record->age.size > character_max);
    return too_long ? 0 : shortcut_size;
}

/* Reads what begins at `data[0]`, which is no space. */
static void begin_next(struct record_decoder *decoder, const char *data, size_t size, bool at_end,
                       struct record_event *event) {
    if (data[0] != '{') {
        record_message_format(event->message, "not a JSON object");
        fail_object(decoder, event, RECORD_DECODER_GARBAGE);
        event->consumed_size = 1;
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

void record_decoder_next(struct record_decoder *decoder, const char *data, size_t size, bool at_end,
                         struct record_event *event) {
    release_content(decoder);
    event->kind = RECORD_EVENT_PARTIAL;
    event->consumed_size = 0;
    if (decoder->mode == RECORD_DECODER_OBJECT) {
        continue_object(decoder, data, size, at_end, event);
        return;
    }
    size_t at = 0;
    if (decoder->mode != RECORD_DECODER_BETWEEN) {
        at = skip_to_next(decoder, data, size, event);
    }
    if (decoder->mode == RECORD_DECODER_BETWEEN) {
        at += skip_space(data + at, size - at);
        if (at < size) {
            begin_next(decoder, data + at, size - at, at_end, event);
        }
    }
    event->consumed_size += at;
}

/* Takes records of the pattern. Returns how many bytes they take. */
static size_t take_with_kernel(struct record_decoder *decoder, const char *data, size_t size,
                               struct record_lines *lines) {
    size_t character_max = decoder->options.member_character_max;
    struct record_kernel_limits limits = {
        .record_size_max = decoder->options.record_size_max,
        .text_size_max = character_max == 0 ? SIZE_MAX : character_max,
    };
    size_t taken_size = 0;
    if (decoder->pattern.is_known) {
        taken_size = decoder->kernel->run(&decoder->pattern, &limits, data, size, lines);
    }
    kernel_rest_begin(&decoder->rest, taken_size > 0);
    return taken_size;
}

/* Takes one record. Returns how many bytes it takes. The last one of a rest shows what the kernel
 * has to look for then. */
static size_t take_with_shortcut(struct record_decoder *decoder, const char *data, size_t size,
                                 struct record_lines *lines) {
    struct record record;
    size_t taken_size = try_shortcut(decoder, data, size, &record);
    if (taken_size == 0 || !record_lines_append_plain(lines, &record)) {
        return 0;
    }
    kernel_rest_note_record(&decoder->rest);
    if (kernel_rest_is_over(&decoder->rest)) {
        record_pattern_learn(&decoder->pattern, data, size, taken_size, &record);
    }
    return taken_size;
}

size_t record_decoder_take_plain(struct record_decoder *decoder, const char *data, size_t size,
                                 struct record_lines *lines) {
    if (decoder->mode != RECORD_DECODER_BETWEEN) {
        return 0;
    }
    size_t at = 0;
    size_t step_size;
    do {
        at += skip_space(data + at, size - at);
        if (kernel_rest_is_over(&decoder->rest)) {
            at += take_with_kernel(decoder, data + at, size - at, lines);
        }
        step_size = take_with_shortcut(decoder, data + at, size - at, lines);
        at += step_size;
    } while (step_size > 0);
    return at;
}
