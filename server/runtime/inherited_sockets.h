/*
 * Listening sockets that the program which started the daemon has opened for it: socket activation,
 * as sd_listen_fds(3) describes it. The descriptors begin with 3; LISTEN_FDS says how many there
 * are, LISTEN_PID whom they are for, LISTEN_FDNAMES what each is called.
 *
 * Ownership: the descriptors stay open as long as the process; what is listened at is a copy of
 * each, so that a daemon can stop to listen and begin again. Threading: main thread.
 */
#ifndef SERVER_RUNTIME_INHERITED_SOCKETS_H_
#define SERVER_RUNTIME_INHERITED_SOCKETS_H_

#include <sys/types.h>

#include "server/runtime/listener.h"
#include "server/runtime/logger.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    INHERITED_FIRST_FD = 3,
    INHERITED_COUNT_MAX = 64,
};

/* The variables; NULL: not set. */
struct inherited_variables {
    const char *process;
    const char *count;
    const char *names;
};

/* Finds the sockets called `name` (NULL: all of them) among those that the variables tell of, for
 * the process of that id. fds receives INHERITED_COUNT_MAX descriptors at most. Returns how many,
 * 0 also where the variables are for another process, or -EINVAL if they make no sense. Pure. */
int inherited_sockets_find(const struct inherited_variables *variables, pid_t process,
                           const char *name, int *fds);

/* Listens at the sockets called `name` (NULL: all). Returns how many there are; 0: none, so that
 * the daemon has to open its own; or a negative errno value with nothing left open and the reason
 * printed: a socket that cannot be used is no reason to listen somewhere else. */
int inherited_sockets_listen(struct listener *listener, const char *name,
                             const struct logger *logger);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RUNTIME_INHERITED_SOCKETS_H_ */
