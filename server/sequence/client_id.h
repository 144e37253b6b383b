/* Fresh client-ids.
 *
 * Threading: pure function.
 */
#ifndef SERVER_SEQUENCE_CLIENT_ID_H_
#define SERVER_SEQUENCE_CLIENT_ID_H_

#include <stdint.h>

#include "server/sequence/protocol.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { CLIENT_ID_RANDOM_SIZE = 16 };

/* Writes the random UUID (RFC 9562, version 4) made of 16 random bytes, terminated, to `text`. */
void client_id_write(const uint8_t random[CLIENT_ID_RANDOM_SIZE],
                     char text[PROTOCOL_CLIENT_ID_LENGTH + 1]);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_SEQUENCE_CLIENT_ID_H_ */
