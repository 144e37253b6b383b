/*
 * How a gRPC call ends: a status, and a text for people.
 *
 * Threading: pure functions.
 */
#ifndef SERVER_STATION_STATUS_H_
#define SERVER_STATION_STATUS_H_

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The codes of gRPC (doc/statuscodes.md) that occur here. */
enum status {
    STATUS_OK = 0,
    STATUS_CANCELLED = 1,
    STATUS_UNKNOWN = 2,
    STATUS_INVALID_ARGUMENT = 3,
    STATUS_DEADLINE_EXCEEDED = 4,
    STATUS_NOT_FOUND = 5,
    STATUS_ALREADY_EXISTS = 6,
    STATUS_PERMISSION_DENIED = 7,
    STATUS_RESOURCE_EXHAUSTED = 8,
    STATUS_FAILED_PRECONDITION = 9,
    STATUS_ABORTED = 10,
    STATUS_OUT_OF_RANGE = 11,
    STATUS_UNIMPLEMENTED = 12,
    STATUS_INTERNAL = 13,
    STATUS_UNAVAILABLE = 14,
    STATUS_DATA_LOSS = 15,
    STATUS_UNAUTHENTICATED = 16,
};

enum { STATUS_CODE_MAX = STATUS_UNAUTHENTICATED };

/* "NOT_FOUND"; "UNKNOWN" for a code that is none. */
const char *status_name(enum status status);

/* The outcome of a step that may end the call: STATUS_OK and no text, or a status with its text, a
 * static one. */
struct outcome {
    enum status status;
    const char *text;
};

#ifdef __cplusplus
}
#endif

#endif /* SERVER_STATION_STATUS_H_ */
