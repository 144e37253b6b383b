/* Runs every check with every kernel that the CPU has, where GoogleTest is not at hand. */
#include <stdio.h>
#include <string.h>

#include "parser/kernel_checks.h"

/* Runs all checks with one kernel; returns how many failed. */
static int run_checks(const char *kernel_name) {
    struct line_parser parser;
    int failed_count = 0;
    if (line_parser_select(&parser, kernel_name) != LINE_PARSER_SELECTED) {
        printf("%s: cannot be selected\n", kernel_name);
        return 1;
    }
    for (size_t i = 0; kernel_check_at(i) != NULL; i++) {
        char message[KERNEL_CHECK_MESSAGE_SIZE] = "";
        const int passed = kernel_check_at(i)->run(&parser, message);
        printf("%s %s: %s\n", kernel_name, kernel_check_at(i)->name, passed ? "ok" : message);
        failed_count += passed ? 0 : 1;
    }
    return failed_count;
}

/* argv[1]: the kernel that must be among those tested. */
int main(int argc, char **argv) {
    int failed_count = 0;
    int is_found = 0;
    if (argc != 2) {
        fprintf(stderr, "usage: %s KERNEL\n", argv[0]);
        return 2;
    }
    for (size_t i = 0; i < line_parser_supported_count(); i++) {
        const char *name = line_parser_supported_name(i);
        is_found |= strcmp(name, argv[1]) == 0;
        failed_count += run_checks(name);
    }
    if (!is_found) {
        printf("kernel %s is not supported here\n", argv[1]);
    }
    return is_found && failed_count == 0 ? 0 : 1;
}
