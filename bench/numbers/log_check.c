#include "bench/numbers/log_check.h"

#include "server/runtime/os.h"

enum {
    NUMBER_RANGE = 1000000000,
    LINE_SIZE = 10,
    DIGIT_COUNT = 9,
    BATCH_COUNT = 1024,
};
static const size_t MAP_SIZE = NUMBER_RANGE / 8;
_Static_assert(NUMBER_RANGE % 64 == 0, "the map is a whole number of words");

bool log_check_open(struct log_check *check) {
    *check = (struct log_check){.seen = os_map_memory(MAP_SIZE)};
    return check->seen != NULL;
}

void log_check_close(struct log_check *check) {
    os_unmap_memory(check->seen, MAP_SIZE);
    check->seen = NULL;
}

void log_check_numbers(struct log_check *check, const uint32_t *numbers, size_t count) {
    uint64_t duplicate_count = 0;
    for (size_t i = 0; i < count; i++) {
        __builtin_prefetch(&check->seen[numbers[i + LOG_CHECK_PREFETCH_COUNT] / 64], 1);
        uint64_t *word = &check->seen[numbers[i] / 64];
        uint64_t bit = UINT64_C(1) << (numbers[i] % 64);
        duplicate_count += (*word & bit) != 0;
        *word |= bit;
    }
    check->duplicate_count += duplicate_count;
    check->line_count += count;
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
    uint32_t numbers[BATCH_COUNT + LOG_CHECK_PREFETCH_COUNT] = {0};
    for (size_t done = 0; done < line_count;) {
        size_t count = 0;
        for (; count < BATCH_COUNT && done < line_count; done++) {
            if (read_line(lines + done * LINE_SIZE, &numbers[count])) {
                count++;
            } else {
                numbers[count] = 0; /* no number at all, which nothing may look up */
                check->malformed_count++;
            }
        }
        log_check_numbers(check, numbers, count);
    }
}
