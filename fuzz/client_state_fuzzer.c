/* The state file of the sequence client, as anybody may have left it.
 *
 * Input: the file. What is no state file must be left alone; what is one must load, with numbers
 * that can be, and once more to the same.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzz/fuzz_target.h"
#include "server/sequence/client_state.h"

enum { PATH_CAPACITY = 64 };

static struct client_state state;
static struct client_state again;

static void check(bool is_true, const char *what) {
    if (!is_true) {
        (void)fprintf(stderr, "client state: %s\n", what);
        abort();
    }
}

static void write_file(const char *path, const uint8_t *data, size_t size) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    check(fd >= 0 && write(fd, data, size) == (ssize_t)size && close(fd) == 0, "write");
}

/* Whether the file begins with these bytes and ends behind them, or later. */
static bool has_content(const char *path, const uint8_t *data, size_t size) {
    char *content = malloc(size + 1);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    check(fd >= 0 && content != NULL, "read");
    ssize_t read_size = read(fd, content, size + 1);
    bool is_same = read_size == (ssize_t)size && memcmp(content, data, size) == 0;
    free(content);
    (void)close(fd);
    return is_same;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char path[PATH_CAPACITY];
    (void)snprintf(path, sizeof path, "/tmp/client_state_fuzzer.%ld", (long)getpid());
    write_file(path, data, size);
    enum state_file_result result = client_state_open(&state, path);
    if (result == STATE_FILE_OK) {
        result = client_state_load(&state);
        client_state_close(&state);
    }
    if (result == STATE_FILE_OK) {
        check(client_state_open(&again, path) == STATE_FILE_OK &&
                  client_state_load(&again) == STATE_FILE_OK,
              "it does not load once more");
        client_state_close(&again);
        check(state.received_count <= state.number_count &&
                  again.received_count == state.received_count &&
                  memcmp(again.numbers, state.numbers, state.received_count) == 0,
              "something else was loaded");
        for (uint32_t i = 0; i < state.received_count; i++) {
            check(state.numbers[i] <= PROTOCOL_NUMBER_MAX, "a number that cannot be");
        }
    } else {
        check(result == STATE_FILE_FOREIGN || result == STATE_FILE_EMPTY, "an error");
        check(has_content(path, data, size), "a file that is none was touched");
    }
    (void)unlink(path);
    return 0;
}
