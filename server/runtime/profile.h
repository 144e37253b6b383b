/*
 * A CPU profile of the whole process, by the profiler of gperftools.
 *
 * The library is loaded when a profile is asked for, and is no part of the process otherwise. It
 * brings libunwind, which opens a pipe as soon as it is loaded. Linked to the program, it would do
 * so before main(), and where a standard stream is closed the pipe would get the stream's number.
 *
 * Ownership: the library stays loaded until the process ends. Threading: main thread;
 * profile_start after the standard streams are open (startup.h) and before any other thread exists.
 */
#ifndef SERVER_RUNTIME_PROFILE_H_
#define SERVER_RUNTIME_PROFILE_H_

#include <stdbool.h>

#include "server/runtime/logger.h"

#ifdef __cplusplus
extern "C" {
#endif

struct profile {
    void (*stop)(void);
};

/* Begins to write a profile to the file at path. False, with the reason printed, where there is no
 * profiler or no such file. */
bool profile_start(struct profile *profile, const char *path, const struct logger *logger);

/* Completes the file. */
void profile_stop(const struct profile *profile);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RUNTIME_PROFILE_H_ */
