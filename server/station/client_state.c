#include "server/station/client_state.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/runtime/os.h"
#include "server/sessions/decimal.h"

enum {
    NUMBER_LINE_SIZE_MAX = DECIMAL_LENGTH_MAX + 1,
    FILE_SIZE_MAX = CLIENT_STATE_LINE_SIZE_MAX + LIMIT_NUMBER_COUNT_MAX * NUMBER_LINE_SIZE_MAX,
};

static const char magic[] = "station 1 ";

static enum state_file_result fail(struct client_state *state, int error) {
    state->file.error = -error;
    return STATE_FILE_IO_ERROR;
}

static bool begins_with_magic(const char *bytes, size_t size) {
    return size >= sizeof magic - 1 && memcmp(bytes, magic, sizeof magic - 1) == 0;
}

/* Takes the first line, without its newline, off the text. False: there is no whole line. */
static bool take_line(const char **text, size_t *size, const char **line, size_t *line_size) {
    const char *end = *size == 0 ? NULL : memchr(*text, '\n', *size);
    if (end == NULL) {
        return false;
    }
    *line = *text;
    *line_size = (size_t)(end - *text);
    *size -= *line_size + 1;
    *text = end + 1;
    return true;
}

static bool parse_header(struct client_state *state, const char *line, size_t size) {
    const size_t magic_size = sizeof magic - 1;
    const size_t count_start = magic_size + CLIENT_ID_LENGTH + 1;
    if (size <= count_start || memcmp(line, magic, magic_size) != 0 ||
        !client_id_is_valid(line + magic_size, CLIENT_ID_LENGTH) || line[count_start - 1] != ' ') {
        return false;
    }
    memcpy(state->client_id, line + magic_size, CLIENT_ID_LENGTH);
    state->client_id[CLIENT_ID_LENGTH] = '\0';
    return decimal_parse(line + count_start, size - count_start, LIMIT_NUMBER_COUNT_MAX,
                         &state->number_count) &&
           state->number_count > 0;
}

/* Reads a file's content; *whole_size is how much of it is whole lines. */
static bool parse(struct client_state *state, const char *text, size_t size, size_t *whole_size) {
    const char *line;
    size_t line_size;
    size_t left_size = size;
    if (!take_line(&text, &left_size, &line, &line_size) || !parse_header(state, line, line_size)) {
        return false;
    }
    while (take_line(&text, &left_size, &line, &line_size)) {
        if (state->received_count == state->number_count ||
            !decimal_parse(line, line_size, UINT32_MAX, &state->numbers[state->received_count])) {
            return false;
        }
        state->received_count++;
    }
    state->saved_count = state->received_count;
    *whole_size = size - left_size;
    return true;
}

/* Reads up to `capacity` bytes. Their number, or a negative errno value. */
static ssize_t read_all(int fd, char *text, size_t capacity) {
    size_t size = 0;
    while (size < capacity) {
        ssize_t piece_size = os_read(fd, text + size, capacity - size);
        if (piece_size <= 0) {
            return piece_size < 0 ? piece_size : (ssize_t)size;
        }
        size += (size_t)piece_size;
    }
    return (ssize_t)size;
}

static enum state_file_result load(struct client_state *state) {
    char *text = malloc(FILE_SIZE_MAX + 1);
    if (text == NULL) {
        return fail(state, -ENOMEM);
    }
    ssize_t size = read_all(state->file.fd, text, FILE_SIZE_MAX + 1);
    size_t whole_size = 0;
    enum state_file_result result = STATE_FILE_FOREIGN;
    if (size < 0) {
        result = fail(state, (int)size);
    } else if (size == 0) {
        result = STATE_FILE_EMPTY;
    } else if (size <= FILE_SIZE_MAX && parse(state, text, (size_t)size, &whole_size)) {
        result = state_file_cut(&state->file, (off_t)whole_size);
    }
    free(text);
    return result;
}

enum state_file_result client_state_open(struct client_state *state, const char *path) {
    state->received_count = 0;
    state->saved_count = 0;
    enum state_file_result result = state_file_open(&state->file, path, begins_with_magic);
    if (result != STATE_FILE_OK) {
        return result;
    }
    result = load(state);
    if (result != STATE_FILE_OK && result != STATE_FILE_EMPTY) {
        client_state_close(state);
    }
    return result;
}

enum state_file_result client_state_begin(struct client_state *state, const char *client_id,
                                          uint32_t number_count) {
    char line[CLIENT_STATE_LINE_SIZE_MAX];
    assert(number_count > 0 && number_count <= LIMIT_NUMBER_COUNT_MAX);
    (void)snprintf(state->client_id, sizeof state->client_id, "%s", client_id);
    state->number_count = number_count;
    state->received_count = 0;
    state->saved_count = 0;
    int size = snprintf(line, sizeof line, "%s%s %u\n", magic, client_id, number_count);
    return state_file_replace(&state->file, line, (size_t)size);
}

void client_state_append(struct client_state *state, uint32_t number) {
    assert(state->received_count < state->number_count);
    state->numbers[state->received_count++] = number;
}

enum state_file_result client_state_save(struct client_state *state) {
    char text[LIMIT_PIECE_NUMBER_COUNT * NUMBER_LINE_SIZE_MAX];
    enum state_file_result result = STATE_FILE_OK;
    while (state->saved_count < state->received_count && result == STATE_FILE_OK) {
        size_t size = 0;
        for (int i = 0; i < LIMIT_PIECE_NUMBER_COUNT && state->saved_count < state->received_count;
             i++) {
            size += decimal_write(state->numbers[state->saved_count++], text + size);
            text[size++] = '\n';
        }
        result = state_file_append(&state->file, text, size);
    }
    return result;
}

void client_state_close(struct client_state *state) {
    state_file_close(&state->file);
}
