#include "parser/kernel_checks.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "testing/guard_buffer.h"

enum {
    LINE_SIZE = LINE_PARSER_LINE_SIZE,
    /* More than two blocks of the widest kernel (16 lines), and a rest. */
    LINE_COUNT = 37,
    TEXT_SIZE = LINE_COUNT * LINE_SIZE,
    NUMBERS_CAPACITY = 4096
};

/* One check's tools: the text and the numbers lie against guard pages. */
struct bench {
    struct line_parser scalar;
    const struct line_parser *tested;
    struct guard_buffer text;
    struct guard_buffer numbers;
    uint32_t expected_numbers[NUMBERS_CAPACITY];
    char *message;
};

static struct bench *open_bench(const struct line_parser *tested, char *message) {
    struct bench *bench = calloc(1, sizeof *bench);
    if (bench == NULL || line_parser_select(&bench->scalar, "scalar") != LINE_PARSER_SELECTED ||
        guard_buffer_open(&bench->text, NUMBERS_CAPACITY * LINE_SIZE) != 0 ||
        guard_buffer_open(&bench->numbers, NUMBERS_CAPACITY * sizeof(uint32_t)) != 0) {
        fprintf(stderr, "out of memory\n");
        abort();
    }
    bench->tested = tested;
    bench->message = message;
    return bench;
}

static int close_bench(struct bench *bench, int passed) {
    guard_buffer_close(&bench->text);
    guard_buffer_close(&bench->numbers);
    free(bench);
    return passed;
}

/* xorshift64 (Marsaglia): the same numbers in every run. */
static uint64_t next_random(uint64_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void write_line(char *line, uint32_t number) {
    for (size_t i = LINE_SIZE - 1; i-- > 0; number /= 10) {
        line[i] = (char)('0' + number % 10);
    }
    line[LINE_SIZE - 1] = '\n';
}

static void write_random_lines(char *text, size_t line_count, uint64_t seed) {
    for (size_t i = 0; i < line_count; i++) {
        write_line(text + i * LINE_SIZE, (uint32_t)(next_random(&seed) % 1000000000u));
    }
}

/* Whether tested and scalar say the same about text[0, size). The numbers have exactly the room
 * that the contract demands. */
static int agree(struct bench *bench, const char *text, size_t size) {
    const size_t room = size / LINE_SIZE + LINE_PARSER_SLACK_COUNT;
    uint32_t *numbers =
        (uint32_t *)(void *)guard_buffer_tail(&bench->numbers, room * sizeof(uint32_t));
    memset(numbers, 0xa5, room * sizeof(uint32_t));
    const struct line_parser_result expected =
        line_parser_parse(&bench->scalar, text, size, bench->expected_numbers);
    const struct line_parser_result got = line_parser_parse(bench->tested, text, size, numbers);
    if (got.stop != expected.stop || got.consumed_size != expected.consumed_size ||
        got.number_count != expected.number_count) {
        snprintf(bench->message, KERNEL_CHECK_MESSAGE_SIZE,
                 "%zu bytes: stop %d, %zu consumed, %zu numbers; expected stop %d, %zu, %zu", size,
                 (int)got.stop, got.consumed_size, got.number_count, (int)expected.stop,
                 expected.consumed_size, expected.number_count);
        return 0;
    }
    for (size_t i = 0; i < got.number_count; i++) {
        if (numbers[i] != bench->expected_numbers[i]) {
            snprintf(bench->message, KERNEL_CHECK_MESSAGE_SIZE,
                     "%zu bytes: number %zu is %u, expected %u", size, i, (unsigned)numbers[i],
                     (unsigned)bench->expected_numbers[i]);
            return 0;
        }
    }
    return 1;
}

/* Every byte value at every position of a text that ends at a guard page. */
static int check_every_byte(const struct line_parser *tested, char *message) {
    struct bench *bench = open_bench(tested, message);
    char *text = guard_buffer_tail(&bench->text, TEXT_SIZE);
    write_random_lines(text, LINE_COUNT, 1);
    int passed = 1;
    for (size_t position = 0; passed && position < TEXT_SIZE; position++) {
        const char original = text[position];
        for (int value = 0; passed && value < 256; value++) {
            text[position] = (char)value;
            passed = agree(bench, text, TEXT_SIZE);
        }
        text[position] = original;
    }
    return close_bench(bench, passed);
}

/* Every length, the text once against the guard page behind it and once against the one in
 * front. */
static int check_every_length(const struct line_parser *tested, char *message) {
    struct bench *bench = open_bench(tested, message);
    char *front = bench->text.bytes;
    int passed = 1;
    for (size_t size = 0; passed && size <= 3 * TEXT_SIZE; size++) {
        char *text = guard_buffer_tail(&bench->text, size);
        write_random_lines(front, size / LINE_SIZE + 1, size + 1);
        memcpy(text, front, size);
        passed = agree(bench, text, size) && agree(bench, front, size);
    }
    return close_bench(bench, passed);
}

/* Every alignment to a cache line, with more good lines behind the end, so that a kernel which
 * reads too far would find numbers there. */
static int check_every_alignment(const struct line_parser *tested, char *message) {
    struct bench *bench = open_bench(tested, message);
    int passed = 1;
    for (size_t offset = 0; passed && offset < 128; offset++) {
        char *text = bench->text.bytes + offset;
        write_random_lines(text, 2 * LINE_COUNT, offset + 1);
        for (size_t size = 0; passed && size <= TEXT_SIZE; size++) {
            passed = agree(bench, text, size);
        }
    }
    return close_bench(bench, passed);
}

/* terminate, its beginnings and its misspellings in the place of every line. */
static int check_terminate_anywhere(const struct line_parser *tested, char *message) {
    static const char *const words[] = {"terminate\n", "terminatex", "xterminate",
                                        "terminate\r", "123456789t", "\n\n\n\n\n\n\n\n\n\n"};
    struct bench *bench = open_bench(tested, message);
    char *text = guard_buffer_tail(&bench->text, TEXT_SIZE);
    int passed = 1;
    for (size_t word = 0; word < sizeof words / sizeof words[0]; word++) {
        for (size_t position = 0; passed && position + LINE_SIZE <= TEXT_SIZE; position++) {
            write_random_lines(text, LINE_COUNT, position + 1);
            memcpy(text + position, words[word], LINE_SIZE);
            passed = agree(bench, text, TEXT_SIZE);
            for (size_t size = position; passed && size < position + LINE_SIZE; size++) {
                char *shorter = guard_buffer_tail(&bench->text, size);
                memmove(shorter, text, size);
                passed = agree(bench, shorter, size);
                write_random_lines(text, LINE_COUNT, position + 1);
                memcpy(text + position, words[word], LINE_SIZE);
            }
        }
    }
    return close_bench(bench, passed);
}

/* Every number of four neighbouring digits at every place, the other digits all 0 or all 9: no step
 * of the arithmetic may overflow, and no digit may leak into another's place. */
static int check_every_digit_group(const struct line_parser *tested, char *message) {
    static const uint32_t backgrounds[] = {0, 999999999};
    struct bench *bench = open_bench(tested, message);
    int passed = 1;
    for (size_t place = 0; place + 4 < LINE_SIZE; place++) {
        for (size_t i = 0; passed && i < 2 * 10000; i += LINE_COUNT) {
            char *text = guard_buffer_tail(&bench->text, TEXT_SIZE);
            for (size_t j = 0; j < LINE_COUNT; j++) {
                char group[LINE_SIZE];
                write_line(group, (uint32_t)((i + j) % 10000));
                write_line(text + j * LINE_SIZE, backgrounds[(i + j) / 10000 % 2]);
                memcpy(text + j * LINE_SIZE + place, group + LINE_SIZE - 1 - 4, 4);
            }
            passed = agree(bench, text, TEXT_SIZE);
        }
    }
    return close_bench(bench, passed);
}

/* Feeds text[0, size) as a connection would, cut at cuts: what is not consumed is passed again in
 * front of the bytes that follow. Returns whether it ends like the whole text, whose numbers are in
 * expected_numbers. */
static int feed_in_chunks(struct bench *bench, const char *text, size_t size,
                          struct line_parser_result whole, const size_t *cuts, size_t cut_count) {
    struct line_parser_result total = {0, 0, LINE_PARSER_NEEDS_MORE};
    for (size_t i = 0; i <= cut_count && total.stop == LINE_PARSER_NEEDS_MORE; i++) {
        const size_t received_size = i < cut_count ? cuts[i] : size;
        const size_t pending_size = received_size - total.consumed_size;
        char *pending = guard_buffer_tail(&bench->text, pending_size);
        uint32_t *numbers = (uint32_t *)(void *)bench->numbers.bytes;
        memcpy(pending, text + total.consumed_size, pending_size);
        const struct line_parser_result part =
            line_parser_parse(bench->tested, pending, pending_size, numbers);
        if (memcmp(numbers, bench->expected_numbers + total.number_count,
                   part.number_count * sizeof(uint32_t)) != 0) {
            snprintf(bench->message, KERNEL_CHECK_MESSAGE_SIZE, "numbers differ after cut %zu", i);
            return 0;
        }
        total.consumed_size += part.consumed_size;
        total.number_count += part.number_count;
        total.stop = part.stop;
    }
    if (total.stop != whole.stop || total.consumed_size != whole.consumed_size ||
        total.number_count != whole.number_count) {
        snprintf(bench->message, KERNEL_CHECK_MESSAGE_SIZE,
                 "first cut at %zu: stop %d, %zu numbers; expected stop %d, %zu",
                 cut_count > 0 ? cuts[0] : size, (int)total.stop, total.number_count,
                 (int)whole.stop, whole.number_count);
        return 0;
    }
    return 1;
}

/* Every pair of cuts, and one byte at a time, of texts that end in each of the three ways. */
static int check_chunks(const struct line_parser *tested, char *message) {
    static const char *const endings[] = {"", "1234", "terminate\n", "12a", "terminatE\n"};
    struct bench *bench = open_bench(tested, message);
    char text[TEXT_SIZE + 2 * LINE_SIZE];
    size_t byte_cuts[TEXT_SIZE + 2 * LINE_SIZE];
    int passed = 1;
    for (size_t ending = 0; passed && ending < sizeof endings / sizeof endings[0]; ending++) {
        const size_t size = TEXT_SIZE + strlen(endings[ending]);
        write_random_lines(text, LINE_COUNT, ending + 1);
        memcpy(text + TEXT_SIZE, endings[ending], strlen(endings[ending]));
        const struct line_parser_result whole =
            line_parser_parse(&bench->scalar, text, size, bench->expected_numbers);
        for (size_t first = 0; passed && first <= size; first++) {
            for (size_t second = first; passed && second <= size; second++) {
                passed = feed_in_chunks(bench, text, size, whole, (size_t[]){first, second}, 2);
            }
        }
        for (size_t i = 0; i < size; i++) {
            byte_cuts[i] = i;
        }
        passed = passed && feed_in_chunks(bench, text, size, whole, byte_cuts, size);
    }
    return close_bench(bench, passed);
}

static const struct kernel_check checks[] = {
    {"EveryByte", check_every_byte},
    {"EveryLength", check_every_length},
    {"EveryAlignment", check_every_alignment},
    {"TerminateAnywhere", check_terminate_anywhere},
    {"EveryDigitGroup", check_every_digit_group},
    {"Chunks", check_chunks},
};

const struct kernel_check *kernel_check_at(size_t index) {
    return index < sizeof checks / sizeof checks[0] ? &checks[index] : NULL;
}
