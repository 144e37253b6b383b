#include "server/sequence/client_id.h"

#include <stdio.h>
#include <string.h>

void client_id_write(const uint8_t random[CLIENT_ID_RANDOM_SIZE],
                     char text[PROTOCOL_CLIENT_ID_LENGTH + 1]) {
    uint8_t b[CLIENT_ID_RANDOM_SIZE];
    memcpy(b, random, sizeof b);
    b[6] = (uint8_t)((b[6] & 0x0f) | 0x40); /* version 4 */
    b[8] = (uint8_t)((b[8] & 0x3f) | 0x80); /* the variant of the RFC */
    (void)snprintf(text, PROTOCOL_CLIENT_ID_LENGTH + 1,
                   "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0],
                   b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13],
                   b[14], b[15]);
}
