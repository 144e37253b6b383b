#include "bench/numbers/log_check.h"

#include <stdlib.h>

enum {
    NUMBER_RANGE = 1000000000,
    LINE_SIZE = 10,
    DIGIT_COUNT = 9,
    WORD_COUNT = NUMBER_RANGE / 64,
    /* Lines whose map words are fetched together: the memory answers them in parallel. */
    BATCH_COUNT = 256,
};
_Static_assert(NUMBER_RANGE % 64 == 0, "the map is a whole number of words");

bool log_check_open(struct log_check *check) {
    *check = (struct log_check){.seen = calloc(WORD_COUNT, sizeof(uint64_t))};
    return check->seen != NULL;
}

void log_check_close(struct log_check *check) {
    free(check->seen);
    check->seen = NULL;
}

/* Reads one line. Returns false when it is not nine digits and a newline. */
static bool read_line(const char *line, uint32_t *number) {
    bool good = line[DIGIT_COUNT] == '\n';
    *number = 0;
    for (size_t i = 0; i < DIGIT_COUNT; i++) {
        uint32_t digit = (uint32_t)(unsigned char)line[i] - '0';
        good = good && digit <= 9;
        *number = *number * 10 + digit;
    }
    return good;
}

void log_check_lines(struct log_check *check, const char *lines, size_t line_count) {
    uint32_t numbers[BATCH_COUNT];
    for (size_t done = 0; done < line_count;) {
        size_t count = 0;
        for (; count < BATCH_COUNT && done < line_count; done++) {
            if (!read_line(lines + done * LINE_SIZE, &numbers[count])) {
                check->malformed_count++;
                continue;
            }
            __builtin_prefetch(&check->seen[numbers[count] / 64], 1);
            count++;
        }
        for (size_t i = 0; i < count; i++) {
            uint64_t *word = &check->seen[numbers[i] / 64];
            uint64_t bit = UINT64_C(1) << (numbers[i] % 64);
            check->duplicate_count += (*word & bit) != 0;
            *word |= bit;
        }
        check->line_count += count;
    }
}
