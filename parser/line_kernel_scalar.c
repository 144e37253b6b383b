/* The specification of a line, in plain C: every other kernel must agree with this one. */
#include "parser/line_kernel.h"
#include "parser/line_parser.h"

enum { DIGIT_COUNT = LINE_PARSER_LINE_SIZE - 1 };

/* Whether the LINE_PARSER_LINE_SIZE bytes at line are a valid line; its value goes to number. */
static int parse_line(const char *line, uint32_t *number) {
    uint32_t value = 0;
    for (size_t i = 0; i < DIGIT_COUNT; i++) {
        if (line[i] < '0' || line[i] > '9') {
            return 0;
        }
        value = value * 10 + (uint32_t)(line[i] - '0');
    }
    *number = value;
    return line[DIGIT_COUNT] == '\n';
}

size_t line_kernel_scalar(const char *bytes, size_t size, uint32_t *numbers) {
    const size_t whole_count = size / LINE_PARSER_LINE_SIZE;
    size_t count = 0;
    while (count < whole_count &&
           parse_line(bytes + count * LINE_PARSER_LINE_SIZE, &numbers[count])) {
        count++;
    }
    return count;
}
