/*
 * The session state machine, fed in chunks, against the parser, given everything at once.
 *
 * Input: as for parser_fuzzer.c, whose corpus serves here too: a byte N; N % 8 bytes, the sizes of
 * chunks, used in turn; the text.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/fuzz_target.h"
#include "server/numbers/session.h"

enum { CHUNK_SIZES_LIMIT = 8 };

static void check(int is_true, const char *what) {
    if (!is_true) {
        fprintf(stderr, "session: %s\n", what);
        abort();
    }
}

/* What a whole connection amounts to. */
struct conversation {
    uint32_t *numbers;
    size_t count;
    enum line_parser_stop stop;
};

static struct conversation begin(size_t text_size) {
    size_t capacity = text_size / LINE_PARSER_LINE_SIZE + LINE_PARSER_SLACK_COUNT;
    struct conversation conversation = {.numbers = calloc(capacity, sizeof(uint32_t)),
                                        .stop = LINE_PARSER_NEEDS_MORE};
    check(conversation.numbers != NULL, "out of memory");
    return conversation;
}

/* Feeds one chunk from an allocation of exactly its size, with the headroom in front. */
static void feed(struct session *session, const struct line_parser *parser, const char *bytes,
                 size_t size, struct conversation *conversation, size_t capacity) {
    char *buffer = malloc(SESSION_HEADROOM_SIZE + size);
    size_t number_capacity =
        (SESSION_HEADROOM_SIZE + size) / LINE_PARSER_LINE_SIZE + LINE_PARSER_SLACK_COUNT;
    uint32_t *numbers = malloc(number_capacity * sizeof(uint32_t));
    check(buffer != NULL && numbers != NULL, "out of memory");
    memcpy(buffer + SESSION_HEADROOM_SIZE, bytes, size);
    size_t count = session_receive(session, parser, buffer + SESSION_HEADROOM_SIZE, size, numbers,
                                   &conversation->stop);
    check(conversation->count + count <= capacity, "more numbers than lines");
    memcpy(conversation->numbers + conversation->count, numbers, count * sizeof(uint32_t));
    conversation->count += count;
    free(numbers);
    free(buffer);
}

static struct conversation converse(const struct line_parser *parser, const char *text, size_t size,
                                    const uint8_t *chunk_sizes, size_t chunk_size_count) {
    struct session session;
    session_init(&session);
    struct conversation conversation = begin(size);
    size_t fed_size = 0;
    for (size_t i = 0; fed_size < size && conversation.stop == LINE_PARSER_NEEDS_MORE; i++) {
        size_t chunk_size = (size_t)chunk_sizes[i % chunk_size_count] + 1;
        if (chunk_size > size - fed_size) {
            chunk_size = size - fed_size;
        }
        feed(&session, parser, text + fed_size, chunk_size, &conversation,
             size / LINE_PARSER_LINE_SIZE);
        check(session.rest_size < LINE_PARSER_LINE_SIZE ||
                  conversation.stop != LINE_PARSER_NEEDS_MORE,
              "kept a whole line");
        fed_size += chunk_size;
    }
    return conversation;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) {
        return 0;
    }
    size_t chunk_size_count = data[0] % CHUNK_SIZES_LIMIT;
    if (size < 1 + chunk_size_count) {
        return 0;
    }
    static const uint8_t single_bytes[] = {0};
    const uint8_t *chunk_sizes = chunk_size_count > 0 ? data + 1 : single_bytes;
    const char *text = (const char *)data + 1 + chunk_size_count;
    size_t text_size = size - 1 - chunk_size_count;
    chunk_size_count = chunk_size_count > 0 ? chunk_size_count : sizeof single_bytes;

    struct line_parser parser;
    check(line_parser_select(&parser, NULL) == LINE_PARSER_SELECTED, "no kernel");
    struct conversation expected = begin(text_size);
    struct line_parser_result whole = line_parser_parse(&parser, text, text_size, expected.numbers);
    struct conversation actual = converse(&parser, text, text_size, chunk_sizes, chunk_size_count);
    check(actual.count == whole.number_count, "count");
    check(actual.stop == whole.stop, "stop");
    check(memcmp(actual.numbers, expected.numbers, actual.count * sizeof(uint32_t)) == 0,
          "numbers");
    free(actual.numbers);
    free(expected.numbers);
    return 0;
}
