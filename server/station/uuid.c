#include "server/station/uuid.h"

#include <string.h>
#include <strings.h>

enum { DIGIT_COUNT = 32 };

/* Takes the URN's prefix, or braces, away. */
static struct wire_bytes unwrap(struct wire_bytes spelling) {
    static const char urn[] = "urn:uuid:";
    const size_t urn_size = sizeof urn - 1;
    const char *text = (const char *)spelling.bytes;
    if (spelling.size > urn_size && strncasecmp(text, urn, urn_size) == 0) {
        return (struct wire_bytes){spelling.bytes + urn_size, spelling.size - urn_size};
    }
    if (spelling.size == UUID_TEXT_LENGTH + 2 && text[0] == '{' && text[spelling.size - 1] == '}') {
        return (struct wire_bytes){spelling.bytes + 1, spelling.size - 2};
    }
    return spelling;
}

static bool has_dash_before(size_t digit_index) {
    return digit_index == 8 || digit_index == 12 || digit_index == 16 || digit_index == 20;
}

/* The digit as a small letter; '\0' if it is none. */
static char normalize_digit(uint8_t byte) {
    if ((byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'f')) {
        return (char)byte;
    }
    return byte >= 'A' && byte <= 'F' ? (char)(byte + ('a' - 'A')) : '\0';
}

bool uuid_normalize(struct wire_bytes spelling, char text[UUID_TEXT_LENGTH + 1]) {
    struct wire_bytes bare = unwrap(spelling);
    bool has_dashes = bare.size == UUID_TEXT_LENGTH;
    if (!has_dashes && bare.size != DIGIT_COUNT) {
        return false;
    }
    const uint8_t *next = bare.bytes;
    for (size_t i = 0; i < DIGIT_COUNT; i++) {
        if (has_dash_before(i)) {
            *text++ = '-';
            if (has_dashes && *next++ != '-') {
                return false;
            }
        }
        char digit = normalize_digit(*next++);
        if (digit == '\0') {
            return false;
        }
        *text++ = digit;
    }
    *text = '\0';
    return true;
}
