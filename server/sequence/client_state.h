/*
 * What a client has received so far, in memory and in a file, so that it can go on after it was
 * killed.
 *
 * The file is the conversation: the INIT message and each NUM message as they went over the wire,
 * one a line. It is written when the server has acknowledged INIT, and grows by one line with each
 * batch. A torn last line, left by a client that was killed while it wrote, is cut off when the
 * file is loaded.
 *
 * Ownership: the state owns its file (state_file.h), which no other client can use meanwhile.
 * Threading: one thread per state.
 */
#ifndef SERVER_SEQUENCE_CLIENT_STATE_H_
#define SERVER_SEQUENCE_CLIENT_STATE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/sequence/protocol.h"
#include "server/sessions/state_file.h"

#ifdef __cplusplus
extern "C" {
#endif

struct client_state {
    struct state_file file;
    char client_id[CLIENT_ID_LENGTH + 1]; /* terminated */
    uint32_t number_count;
    uint32_t batch_size;
    uint32_t received_count; /* whole batches, the last one perhaps shorter */
    uint8_t numbers[PROTOCOL_NUMBER_COUNT_MAX];
    char line[PROTOCOL_REPLY_SIZE_MAX + 1]; /* one NUM message and a newline */
};

/* Opens and locks the file at `path`, creating it if need be, and leaves its content alone: OK,
 * IN_USE, FOREIGN or IO_ERROR. Unless the result is OK nothing is left open. */
enum state_file_result client_state_open(struct client_state *state, const char *path);

/* Fills the state from its open file: OK, EMPTY, FOREIGN or IO_ERROR. */
enum state_file_result client_state_load(struct client_state *state);

/* Begins a new sequence in memory; the file keeps what it has. */
void client_state_begin(struct client_state *state, const char *client_id, uint32_t number_count,
                        uint32_t batch_size);

/* Replaces the file's content by the sequence that was begun: OK or IO_ERROR. */
enum state_file_result client_state_save(struct client_state *state);

/* How many numbers the next batch must have; 0: the sequence is complete. */
uint32_t client_state_next_count(const struct client_state *state);

/* Appends the next batch, of client_state_next_count() numbers: OK or IO_ERROR. */
enum state_file_result client_state_append(struct client_state *state, const uint8_t *numbers);

void client_state_close(struct client_state *state);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_SEQUENCE_CLIENT_STATE_H_ */
