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
    char client_id[CLIENT_ID_LENGTH + 1];
    uint32_t number_count;
    uint32_t received_count;
    uint32_t saved_count; /* of those, how many are in the file */
    uint32_t numbers[LIMIT_NUMBER_COUNT_MAX];
};

/* Opens and locks the file, creating it if need be, and reads what is there. Only after OK and
 * EMPTY it is open. `path` must outlive the state. */
enum state_file_result client_state_open(struct client_state *state, const char *path);

/* Replaces what is there by a new sequence: OK or IO_ERROR. */
enum state_file_result client_state_begin(struct client_state *state, const char *client_id,
                                          uint32_t number_count);

/* Takes the next number, in memory; then writes those taken to the file: OK or IO_ERROR. */
void client_state_append(struct client_state *state, uint32_t number);
enum state_file_result client_state_save(struct client_state *state);

void client_state_close(struct client_state *state);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_STATION_CLIENT_STATE_H_ */
