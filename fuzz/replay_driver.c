/*
 * Runs a fuzz target over inputs from files: what replaces libFuzzer where it is not linked.
 *
 * Usage: TARGET PATH... with files, and directories whose files are taken. Exit code 0 when all
 * inputs were replayed, 1 when there were none or one could not be read. A find ends the process,
 * the last name printed being the input's.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz/fuzz_target.h"

/* Reads size bytes into an allocation of just that size, so that AddressSanitizer sees a read
 * beyond the input. Returns NULL with errno set. */
static uint8_t *read_input(const char *path, size_t size) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return NULL;
    }
    uint8_t *data = malloc(size > 0 ? size : 1);
    if (data != NULL && fread(data, 1, size, file) != size) {
        free(data);
        data = NULL;
        errno = EIO;
    }
    fclose(file);
    return data;
}

static int replay_file(const char *path, size_t size) {
    uint8_t *data = read_input(path, size);
    if (data == NULL) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return -1;
    }
    printf("%s\n", path);
    fflush(stdout);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
    return 0;
}

/* Replays a file, or the files of a directory. Adds to count; returns -1 after a failure. */
static int replay_path(const char *path, size_t *count) {
    struct stat status;
    if (stat(path, &status) != 0) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return -1;
    }
    if (!S_ISDIR(status.st_mode)) {
        *count += 1;
        return replay_file(path, (size_t)status.st_size);
    }
    struct dirent **entries;
    const int entry_count = scandir(path, &entries, NULL, alphasort);
    int result = entry_count < 0 ? -1 : 0;
    for (int i = 0; i < entry_count; i++) {
        char entry_path[4096];
        snprintf(entry_path, sizeof entry_path, "%s/%s", path, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.' && replay_path(entry_path, count) != 0) {
            result = -1;
        }
        free(entries[i]);
    }
    if (entry_count >= 0) {
        free(entries);
    }
    return result;
}

/* Targets without a set-up do not define it. */
__attribute__((weak)) int LLVMFuzzerInitialize(int *argument_count, char ***arguments);

int main(int argc, char **argv) {
    size_t count = 0;
    int result = 0;
    /* Under `bazel run` the paths mean what they meant where the command was typed. */
    const char *directory = getenv("BUILD_WORKING_DIRECTORY");
    if (directory != NULL && chdir(directory) != 0) {
        fprintf(stderr, "%s: %s\n", directory, strerror(errno));
        return 1;
    }
    if (LLVMFuzzerInitialize != NULL) {
        LLVMFuzzerInitialize(&argc, &argv);
    }
    for (int i = 1; i < argc; i++) {
        if (argv[i][0] == '-') {
            fprintf(stderr, "%s: this build replays inputs; build with --config=fuzz to fuzz\n",
                    argv[i]);
        } else if (replay_path(argv[i], &count) != 0) {
            result = 1;
        }
    }
    printf("%zu inputs replayed\n", count);
    return count > 0 ? result : 1;
}
