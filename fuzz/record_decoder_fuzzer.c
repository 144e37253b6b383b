/*
 * The record decoder: record by record with and without its shortcut, and many at a time, whole and
 * in chunks, and round the way through our own lines.
 *
 * Input: a byte N; N % 8 bytes, the sizes of chunks, used in turn; the text. The high bits of N
 * choose the limits, small ones too, so that short inputs reach them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/fuzz_target.h"
#include "server/records/json/limits.h"
#include "server/records/json/record_decoder.h"
#include "server/records/json/record_line.h"

enum { CHUNK_SIZES_LIMIT = 8, SMALL_RECORD_SIZE_MAX = 48, SMALL_CHARACTER_MAX = 5 };
/* Room for plain records: so little that a stream needs it several times. */
enum { ROOM_SIZE = 1024, ROOM_COUNT = 3 };
enum { FLAG_SMALL_RECORDS = 8, FLAG_SMALL_MEMBERS = 16 };

/* What a decoder reported, written down: two decoders agree when their transcripts do. */
struct transcript {
    char *bytes;
    size_t size;
    size_t capacity;
};

static void check(int is_true, const char *what) {
    if (!is_true) {
        fprintf(stderr, "record decoder: %s\n", what);
        abort();
    }
}

static void note(struct transcript *transcript, const void *bytes, size_t size) {
    if (transcript->capacity - transcript->size < size) {
        transcript->capacity = 2 * transcript->capacity + size;
        transcript->bytes = realloc(transcript->bytes, transcript->capacity);
        check(transcript->bytes != NULL, "out of memory");
    }
    memcpy(transcript->bytes + transcript->size, bytes, size);
    transcript->size += size;
}

static void note_text(struct transcript *transcript, struct record_text text) {
    note(transcript, &text.size, sizeof text.size);
    note(transcript, text.bytes, text.size);
}

static void note_record(struct transcript *transcript, const struct record *record) {
    note_text(transcript, record->id);
    note_text(transcript, record->name);
    note_text(transcript, record->age);
}

/* A record that was written as a line has to be read back as the same record. */
static void check_round_trip(const struct record *record) {
    struct transcript before = {0};
    struct transcript after = {0};
    struct record_decoder decoder;
    struct record_event event;
    char *line = malloc(record_line_size(record));
    check(line != NULL, "out of memory");
    size_t size = record_line_format(record, line);
    check(size <= record_line_size(record), "a line longer than announced");
    check(size <= RECORDS_RECORD_SIZE_MAX + RECORDS_LINE_OVERHEAD, "a line longer than its limit");
    struct record_decoder_options options = {.record_size_max = size};
    record_decoder_init(&decoder, &options);
    record_decoder_next(&decoder, line, size, true, &event);
    check(event.kind == RECORD_EVENT_RECORD, "our own line is refused");
    note_record(&before, record);
    note_record(&after, &event.record);
    check(before.size == after.size && memcmp(before.bytes, after.bytes, before.size) == 0,
          "our own line says something else");
    record_decoder_destroy(&decoder);
    free(line);
    free(before.bytes);
    free(after.bytes);
}

/* A record that was taken with many others has its line already. */
static void check_line(const struct record *record, const struct record_line *line) {
    char *expected = malloc(record_line_size(record));
    check(expected != NULL, "out of memory");
    size_t size = record_line_format(record, expected);
    check(size == line->size && memcmp(expected, line->bytes, size) == 0, "a line of its own");
    free(expected);
}

static void check_message(const char *message) {
    size_t size = strnlen(message, MESSAGE_SIZE);
    check(size > 0 && size < MESSAGE_SIZE, "a message without text or end");
    for (size_t index = 0; index < size; index++) {
        check(message[index] >= ' ' && message[index] <= '~', "a message that cannot be printed");
    }
}

static void note_event(struct transcript *transcript, const struct record_event *event) {
    char kind = (char)event->kind;
    note(transcript, &kind, 1);
    if (event->kind == RECORD_EVENT_RECORD) {
        note_record(transcript, &event->record);
        check_round_trip(&event->record);
    } else {
        check_message(event->message);
        note(transcript, event->message, strlen(event->message));
    }
}

/* Takes the plain records at the front. Returns how many bytes they took. */
static size_t take_plain(struct record_decoder *decoder, const char *bytes, size_t size,
                         struct transcript *transcript) {
    struct record_line places[ROOM_COUNT];
    char *room = malloc(ROOM_SIZE);
    check(room != NULL, "out of memory");
    struct record_lines lines = {
        .bytes = room, .capacity = ROOM_SIZE, .lines = places, .line_capacity = ROOM_COUNT};
    size_t consumed_size = record_decoder_take_plain(decoder, bytes, size, &lines);
    check(consumed_size <= size, "took more than there was");
    check(lines.count <= ROOM_COUNT && lines.size <= ROOM_SIZE, "more than there is room for");
    for (size_t index = 0; index < lines.count; index++) {
        const struct record_event event = {.kind = RECORD_EVENT_RECORD,
                                           .record = record_line_read(&places[index])};
        note_event(transcript, &event);
        check_line(&event.record, &places[index]);
    }
    free(room);
    return consumed_size;
}

/* Decodes what is in hand until more is needed. Returns how many bytes of it are left, or SIZE_MAX
 * when the stream was given up. */
static size_t decode(struct record_decoder *decoder, bool takes_many, const char *bytes,
                     size_t size, bool at_end, struct transcript *transcript) {
    /* An allocation of exactly this size: AddressSanitizer sees one byte too many. */
    char *copy = malloc(size > 0 ? size : 1);
    check(copy != NULL, "out of memory");
    memcpy(copy, bytes, size);
    size_t begin = 0;
    struct record_event event;
    do {
        size_t step_size = 1;
        while (takes_many && step_size > 0) {
            step_size = take_plain(decoder, copy + begin, size - begin, transcript);
            begin += step_size;
        }
        record_decoder_next(decoder, copy + begin, size - begin, at_end, &event);
        begin += event.consumed_size;
        check(begin <= size, "consumed more than there was");
        if (event.kind != RECORD_EVENT_PARTIAL) {
            note_event(transcript, &event);
        }
    } while (event.kind == RECORD_EVENT_RECORD || event.kind == RECORD_EVENT_ERROR);
    free(copy);
    check(event.kind == RECORD_EVENT_LOST || size - begin < decoder->options.record_size_max,
          "more kept than a record can be");
    check(event.kind == RECORD_EVENT_LOST || !at_end || begin == size, "bytes left at the end");
    return event.kind == RECORD_EVENT_LOST ? SIZE_MAX : size - begin;
}

/* Decodes the text in chunks of the sizes given, in turn; without sizes, whole. */
static struct transcript decode_all(const struct record_decoder_options *options, bool takes_many,
                                    const char *text, size_t size, const unsigned char *chunk_sizes,
                                    size_t chunk_size_count) {
    struct transcript transcript = {0};
    struct record_decoder decoder;
    record_decoder_init(&decoder, options);
    size_t begin = 0; /* text[begin..end) is in hand */
    size_t end = 0;
    bool is_over = false;
    for (size_t chunk_index = 0; !is_over; chunk_index++) {
        size_t chunk_size = size - end;
        if (chunk_size_count > 0 && chunk_sizes[chunk_index % chunk_size_count] < chunk_size) {
            chunk_size = (size_t)chunk_sizes[chunk_index % chunk_size_count] + 1;
        }
        end = size - end < chunk_size ? size : end + chunk_size;
        size_t left_size =
            decode(&decoder, takes_many, text + begin, end - begin, end == size, &transcript);
        is_over = end == size || left_size == SIZE_MAX;
        begin = end - (is_over ? 0 : left_size);
    }
    record_decoder_destroy(&decoder);
    return transcript;
}

static void check_agreement(const struct transcript *one, const struct transcript *other,
                            const char *what) {
    check(one->size == other->size, what);
    check(one->size == 0 || memcmp(one->bytes, other->bytes, one->size) == 0, what);
}

/* Decodes the text whole and in chunks, record by record or many at a time. */
static void compare(const struct record_decoder_options *options, bool takes_many, const char *text,
                    size_t size, const unsigned char *chunk_sizes, size_t chunk_size_count,
                    const struct transcript *reference) {
    struct transcript whole = decode_all(options, takes_many, text, size, NULL, 0);
    struct transcript chunked =
        decode_all(options, takes_many, text, size, chunk_sizes, chunk_size_count);
    check_agreement(&whole, reference,
                    takes_many ? "many at a time are others" : "the shortcut changes the result");
    check_agreement(&chunked, reference, "chunks change the result");
    free(whole.bytes);
    free(chunked.bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    size_t chunk_size_count = size > 0 ? data[0] % CHUNK_SIZES_LIMIT : 0;
    if (size < 1 + chunk_size_count) {
        return 0;
    }
    const char *text = (const char *)data + 1 + chunk_size_count;
    const size_t text_size = size - 1 - chunk_size_count;
    struct record_decoder_options options = {
        .record_size_max =
            (data[0] & FLAG_SMALL_RECORDS) != 0 ? SMALL_RECORD_SIZE_MAX : RECORDS_RECORD_SIZE_MAX,
    };
    for (int member = 0; member < RECORD_MEMBER_COUNT; member++) {
        options.limits.character_max[member] =
            (data[0] & FLAG_SMALL_MEMBERS) != 0 ? (size_t)(SMALL_CHARACTER_MAX + member) : 0;
    }
    options.reference_only = true;
    struct transcript reference = decode_all(&options, false, text, text_size, NULL, 0);
    options.reference_only = false;
    compare(&options, false, text, text_size, data + 1, chunk_size_count, &reference);
    compare(&options, true, text, text_size, data + 1, chunk_size_count, &reference);
    free(reference.bytes);
    return 0;
}
