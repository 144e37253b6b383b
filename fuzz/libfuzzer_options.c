/* Linked into the fuzz binaries beside libFuzzer: puts what it finds where the command was typed,
 * instead of the folder deep in bazel's output in which `bazel run` starts programs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/fuzz_target.h"

int LLVMFuzzerInitialize(int *argument_count, char ***arguments) {
    static char prefix[4096 + 32];
    const char *directory = getenv("BUILD_WORKING_DIRECTORY");
    if (directory == NULL) {
        return 0;
    }
    const size_t count = (size_t)*argument_count;
    char **extended = calloc(count + 2, sizeof *extended);
    if (extended == NULL ||
        snprintf(prefix, sizeof prefix, "-artifact_prefix=%s/", directory) >= (int)sizeof prefix) {
        free(extended);
        return 0;
    }
    /* First, so that the user's own -artifact_prefix comes later and wins. */
    extended[0] = (*arguments)[0];
    extended[1] = prefix;
    memcpy(extended + 2, *arguments + 1, (count - 1) * sizeof *extended);
    *arguments = extended;
    *argument_count += 1;
    return 0;
}
