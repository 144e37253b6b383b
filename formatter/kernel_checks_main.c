/* Compares a kernel with the scalar one, where GoogleTest is not at hand. */
#include <stdio.h>
#include <string.h>

#include "formatter/number_formatter.h"
#include "testing/guard_buffer.h"

enum {
    NUMBER_END = 1000000000,
    STRIDE = 997, /* a prime, so that every digit takes every value in many company */
    COUNT_MAX = 200,
    BATCH_COUNT = 4096,
    LINES_SIZE_MAX = BATCH_COUNT * NUMBER_FORMATTER_LINE_SIZE + NUMBER_FORMATTER_SLACK_SIZE,
};

struct checker {
    struct number_formatter scalar;
    struct number_formatter tested;
    struct guard_buffer numbers; /* each batch ends where the page behind must not be read */
    struct guard_buffer lines;   /* and the slack ends where the page behind must not be written */
    char expected[LINES_SIZE_MAX];
};

/* Formats count numbers from first on, stride apart; returns whether both kernels say the same. */
static int check(struct checker *checker, uint32_t first, uint32_t stride, size_t count) {
    const size_t size = count * NUMBER_FORMATTER_LINE_SIZE;
    uint32_t *numbers =
        (uint32_t *)(void *)guard_buffer_tail(&checker->numbers, count * sizeof(uint32_t));
    char *lines = guard_buffer_tail(&checker->lines, size + NUMBER_FORMATTER_SLACK_SIZE);
    for (size_t i = 0; i < count; i++) {
        numbers[i] = (uint32_t)((first + (uint64_t)i * stride) % NUMBER_END);
    }
    number_formatter_format(&checker->scalar, numbers, count, checker->expected);
    if (number_formatter_format(&checker->tested, numbers, count, lines) != size ||
        memcmp(lines, checker->expected, size) != 0) {
        printf("%zu numbers from %09u on, %u apart: not as the scalar kernel\n", count, first,
               stride);
        return 0;
    }
    return 1;
}

static int check_all(struct checker *checker) {
    for (size_t count = 0; count <= COUNT_MAX; count++) {
        if (!check(checker, NUMBER_END - 7, 123456789, count)) {
            return 0;
        }
    }
    for (uint32_t power = 1; power < NUMBER_END; power *= 10) {
        if (!check(checker, power - 1, 1, 3) || !check(checker, 9 * power - 1, 1, 3)) {
            return 0;
        }
    }
    for (uint32_t first = 0; first < NUMBER_END; first += STRIDE * BATCH_COUNT) {
        if (!check(checker, first, STRIDE, BATCH_COUNT)) {
            return 0;
        }
    }
    return 1;
}

/* argv[1]: the kernel. */
int main(int argc, char **argv) {
    static struct checker checker;
    if (argc != 2) {
        fprintf(stderr, "usage: %s KERNEL\n", argv[0]);
        return 2;
    }
    if (number_formatter_select(&checker.scalar, "scalar") != NUMBER_FORMATTER_SELECTED ||
        number_formatter_select(&checker.tested, argv[1]) != NUMBER_FORMATTER_SELECTED) {
        printf("kernel %s is not supported here\n", argv[1]);
        return 1;
    }
    if (guard_buffer_open(&checker.numbers, BATCH_COUNT * sizeof(uint32_t)) != 0 ||
        guard_buffer_open(&checker.lines, LINES_SIZE_MAX) != 0) {
        perror("guard pages");
        return 1;
    }
    const int passed = check_all(&checker);
    printf("%s: %s\n", argv[1], passed ? "ok" : "FAILED");
    guard_buffer_close(&checker.numbers);
    guard_buffer_close(&checker.lines);
    return passed ? 0 : 1;
}
