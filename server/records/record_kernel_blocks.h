/*
 * The algorithm of the kernels.
 *
 * As in simdjson's first stage (G. Langdale, D. Lemire, "Parsing Gigabytes of JSON per Second",
 * 2019), the bytes are looked at in blocks of 64, and what matters in them becomes a bit mask.
 * There is no second stage for the structure: the pattern of the record before says what has to
 * stand between two texts, and one comparison a piece tells whether it does. It also says which
 * quote ends which text. A record of up to 64 bytes takes one block, three selections of a bit by
 * its number (with PDEP: P. Pandey, M. Bender, R. Johnson, "A Fast x86 Implementation of Select",
 * 2017) and four comparisons; the next one has to wait for nothing but one of the selections. In a
 * longer record the quotes are searched for one after the other.
 *
 * To be included by a kernel's .c file behind these verbs, written in its own instruction set:
 *   read_block(bytes)           struct block_masks of the 64 bytes
 *   select_bit(mask, number)    the index of that bit among those that are set, of which there are
 *                               more than `number`
 *   equals_piece(bytes, piece)  whether the piece begins there; may read
 *                               RECORD_PATTERN_PIECE_SIZE_MAX bytes
 */
#ifndef SERVER_RECORDS_RECORD_KERNEL_BLOCKS_H_
#define SERVER_RECORDS_RECORD_KERNEL_BLOCKS_H_

#include <stdbool.h>
#include <string.h>

#include "server/records/record_json.h"
#include "server/records/record_kernel.h"
#include "server/records/record_kernel_masks.h"
#include "server/records/utf8.h"

enum {
    /* Texts are copied in steps of this size, beyond their end. */
    COPY_SIZE = 32,
    /* What may be read from the beginning of a block on: the block; and a piece, or a step of the
     * copy, that begins with its last byte. */
    READ_SIZE = BLOCK_SIZE + 32,
    /* The line without its texts, and what is written beyond its end. */
    LINE_ROOM = 64 + COPY_SIZE,
};

_Static_assert(RECORD_PATTERN_PIECE_SIZE_MAX <= READ_SIZE - BLOCK_SIZE &&
                   COPY_SIZE <= READ_SIZE - BLOCK_SIZE,
               "a piece may begin with the last byte of a block");

/* The block that is being looked at. */
struct window {
    const char *data;
    const char *block_begin_max; /* a block that begins behind it must not be read */
    const char *block;
    uint64_t stops;
    uint64_t high;
};

static inline void move_window(struct window *window, const char *block) {
    struct block_masks masks = read_block(block);
    window->block = block;
    window->stops = masks.stops;
    window->high |= masks.high;
}

/* Finds the first byte at or behind `at` that no plain text has, or NULL when the data ends first.
 */
static inline const char *find_stop(struct window *window, const char *at) {
    for (;;) {
        size_t offset = (size_t)(at - window->block);
        if (__builtin_expect(offset < BLOCK_SIZE, 1)) {
            uint64_t stops = window->stops >> offset;
            if (__builtin_expect(stops != 0, 1)) {
                return at + __builtin_ctzll(stops);
            }
            at = window->block + BLOCK_SIZE;
        }
        if (at > window->block_begin_max) {
            return NULL;
        }
        move_window(window, at);
    }
}

/* The texts of a record, in the order in which they stand there. */
struct texts {
    struct record_text first;
    struct record_text second;
    struct record_text third;
};

/* Takes the text at `at` and the piece behind it. Returns where that ends, or NULL. The piece
 * begins with a quote; another stop is no quote. */
static inline const char *take_text(struct window *window, const char *at,
                                    const struct record_pattern_piece *piece,
                                    struct record_text *text) {
    const char *end = find_stop(window, at);
    if (end == NULL || !equals_piece(end, piece)) {
        return NULL;
    }
    *text = (struct record_text){.bytes = at, .size = (size_t)(end - at)};
    return end + piece->size;
}

/* The numbers of the stops in a record that end its texts. */
struct text_ends {
    unsigned first;
    unsigned second;
    unsigned third;
};

/* Reads the record at window->block when its last text ends within the block. Where the pieces
 * match, the numbers of the stops leave none for the texts. */
static inline const char *take_short_record(const struct window *window,
                                            const struct record_pattern *pattern,
                                            struct text_ends ends, struct texts *texts) {
    const struct record_pattern_piece *pieces = pattern->pieces;
    const char *at = window->block;
    const char *first_end = at + select_bit(window->stops, ends.first);
    const char *second_end = at + select_bit(window->stops, ends.second);
    const char *third_end = at + select_bit(window->stops, ends.third);
    bool is_equal = equals_piece(at, &pieces[0]) && equals_piece(first_end, &pieces[1]) &&
                    equals_piece(second_end, &pieces[2]) && equals_piece(third_end, &pieces[3]);
    if (!is_equal) {
        return NULL;
    }
    texts->first.bytes = at + pieces[0].size;
    texts->first.size = (size_t)(first_end - texts->first.bytes);
    texts->second.bytes = first_end + pieces[1].size;
    texts->second.size = (size_t)(second_end - texts->second.bytes);
    texts->third.bytes = second_end + pieces[2].size;
    texts->third.size = (size_t)(third_end - texts->third.bytes);
    return third_end + pieces[3].size;
}

/* Reads the record at window->block. Returns where it ends, or NULL when it is not of the pattern.
 */
static inline const char *
take_long_record(struct window *window, const struct record_pattern *pattern, struct texts *texts) {
    const char *at = window->block;
    if (!equals_piece(at, &pattern->pieces[0])) {
        return NULL;
    }
    at = take_text(window, at + pattern->pieces[0].size, &pattern->pieces[1], &texts->first);
    if (at != NULL) {
        at = take_text(window, at, &pattern->pieces[2], &texts->second);
    }
    if (at != NULL) {
        at = take_text(window, at, &pattern->pieces[3], &texts->third);
    }
    return at;
}

static inline bool is_text_allowed(struct record_text text,
                                   const struct record_kernel_limits *limits, bool is_ascii) {
    return text.size <= limits->text_size_max && (is_ascii || utf8_is_valid(text.bytes, text.size));
}

static inline bool are_texts_allowed(const struct texts *texts,
                                     const struct record_kernel_limits *limits, bool is_ascii) {
    return is_text_allowed(texts->first, limits, is_ascii) &&
           is_text_allowed(texts->second, limits, is_ascii) &&
           is_text_allowed(texts->third, limits, is_ascii);
}

/* Registers choose here: an array would go through memory. */
static inline struct record_text text_at(const struct texts *texts, int place) {
    return place == 0 ? texts->first : place == 1 ? texts->second : texts->third;
}

/* Copies the text, and whatever is behind it up to a step. Returns the end of the copy. */
static inline char *write_text(char *to, struct record_text text) {
    memcpy(to, text.bytes, COPY_SIZE);
    for (size_t at = COPY_SIZE; __builtin_expect(at < text.size, 0); at += COPY_SIZE) {
        memcpy(to + at, text.bytes + at, COPY_SIZE);
    }
    return to + text.size;
}

/* What stands in front of a text in a line, padded so that it is written in one step. */
struct literal {
    char bytes[16];
    size_t size;
};

static const struct literal before_id = {RECORD_JSON_BEFORE_ID, sizeof RECORD_JSON_BEFORE_ID - 1};
static const struct literal before_name = {RECORD_JSON_BEFORE_NAME,
                                           sizeof RECORD_JSON_BEFORE_NAME - 1};
static const struct literal before_age = {RECORD_JSON_BEFORE_AGE,
                                          sizeof RECORD_JSON_BEFORE_AGE - 1};
static const struct literal behind_age = {RECORD_JSON_END, sizeof RECORD_JSON_END - 1};

static inline char *write_literal(char *to, struct literal literal) {
    memcpy(to, literal.bytes, sizeof literal.bytes);
    return to + literal.size;
}

/* Writes the line, for which there has to be room. Returns its end. */
static inline char *write_line(char *line, struct record_text id, struct record_text name,
                               struct record_text age) {
    char *at = line;
    at = write_text(write_literal(at, before_id), id);
    at = write_text(write_literal(at, before_name), name);
    at = write_text(write_literal(at, before_age), age);
    return write_literal(at, behind_age);
}

/* A kernel in the sense of record_kernel.h. */
static inline size_t run_kernel(const struct record_pattern *pattern,
                                const struct record_kernel_limits *limits, const char *data,
                                size_t size, struct record_lines *lines) {
    if (size < READ_SIZE) {
        return 0;
    }
    const int places[RECORD_MEMBER_COUNT] = {pattern->places[0], pattern->places[1],
                                             pattern->places[2]};
    const char *const room_end = lines->bytes + lines->capacity;
    const char *at = data;
    char *line = lines->bytes + lines->size;
    size_t count = lines->count;
    struct window window = {.block_begin_max = data + size - READ_SIZE};
    struct text_ends ends = {.first = pattern->pieces[0].stop_count};
    ends.second = ends.first + pattern->pieces[1].stop_count;
    ends.third = ends.second + pattern->pieces[2].stop_count;
    while (at <= window.block_begin_max && count < lines->line_capacity) {
        struct texts texts;
        window.high = 0;
        move_window(&window, at);
        bool is_short = (unsigned)__builtin_popcountll(window.stops) > ends.third;
        const char *end = is_short ? take_short_record(&window, pattern, ends, &texts)
                                   : take_long_record(&window, pattern, &texts);
        if (end == NULL || (size_t)(end - at) > limits->record_size_max ||
            (size_t)(room_end - line) < (size_t)(end - at) + LINE_ROOM ||
            !are_texts_allowed(&texts, limits, window.high == 0)) {
            break;
        }
        struct record_text id = text_at(&texts, places[RECORD_MEMBER_ID]);
        struct record_text name = text_at(&texts, places[RECORD_MEMBER_NAME]);
        struct record_text age = text_at(&texts, places[RECORD_MEMBER_AGE]);
        char *line_end = write_line(line, id, name, age);
        lines->lines[count] = (struct record_line){.bytes = line,
                                                   .size = (uint32_t)(line_end - line),
                                                   .id_size = (uint32_t)id.size,
                                                   .name_size = (uint32_t)name.size,
                                                   .age_size = (uint32_t)age.size};
        line = line_end;
        count++;
        at = end;
    }
    lines->count = count;
    lines->size = (size_t)(line - lines->bytes);
    return (size_t)(at - data);
}

#endif /* SERVER_RECORDS_RECORD_KERNEL_BLOCKS_H_ */
