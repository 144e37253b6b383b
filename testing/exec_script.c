/* Becomes the program argv[1] with the arguments behind it: how a cc_test runs a shell script. Old
 * and new versions of Bazel share no way to declare an sh_test without a dependency for it. */
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv) {
    if (argc < 2) {
        fprintf(stderr, "usage: %s PROGRAM [ARGUMENT...]\n", argv[0]);
        return 2;
    }
    execv(argv[1], argv + 1);
    perror(argv[1]);
    return 1;
}
