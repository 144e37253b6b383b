/*
 * The methods of the station, by their paths.
 *
 * Threading: constants and pure functions.
 */
#ifndef SERVER_STATION_METHOD_H_
#define SERVER_STATION_METHOD_H_

#include <stdbool.h>
#include <stddef.h>

#include "server/station/wire.h"

#ifdef __cplusplus
extern "C" {
#endif

enum method {
    METHOD_GET_NUMBERS,
    METHOD_START,
    METHOD_RESUME,
    METHOD_HEALTH_CHECK,
    METHOD_HEALTH_WATCH,
    METHOD_REFLECTION,
    METHOD_UNKNOWN,
};

/* The method of a path like "/numbers.Numbers/GetNumbers". */
enum method method_find(const char *path);

/* Whether the client may send many requests, and is answered each while it does. */
bool method_is_bidirectional(enum method method);

/* Whether there is a service of this name; the empty one stands for all of them. */
bool method_is_service(struct wire_bytes name);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_STATION_METHOD_H_ */
