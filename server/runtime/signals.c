#include "server/runtime/signals.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/signalfd.h>

#include "server/runtime/os.h"

static bool is_ignored(int signal_number) {
    struct sigaction action;
    return sigaction(signal_number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

int signals_open(void) {
    sigset_t shutdown_signals;
    (void)sigemptyset(&shutdown_signals);
    (void)sigaddset(&shutdown_signals, SIGTERM);
    (void)sigaddset(&shutdown_signals, SIGINT);
    /* Blocked signals are kept even where they are ignored, so it must not be among them. */
    if (!is_ignored(SIGHUP)) {
        (void)sigaddset(&shutdown_signals, SIGHUP);
    }
    int error = pthread_sigmask(SIG_BLOCK, &shutdown_signals, NULL);
    if (error != 0) {
        return -error;
    }
    if (signal(SIGPIPE, SIG_IGN) == SIG_ERR || signal(SIGXFSZ, SIG_IGN) == SIG_ERR) {
        return -errno;
    }
    int fd = signalfd(-1, &shutdown_signals, SFD_CLOEXEC | SFD_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

int signals_next(int signal_fd) {
    struct signalfd_siginfo info;
    ssize_t size = os_read(signal_fd, &info, sizeof info);
    if (size < 0) {
        return size == -EAGAIN ? 0 : (int)size;
    }
    return size == (ssize_t)sizeof info ? (int)info.ssi_signo : 0;
}
