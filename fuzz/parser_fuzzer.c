/*
 * All kernels of the parser against scalar, whole and in chunks.
 *
 * Input: a byte N; N % 8 bytes, the sizes of chunks, used in turn; the text. Scalar itself is
 * judged by printing its numbers again: that must give the bytes it consumed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/fuzz_target.h"
#include "parser/line_parser.h"

enum { LINE_SIZE = LINE_PARSER_LINE_SIZE, CHUNK_SIZES_LIMIT = 8 };

struct parsed {
    struct line_parser_result result;
    uint32_t *numbers;
};

static void check(int is_true, const char *kernel_name, const char *what) {
    if (!is_true) {
        fprintf(stderr, "%s: %s\n", kernel_name, what);
        abort();
    }
}

static void *allocate(size_t size) {
    void *memory = malloc(size > 0 ? size : 1);
    check(memory != NULL, "malloc", "out of memory");
    return memory;
}

/* Parses a copy of the text in an allocation of exactly its size, into exactly the room that the
 * contract asks for: AddressSanitizer sees one byte too many on either side. */
static struct parsed parse_copy(const struct line_parser *parser, const char *text, size_t size) {
    struct parsed parsed;
    char *copy = malloc(size);
    parsed.numbers = allocate((size / LINE_SIZE + LINE_PARSER_SLACK_COUNT) * sizeof(uint32_t));
    if (size > 0) {
        check(copy != NULL, "malloc", "out of memory");
        memcpy(copy, text, size);
    }
    parsed.result = line_parser_parse(parser, copy, size, parsed.numbers);
    free(copy);
    return parsed;
}

static void check_scalar(const struct parsed *parsed, const char *text, size_t size) {
    const struct line_parser_result *result = &parsed->result;
    const size_t digits_size = result->number_count * LINE_SIZE;
    const size_t terminate_size = result->stop == LINE_PARSER_TERMINATE ? LINE_SIZE : 0;
    check(result->consumed_size == digits_size + terminate_size, "scalar", "consumed_size");
    check(result->consumed_size <= size, "scalar", "consumed more than there was");
    for (size_t i = 0; i < result->number_count; i++) {
        char line[LINE_SIZE + 1];
        check(parsed->numbers[i] <= 999999999, "scalar", "number too large");
        snprintf(line, sizeof line, "%09u\n", (unsigned)parsed->numbers[i]);
        check(memcmp(line, text + i * LINE_SIZE, LINE_SIZE) == 0, "scalar", "number");
    }
    if (terminate_size > 0) {
        check(memcmp(text + digits_size, "terminate\n", LINE_SIZE) == 0, "scalar", "terminate");
    }
    if (result->stop == LINE_PARSER_NEEDS_MORE) {
        check(size - result->consumed_size < LINE_SIZE, "scalar", "a whole line is left");
    }
}

static void check_whole(const struct line_parser *parser, const struct parsed *expected,
                        const char *text, size_t size) {
    const char *name = line_parser_kernel_name(parser);
    struct parsed parsed = parse_copy(parser, text, size);
    check(parsed.result.stop == expected->result.stop, name, "stop");
    check(parsed.result.consumed_size == expected->result.consumed_size, name, "consumed_size");
    check(parsed.result.number_count == expected->result.number_count, name, "number_count");
    check(memcmp(parsed.numbers, expected->numbers,
                 expected->result.number_count * sizeof(uint32_t)) == 0,
          name, "numbers");
    free(parsed.numbers);
}

/* Feeds the text as a connection would; the sum of the parts must be the whole. */
static void check_chunks(const struct line_parser *parser, const struct parsed *expected,
                         const char *text, size_t size, const uint8_t *chunk_sizes,
                         size_t chunk_size_count) {
    const char *name = line_parser_kernel_name(parser);
    struct line_parser_result total = {0, 0, LINE_PARSER_NEEDS_MORE};
    size_t received_size = 0;
    for (size_t i = 0; total.stop == LINE_PARSER_NEEDS_MORE && received_size < size; i++) {
        const size_t chunk_size = (size_t)chunk_sizes[i % chunk_size_count] + 1;
        received_size += chunk_size < size - received_size ? chunk_size : size - received_size;
        struct parsed part =
            parse_copy(parser, text + total.consumed_size, received_size - total.consumed_size);
        check(total.number_count + part.result.number_count <= expected->result.number_count, name,
              "number_count of a chunk");
        check(memcmp(part.numbers, expected->numbers + total.number_count,
                     part.result.number_count * sizeof(uint32_t)) == 0,
              name, "numbers of a chunk");
        total.consumed_size += part.result.consumed_size;
        total.number_count += part.result.number_count;
        total.stop = part.result.stop;
        free(part.numbers);
    }
    check(total.stop == expected->result.stop, name, "stop of chunks");
    check(total.consumed_size == expected->result.consumed_size, name, "consumed_size of chunks");
    check(total.number_count == expected->result.number_count, name, "number_count of chunks");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) {
        return 0;
    }
    const size_t chunk_size_count = (size_t)data[0] % CHUNK_SIZES_LIMIT;
    if (size < 1 + chunk_size_count) {
        return 0;
    }
    const char *text = (const char *)data + 1 + chunk_size_count;
    const size_t text_size = size - 1 - chunk_size_count;
    struct line_parser parser;
    check(line_parser_select(&parser, "scalar") == LINE_PARSER_SELECTED, "scalar", "select");
    struct parsed expected = parse_copy(&parser, text, text_size);
    check_scalar(&expected, text, text_size);
    for (size_t i = 0; i < line_parser_supported_count(); i++) {
        const char *name = line_parser_supported_name(i);
        check(line_parser_select(&parser, name) == LINE_PARSER_SELECTED, name, "select");
        check_whole(&parser, &expected, text, text_size);
        if (chunk_size_count > 0) {
            check_chunks(&parser, &expected, text, text_size, data + 1, chunk_size_count);
        }
    }
    free(expected.numbers);
    return 0;
}
