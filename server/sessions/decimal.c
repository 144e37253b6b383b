#include "server/sessions/decimal.h"

bool decimal_is_valid(const char *text, size_t length) {
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return false;
        }
    }
    return length == 1 || (length > 1 && text[0] != '0');
}

bool decimal_parse(const char *text, size_t length, uint32_t maximum, uint32_t *value) {
    if (length > DECIMAL_LENGTH_MAX || !decimal_is_valid(text, length)) {
        return false;
    }
    uint64_t number = 0;
    for (size_t i = 0; i < length; i++) {
        number = number * 10 + (uint64_t)(text[i] - '0');
    }
    if (number > maximum) {
        return false;
    }
    *value = (uint32_t)number;
    return true;
}

size_t decimal_write(uint32_t value, char *out) {
    char digits[DECIMAL_LENGTH_MAX];
    size_t length = 0;
    do {
        digits[length++] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    for (size_t i = 0; i < length; i++) {
        out[i] = digits[length - 1 - i];
    }
    return length;
}
