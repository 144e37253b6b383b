/*
 * Values of command line options, shared by the programs of this folder.
 *
 * Threading: option_read_number writes to standard error and has no state of its own.
 */
#ifndef BENCH_OPTION_VALUES_H_
#define BENCH_OPTION_VALUES_H_

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The exit code of a command line that cannot be understood. */
#define EXIT_USAGE 2

/*
 * Reads a whole decimal number from minimum to maximum. On any other text it says so in one line on
 * standard error, naming the program and the option, leaves *value alone and returns false.
 */
bool option_read_number(const char *program, const char *option, const char *text, uint64_t minimum,
                        uint64_t maximum, uint64_t *value);

/*
 * Goes to the directory that the user is in: `bazel run` starts programs in another one. Without
 * effect outside `bazel run`. A failure leaves the directory as it is, with a message.
 */
void option_enter_user_directory(void);

#ifdef __cplusplus
}
#endif

#endif /* BENCH_OPTION_VALUES_H_ */
