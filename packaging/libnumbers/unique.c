/* Reads lines of nine digits from standard input and writes each number the first time it comes:
 *
 *   cc -O2 unique.c -o unique $(pkg-config --cflags --libs libnumbers)
 *   ./unique <numbers >distinct
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dedup/dedup_map.h"
#include "formatter/number_formatter.h"
#include "parser/line_parser.h"

enum { INPUT_SIZE = 1 << 18, COUNT_MAX = INPUT_SIZE / LINE_PARSER_LINE_SIZE };

static char input[INPUT_SIZE];
static uint32_t numbers[COUNT_MAX + LINE_PARSER_SLACK_COUNT];
static char output[COUNT_MAX * NUMBER_FORMATTER_LINE_SIZE + NUMBER_FORMATTER_SLACK_SIZE];

int main(void) {
    struct line_parser parser;
    struct number_formatter formatter;
    struct dedup_map map;
    size_t map_size = dedup_map_size();
    void *memory = mmap(NULL, map_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        perror("mmap");
        return 1;
    }
    (void)madvise(memory, map_size, MADV_HUGEPAGE);
    dedup_map_init(&map, memory);
    (void)line_parser_select(&parser, NULL);
    (void)number_formatter_select(&formatter, NULL);

    size_t left_size = 0; /* the beginning of a line whose end has not been read yet */
    ssize_t size;
    while ((size = read(STDIN_FILENO, input + left_size, sizeof input - left_size)) > 0) {
        left_size += (size_t)size;
        struct line_parser_result result = line_parser_parse(&parser, input, left_size, numbers);
        size_t new_count = dedup_map_insert_batch(&map, numbers, result.number_count, numbers);
        size_t output_size = number_formatter_format(&formatter, numbers, new_count, output);
        if (fwrite(output, 1, output_size, stdout) != output_size ||
            result.stop != LINE_PARSER_NEEDS_MORE) {
            break;
        }
        left_size -= result.consumed_size;
        memmove(input, input + result.consumed_size, left_size);
    }
    return size == 0 && left_size == 0 && fflush(stdout) == 0 ? 0 : 1;
}
