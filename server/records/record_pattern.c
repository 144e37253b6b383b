#include "server/records/record_pattern.h"

#include <string.h>

static bool is_string_within(struct record_text text, const char *begin, const char *end) {
    return text.bytes > begin && text.bytes + text.size < end && text.bytes[-1] == '"' &&
           text.bytes[text.size] == '"';
}

/* A text's place is the number of those that begin before it. Empty ones begin at places of their
 * own too, each between its two quotes. */
static int find_place(const struct record_text texts[RECORD_MEMBER_COUNT], int member) {
    int place = 0;
    for (int other = 0; other < RECORD_MEMBER_COUNT; other++) {
        place += texts[other].bytes < texts[member].bytes;
    }
    return place;
}

static unsigned count_stops(const char *begin, const char *end) {
    unsigned count = 0;
    for (const char *at = begin; at < end; at++) {
        count += *at == '"' || (unsigned char)*at < ' ';
    }
    return count;
}

static bool set_piece(struct record_pattern_piece *piece, const char *begin, const char *end) {
    *piece = (struct record_pattern_piece){.size = (size_t)(end - begin),
                                           .stop_count = count_stops(begin, end)};
    if (piece->size >= RECORD_PATTERN_PIECE_SIZE_MAX) {
        return false;
    }
    memcpy(piece->bytes, begin, piece->size);
    piece->ignored = UINT32_MAX << piece->size;
    return true;
}

static const char *skip_space(const char *at, const char *end) {
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\r' || *at == '\n')) {
        at++;
    }
    return at;
}

void record_pattern_learn(struct record_pattern *pattern, const char *bytes, size_t size,
                          size_t record_size, const struct record *record) {
    struct record_text texts[RECORD_MEMBER_COUNT] = {
        [RECORD_MEMBER_ID] = record->id,
        [RECORD_MEMBER_NAME] = record->name,
        [RECORD_MEMBER_AGE] = record->age,
    };
    for (int member = 0; member < RECORD_MEMBER_COUNT; member++) {
        if (!is_string_within(texts[member], bytes, bytes + record_size)) {
            return;
        }
    }
    struct record_pattern learned = {.is_known = true};
    struct record_text in_order[RECORD_MEMBER_COUNT];
    for (int member = 0; member < RECORD_MEMBER_COUNT; member++) {
        learned.places[member] = find_place(texts, member);
        in_order[learned.places[member]] = texts[member];
    }
    const char *begin = bytes;
    for (int index = 0; index < RECORD_MEMBER_COUNT; index++) {
        if (!set_piece(&learned.pieces[index], begin, in_order[index].bytes)) {
            return;
        }
        begin = in_order[index].bytes + in_order[index].size;
    }
    const char *end = skip_space(bytes + record_size, bytes + size);
    if (set_piece(&learned.pieces[RECORD_MEMBER_COUNT], begin, end)) {
        *pattern = learned;
    }
}
