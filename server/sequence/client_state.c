#include "server/sequence/client_state.h"

#include <assert.h>
#include <string.h>

#include "server/runtime/os.h"

/* A state file begins with an INIT. It is written with it, so there is no part of one. */
static bool begins_with_init(const char *bytes, size_t size) {
    struct protocol_request init;
    size_t consumed_size;
    enum protocol_error error;
    return protocol_parse_request(bytes, size, &init, &consumed_size, &error) ==
               PROTOCOL_COMPLETE &&
           init.kind == PROTOCOL_INIT && consumed_size < size && bytes[consumed_size] == '\n';
}

static_assert((int)STATE_FILE_HEAD_SIZE > (int)PROTOCOL_REQUEST_SIZE_MAX, "an INIT fits");

enum state_file_result client_state_open(struct client_state *state, const char *path) {
    return state_file_open(&state->file, path, begins_with_init);
}

void client_state_begin(struct client_state *state, const char *client_id, uint32_t number_count,
                        uint32_t batch_size) {
    assert(number_count <= PROTOCOL_NUMBER_COUNT_MAX && batch_size > 0);
    memcpy(state->client_id, client_id, sizeof state->client_id);
    state->number_count = number_count;
    state->batch_size = batch_size;
    state->received_count = 0;
}

uint32_t client_state_next_count(const struct client_state *state) {
    uint32_t left_count = state->number_count - state->received_count;
    return left_count < state->batch_size ? left_count : state->batch_size;
}

enum state_file_result client_state_save(struct client_state *state) {
    struct protocol_request init = {.kind = PROTOCOL_INIT,
                                    .number_count = state->number_count,
                                    .batch_size = state->batch_size};
    memcpy(init.client_id, state->client_id, sizeof init.client_id);
    size_t size = protocol_write_request(&init, state->line);
    state->line[size++] = '\n';
    return state_file_replace(&state->file, state->line, size);
}

enum state_file_result client_state_append(struct client_state *state, const uint8_t *numbers) {
    uint32_t count = client_state_next_count(state);
    assert(count > 0);
    size_t size = protocol_write_numbers(numbers, count, true, true, state->line);
    state->line[size++] = '\n';
    enum state_file_result result = state_file_append(&state->file, state->line, size);
    if (result == STATE_FILE_OK) {
        memcpy(state->numbers + state->received_count, numbers, count);
        state->received_count += count;
    }
    return result;
}

/* Takes the INIT at the start of the `size` bytes of state->line: OK and its size, FOREIGN, or
 * EMPTY if it is not all there. */
static enum state_file_result load_first_line(struct client_state *state, size_t size,
                                              size_t *consumed_size) {
    struct protocol_request init;
    enum protocol_error error;
    switch (protocol_parse_request(state->line, size, &init, consumed_size, &error)) {
    case PROTOCOL_PARTIAL:
        return STATE_FILE_EMPTY;
    case PROTOCOL_INVALID:
        return STATE_FILE_FOREIGN;
    case PROTOCOL_COMPLETE:
        break;
    }
    if (init.kind != PROTOCOL_INIT) {
        return STATE_FILE_FOREIGN;
    }
    client_state_begin(state, init.client_id, init.number_count, init.batch_size);
    return STATE_FILE_OK;
}

/* The same for the NUM of the next batch. */
static enum state_file_result load_batch(struct client_state *state, size_t size,
                                         size_t *consumed_size) {
    uint32_t count = client_state_next_count(state);
    struct protocol_reply reply;
    enum protocol_error error;
    switch (protocol_parse_reply(state->line, size, state->numbers + state->received_count, count,
                                 &reply, consumed_size, &error)) {
    case PROTOCOL_PARTIAL:
        return STATE_FILE_EMPTY;
    case PROTOCOL_INVALID:
        return STATE_FILE_FOREIGN;
    case PROTOCOL_COMPLETE:
        break;
    }
    if (reply.kind != PROTOCOL_NUM || reply.number_count != count) {
        return STATE_FILE_FOREIGN;
    }
    state->received_count += count;
    return STATE_FILE_OK;
}

/* The size of the longest line that may come next, its newline included. */
static size_t next_line_size_max(const struct client_state *state, bool is_first) {
    return 1 + (is_first ? (size_t)PROTOCOL_REQUEST_SIZE_MAX
                         : PROTOCOL_NUMBERS_PREFIX_SIZE +
                               PROTOCOL_NUMBER_SIZE_MAX * (size_t)client_state_next_count(state));
}

/* Takes the line at `offset` of the file: OK, FOREIGN, IO_ERROR, or EMPTY at the end or at a
 * torn line. OK sets `*line_size`. */
static enum state_file_result load_line(struct client_state *state, off_t offset,
                                        size_t *line_size) {
    bool is_first = offset == 0;
    size_t wanted_size = next_line_size_max(state, is_first);
    ssize_t read_size = os_pread(state->file.fd, state->line, wanted_size, offset);
    if (read_size < 0) {
        state->file.error = (int)-read_size;
        return STATE_FILE_IO_ERROR;
    }
    if (read_size == 0) {
        return STATE_FILE_EMPTY;
    }
    if (!is_first && client_state_next_count(state) == 0) {
        return STATE_FILE_FOREIGN;
    }
    size_t size = (size_t)read_size;
    size_t message_size = 0;
    uint32_t received_count = is_first ? 0 : state->received_count;
    enum state_file_result result = is_first ? load_first_line(state, size, &message_size)
                                             : load_batch(state, size, &message_size);
    if (result == STATE_FILE_EMPTY && size == wanted_size) {
        return STATE_FILE_FOREIGN;
    }
    if (result != STATE_FILE_OK) {
        return result;
    }
    if (message_size == size) {
        /* The newline is missing: the line is torn, even if nothing but that is lost. */
        state->received_count = received_count;
        return STATE_FILE_EMPTY;
    }
    *line_size = message_size + 1;
    return state->line[message_size] == '\n' ? STATE_FILE_OK : STATE_FILE_FOREIGN;
}

enum state_file_result client_state_load(struct client_state *state) {
    off_t offset = 0;
    size_t line_size = 0;
    enum state_file_result result;
    while ((result = load_line(state, offset, &line_size)) == STATE_FILE_OK) {
        offset += (off_t)line_size;
    }
    if (result != STATE_FILE_EMPTY || offset == 0) {
        return result;
    }
    return state_file_cut(&state->file, offset);
}

void client_state_close(struct client_state *state) {
    state_file_close(&state->file);
}
