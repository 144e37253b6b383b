#include "bench/option_values.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

bool option_read_number(const char *program, const char *option, const char *text, uint64_t minimum,
                        uint64_t maximum, uint64_t *value) {
    char *end = NULL;
    errno = 0;
    unsigned long long number = 0;
    /* strtoull would take a sign or leading blanks, and "-1" for a huge number. */
    bool starts_with_digit = text[0] >= '0' && text[0] <= '9';
    if (starts_with_digit) {
        number = strtoull(text, &end, 10);
    }
    if (!starts_with_digit || *end != '\0' || errno != 0 || number < minimum || number > maximum) {
        (void)fprintf(stderr,
                      "%s: --%s: '%s' is not a whole number from %" PRIu64 " to %" PRIu64 "\n",
                      program, option, text, minimum, maximum);
        return false;
    }
    *value = number;
    return true;
}

void option_enter_user_directory(void) {
    const char *directory = getenv("BUILD_WORKING_DIRECTORY");
    if (directory != NULL && chdir(directory) != 0) {
        perror(directory);
    }
}
