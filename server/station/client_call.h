/*
 * The client's side of one call: connect, ask, and hand on the numbers as they come.
 *
 * Ownership: nothing is left open when it returns. Threading: one thread; it blocks.
 */
#ifndef SERVER_STATION_CLIENT_CALL_H_
#define SERVER_STATION_CLIENT_CALL_H_

#include <stdbool.h>
#include <stdint.h>

#include "server/station/codec.h"
#include "server/station/status.h"

enum { CLIENT_CALL_TEXT_SIZE = 256 };

struct client_call_request {
    const char *host;
    uint16_t port;
    int64_t timeout_ms; /* of a server that does not even answer PING */
    const char *path;   /* of a method that takes a sequence request and gives numbers */
    const char *client_id;
    uint32_t argument;
};

struct client_call_handlers {
    /* Takes a number. False: it is not the one that must come, and the call ends. */
    bool (*take_number)(void *context, const struct codec_number *number);
    /* Told after each piece that was received. False: the call ends. */
    bool (*end_piece)(void *context);
    void *context;
};

/* Runs the call. Returns its status, with what the server said of it, escaped, in `text`;
 * STATUS_UNAVAILABLE where there was no connection or it was lost. */
enum status client_call_run(const struct client_call_request *request,
                            const struct client_call_handlers *handlers,
                            char text[CLIENT_CALL_TEXT_SIZE]);

#endif /* SERVER_STATION_CLIENT_CALL_H_ */
