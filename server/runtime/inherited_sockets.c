#include "server/runtime/inherited_sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/runtime/decimal_text.h"
#include "server/runtime/os.h"

/* Whether the name at the front of the list is the wanted one. Moves *names to the next one, and to
 * NULL behind the last. */
static bool take_name(const char **names, const char *wanted) {
    size_t length = strcspn(*names, ":");
    bool is_wanted =
        wanted == NULL || (strlen(wanted) == length && strncmp(*names, wanted, length) == 0);
    *names = (*names)[length] == ':' ? *names + length + 1 : NULL;
    return is_wanted;
}

int inherited_sockets_find(const struct inherited_variables *variables, pid_t process,
                           const char *name, int *fds) {
    uint64_t meant_process;
    uint64_t count;
    int found_count = 0;
    if (variables->process == NULL || variables->count == NULL) {
        return 0;
    }
    if (!decimal_text_read(variables->process, INT32_MAX, &meant_process)) {
        return -EINVAL;
    }
    if (meant_process != (uint64_t)process) {
        return 0;
    }
    if (!decimal_text_read(variables->count, INHERITED_COUNT_MAX, &count) ||
        (name != NULL && variables->names == NULL && count > 0)) {
        return -EINVAL;
    }
    const char *names = variables->names;
    for (int index = 0; index < (int)count; index++) {
        if (variables->names != NULL && names == NULL) {
            return -EINVAL; /* fewer names than sockets */
        }
        if (names == NULL || take_name(&names, name)) {
            fds[found_count++] = INHERITED_FIRST_FD + index;
        }
    }
    return names == NULL || count == 0 ? found_count : -EINVAL;
}

/* 0, or a negative errno value unless the descriptor is a TCP socket that listens. */
static int check_socket(int fd) {
    int is_listening = 0;
    socklen_t size = sizeof is_listening;
    struct sockaddr_storage address;
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &size) != 0) {
        return -errno;
    }
    size = sizeof address;
    if (getsockname(fd, (struct sockaddr *)&address, &size) != 0) {
        return -errno;
    }
    bool is_internet = address.ss_family == AF_INET || address.ss_family == AF_INET6;
    return is_listening != 0 && is_internet ? 0 : -EINVAL;
}

/* A copy to listen at, set up as listener_open sets its own up; or a negative errno value. */
static int copy_socket(int fd) {
    static const int on = 1;
    int error = check_socket(fd);
    if (error != 0) {
        return error;
    }
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (copy < 0) {
        return -errno;
    }
    /* The marks of the open file are the original's, too; the original goes to no child either. */
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 || fcntl(copy, F_SETFL, O_NONBLOCK) != 0 ||
        setsockopt(copy, SOL_SOCKET, SO_OOBINLINE, &on, sizeof on) != 0) {
        error = -errno;
        (void)os_close(copy);
        return error;
    }
    return copy;
}

int inherited_sockets_listen(struct listener *listener, const char *name,
                             const struct logger *logger) {
    const struct inherited_variables variables = {.process = getenv("LISTEN_PID"),
                                                  .count = getenv("LISTEN_FDS"),
                                                  .names = getenv("LISTEN_FDNAMES")};
    int fds[INHERITED_COUNT_MAX];
    int count = inherited_sockets_find(&variables, getpid(), name, fds);
    int error = count > LISTENER_CAPACITY ? -ENOSPC : count < 0 ? count : 0;
    listener->count = 0;
    listener->is_inherited = true;
    for (int index = 0; error == 0 && index < count; index++) {
        int fd = copy_socket(fds[index]);
        if (fd < 0) {
            error = fd;
        } else {
            listener->fds[listener->count++] = fd;
        }
    }
    if (error != 0) {
        logger_print(logger, LOG_LEVEL_ERROR,
                     "cannot use the sockets that the service manager has opened: %s",
                     strerror(-error));
        listener_close(listener);
        return error;
    }
    return count;
}
