/*
 * A CPU profile of the whole process, by the profiler of gperftools.
 *
 * The library is loaded when a profile is asked for, and is no part of the process otherwise. It
 * brings libunwind, which opens a pipe as soon as it is loaded. Linked to the program, it would do
 * so before main(), and where a standard stream is closed the pipe would get the stream's number.
 *
 * The profiler ends the process when it cannot write. So it writes to a pipe, from which a thread
 * of ours takes everything into memory, and the user's file is written when the run is over: until
 * then it stays as it was.
 *
 * Ownership: the library stays loaded until the process ends. Threading: main thread;
 * profile_start after the standard streams are open (startup.h) and before any other thread exists.
 */
#ifndef SERVER_RUNTIME_PROFILE_H_
#define SERVER_RUNTIME_PROFILE_H_

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

#include "server/runtime/exit_code.h"
#include "server/runtime/logger.h"

struct ProfilerOptions;

struct profile {
    /* The profiler's. */
    int (*start)(const char *path, const struct ProfilerOptions *options);
    void (*stop)(void);
    const char *path;
    int fd; /* the file at path */
    int pipe_fds[2];
    pthread_t collector;
    char *bytes; /* what the profiler has written, so far */
    _Atomic size_t size;
};

/*
 * Opens the file at path, a regular file or a device, and begins to profile. The profile stays in
 * place until profile_stop: the profiler's signal handler looks into it.
 *
 * EXIT_CODE_USAGE, with the reason printed: the file is the one that is open at log_fd, or standard
 * output or standard error goes there. EXIT_CODE_START_FAILURE: there is no profiler, no such file,
 * or somebody else has locked it.
 */
enum exit_code profile_start(struct profile *profile, const char *path, int log_fd,
                             const struct logger *logger);

/* Ends the profiling and writes the profile to its file. Where that fails the reason is printed:
 * the run that it is about is no worse for it. */
void profile_stop(struct profile *profile, const struct logger *logger);

#endif /* SERVER_RUNTIME_PROFILE_H_ */
