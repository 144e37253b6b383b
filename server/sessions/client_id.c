#include "server/sessions/client_id.h"

#include <stdio.h>
#include <string.h>

static bool is_hex_digit(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool client_id_is_valid(const char *text, size_t length) {
    if (length != CLIENT_ID_LENGTH) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        bool is_dash_place = i == 8 || i == 13 || i == 18 || i == 23;
        if (is_dash_place ? text[i] != '-' : !is_hex_digit(text[i])) {
            return false;
        }
    }
    return true;
}

void client_id_write(const uint8_t random[CLIENT_ID_RANDOM_SIZE], char text[CLIENT_ID_LENGTH + 1]) {
    uint8_t b[CLIENT_ID_RANDOM_SIZE];
    memcpy(b, random, sizeof b);
    b[6] = (uint8_t)((b[6] & 0x0f) | 0x40); /* version 4 */
    b[8] = (uint8_t)((b[8] & 0x3f) | 0x80); /* the variant of the RFC */
    (void)snprintf(text, CLIENT_ID_LENGTH + 1,
                   "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0],
                   b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13],
                   b[14], b[15]);
}
