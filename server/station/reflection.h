/*
 * What the reflection service answers: names of services, and the descriptors of the .proto files,
 * which protoc made when this was built.
 *
 * An answer is written piece by piece, because it may be longer than the room that a client's
 * flow-control window leaves: it is made anew for each piece, so that nothing has to be kept.
 *
 * Threading: pure functions.
 */
#ifndef SERVER_STATION_REFLECTION_H_
#define SERVER_STATION_REFLECTION_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/station/limits.h"
#include "server/station/wire.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { REFLECTION_DESCRIPTOR_SIZE_MAX = 2048 };

/* The question comes back with the answer, its host once more. */
enum {
    REFLECTION_ANSWER_SIZE_MAX = REFLECTION_DESCRIPTOR_SIZE_MAX + 2 * LIMIT_MESSAGE_SIZE_MAX + 64
};

/* Writes the answer to a ServerReflectionRequest, which may be as long as a request can be, and its
 * size. False: the question is no such message. */
bool reflection_answer(struct wire_bytes question, uint8_t answer[REFLECTION_ANSWER_SIZE_MAX],
                       size_t *answer_size);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_STATION_REFLECTION_H_ */
