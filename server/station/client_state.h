/*
 * What a client has received so far, in memory and in a file, so that it can go on after it was
 * killed: "station 1 <client-id> <count>", and then the numbers, one a line. A torn last line, left
 * by a client that was killed while it wrote, is cut off.
 *
 * Ownership: the state owns its file (state_file.h), which no other client can use meanwhile.
 * Threading: one thread per state.
 */
#ifndef SERVER_STATION_CLIENT_STATE_H_
#define SERVER_STATION_CLIENT_STATE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/sessions/client_id.h"
#include "server/sessions/state_file.h"
#include "server/station/limits.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { CLIENT_STATE_LINE_SIZE_MAX = 64 };

struct client_state {
    struct state_file file;
    int error; /* the errno value behind the last IO_ERROR */
    char client_id[CLIENT_ID_LENGTH + 1];
    uint32_t number_count;
    uint32_t received_count;
    uint32_t saved_count; /* of those, how many are in the file */
    uint32_t numbers[LIMIT_NUMBER_COUNT_MAX];
};

enum client_state_result {
    CLIENT_STATE_OK,
    CLIENT_STATE_IN_USE,   /* another client holds the file */
    CLIENT_STATE_EMPTY,    /* there is nothing in it */
    CLIENT_STATE_BAD_FILE, /* it is something else than a state file; it was left alone */
    CLIENT_STATE_IO_ERROR, /* state.error tells more */
};

/* Opens and locks the file, creating it if need be, and reads what is there. Only after OK and
 * EMPTY it is open. `path` must outlive the state. */
enum client_state_result client_state_open(struct client_state *state, const char *path);

/* Replaces what is there by a new sequence: OK or IO_ERROR. */
enum client_state_result client_state_begin(struct client_state *state, const char *client_id,
                                            uint32_t number_count);

/* Takes the next number, in memory; then writes those taken to the file: OK or IO_ERROR. */
void client_state_append(struct client_state *state, uint32_t number);
enum client_state_result client_state_save(struct client_state *state);

void client_state_close(struct client_state *state);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_STATION_CLIENT_STATE_H_ */
