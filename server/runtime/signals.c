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

/* Blocks the signals in this thread and those it creates, and lets them arrive at the descriptor;
 * -1: at a new one. */
static int receive(int signal_fd, const sigset_t *signals) {
    int error = pthread_sigmask(SIG_BLOCK, signals, NULL);
    if (error != 0) {
        return -error;
    }
    int fd = signalfd(signal_fd, signals, SFD_CLOEXEC | SFD_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

static void add_shutdown_signals(sigset_t *signals) {
    (void)sigaddset(signals, SIGTERM);
    (void)sigaddset(signals, SIGINT);
    (void)sigaddset(signals, SIGQUIT);
    /* Blocked signals are kept even where they are ignored, so it must not be among them. */
    if (!is_ignored(SIGHUP)) {
        (void)sigaddset(signals, SIGHUP);
    }
}

int signals_open(void) {
    sigset_t shutdown_signals;
    (void)sigemptyset(&shutdown_signals);
    add_shutdown_signals(&shutdown_signals);
    const int ignored_signals[] = {SIGPIPE, SIGXFSZ, SIGUSR1, SIGUSR2};
    for (size_t index = 0; index < sizeof ignored_signals / sizeof ignored_signals[0]; index++) {
        if (signal(ignored_signals[index], SIG_IGN) == SIG_ERR) {
            return -errno;
        }
    }
    return receive(-1, &shutdown_signals);
}

int signals_add(int signal_fd, int signal_number) {
    sigset_t signals;
    (void)sigemptyset(&signals);
    add_shutdown_signals(&signals);
    (void)sigaddset(&signals, signal_number);
    int fd = receive(signal_fd, &signals);
    return fd < 0 ? fd : 0;
}

int signals_next(int signal_fd) {
    struct signalfd_siginfo info;
    ssize_t size = os_read(signal_fd, &info, sizeof info);
    if (size < 0) {
        return size == -EAGAIN ? 0 : (int)size;
    }
    return size == (ssize_t)sizeof info ? (int)info.ssi_signo : 0;
}
