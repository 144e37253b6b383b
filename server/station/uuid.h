/*
 * UUIDs as people and programs write them.
 *
 * Threading: pure function.
 */
#ifndef SERVER_STATION_UUID_H_
#define SERVER_STATION_UUID_H_

#include <stdbool.h>

#include "server/station/wire.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { UUID_TEXT_LENGTH = 36 };

/* Reads "123e4567-e89b-12d3-a456-426614174000", also in capitals, in braces, behind "urn:uuid:" or
 * without the dashes, and writes its one form, in small letters and terminated, to `text`. False if
 * it is no UUID. */
bool uuid_normalize(struct wire_bytes spelling, char text[UUID_TEXT_LENGTH + 1]);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_STATION_UUID_H_ */
