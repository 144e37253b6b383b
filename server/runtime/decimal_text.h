/*
 * Numbers in the environment, read strictly.
 *
 * Threading: pure.
 */
#ifndef SERVER_RUNTIME_DECIMAL_TEXT_H_
#define SERVER_RUNTIME_DECIMAL_TEXT_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads all of text as a decimal number from 0 to highest: digits alone, no sign and no blank.
 * False: it is none; then *number is of no use. */
static inline bool decimal_text_read(const char *text, uint64_t highest, uint64_t *number) {
    *number = 0;
    for (size_t index = 0; text[index] != '\0'; index++) {
        if (text[index] < '0' || text[index] > '9') {
            return false;
        }
        uint64_t digit = (uint64_t)(text[index] - '0');
        if (*number > (highest - digit) / 10 || digit > highest) {
            return false;
        }
        *number = *number * 10 + digit;
    }
    return text[0] != '\0';
}

#endif /* SERVER_RUNTIME_DECIMAL_TEXT_H_ */
