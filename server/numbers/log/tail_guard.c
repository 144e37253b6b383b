#include "server/numbers/log/tail_guard.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "server/numbers/log/log_tail.h"
#include "server/runtime/os.h"

/* The guard's descriptors: 0, 1 and 2 are /dev/null, and nothing else stays open. */
enum { GUARD_LOG_FD = 3, GUARD_SOCKET_FD = 4, GUARD_FD_COUNT = 5 };

enum {
    /* How often a cut that a full disk prevents is tried again. */
    FULL_DISK_RETRY_MS = 100,

    /* How long the server waits for the guard's end before it leaves it to itself. */
    FINISH_PATIENCE_MS = 1000,
};

/* What the server tells the guard, a byte each. MESSAGE_FOLLOW brings the new file along. */
enum { MESSAGE_ARM = 'a', MESSAGE_FOLLOW = 'f', MESSAGE_LET_GO = 'l' };

/* Lets go of everything that the server opened: its sockets must not outlive it, nor must the pipes
 * that others read its output from. Descriptors are moved about here alone and once, so the seam
 * (os.h) does not know how: a guard that fails at it ends, and has touched nothing. */
static int keep_only(int log_fd, int socket_fd) {
    /* Both out of the way first, so that neither dup2 closes what the other one needs. */
    int log_copy_fd = fcntl(log_fd, F_DUPFD_CLOEXEC, GUARD_FD_COUNT);
    int socket_copy_fd = fcntl(socket_fd, F_DUPFD_CLOEXEC, GUARD_FD_COUNT);
    int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (log_copy_fd < 0 || socket_copy_fd < 0 || null_fd < 0) {
        return -errno;
    }
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (dup2(null_fd, fd) < 0) {
            return -errno;
        }
    }
    if (dup2(log_copy_fd, GUARD_LOG_FD) < 0 || dup2(socket_copy_fd, GUARD_SOCKET_FD) < 0) {
        return -errno;
    }
    /* Does without close_range(2) where the kernel has none or a sandbox forbids it. */
    closefrom(GUARD_FD_COUNT);
    return 0;
}

/* Waits out a full disk: whatever stands behind the last newline must not stay there. */
static void cut_torn_line(int fd) {
    while (log_tail_is_disk_full(log_tail_cut(fd))) {
        (void)os_poll(NULL, 0, FULL_DISK_RETRY_MS);
    }
}

/* What the guard looks after. */
struct watched {
    bool is_armed;
    int log_fd;
    int new_log_fd; /* while the log is being opened anew; -1: it is not */
};

static void let_go(struct watched *watched) {
    if (watched->new_log_fd >= 0) {
        (void)os_close(watched->log_fd);
        watched->log_fd = watched->new_log_fd;
        watched->new_log_fd = -1;
    }
}

/* Does what the server says, until it is gone. Only the end of the stream tells that it is: after
 * an error it may be writing still, and must not be cut short. */
static bool obey(struct watched *watched) {
    char message;
    int fd;
    ssize_t size;
    while ((size = os_receive_descriptor(GUARD_SOCKET_FD, &message, sizeof message, &fd)) > 0) {
        if (message == MESSAGE_ARM) {
            watched->is_armed = true;
        } else {
            let_go(watched);
        }
        if (fd >= 0) {
            watched->new_log_fd = fd;
        }
    }
    return size == 0;
}

/* The guard's whole life. 0, or a negative errno value if it cannot do its work. */
static int guard(int log_fd, int socket_fd) {
    (void)prctl(PR_SET_NAME, TAIL_GUARD_NAME);
    /* What is sent to the server's process group, kill -9 too, is not meant for the guard. Signals
     * that ask for an end are blocked as they are in the server (signals.h): it decides when it is
     * over. */
    (void)setsid();
    int error = keep_only(log_fd, socket_fd);
    /* Where that failed, the socket still has its old number, if it has one. */
    ssize_t sent_size = os_send(error == 0 ? GUARD_SOCKET_FD : socket_fd, &error, sizeof error);
    if (error != 0 || sent_size < 0) {
        return error != 0 ? error : (int)sent_size;
    }
    struct watched watched = {.log_fd = GUARD_LOG_FD, .new_log_fd = -1};
    if (obey(&watched) && watched.is_armed) {
        cut_torn_line(watched.log_fd);
        if (watched.new_log_fd >= 0) {
            cut_torn_line(watched.new_log_fd);
        }
    }
    return 0;
}

/* Whether the guard can do its work: 0, or a negative errno value. */
static int wait_until_ready(int socket_fd) {
    int error;
    ssize_t size = os_recv(socket_fd, &error, sizeof error);
    if (size < 0) {
        return (int)size;
    }
    return size == (ssize_t)sizeof error ? error : -EPIPE;
}

int tail_guard_start(struct tail_guard *guard_process, int log_fd) {
    /* Otherwise the pid of a guard that is gone could be a stranger's when it is made use of. */
    if (signal(SIGCHLD, SIG_DFL) == SIG_ERR) {
        return -errno;
    }
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
        return -errno;
    }
    pid_t pid = os_fork();
    if (pid == 0) {
        (void)os_close(ends[1]);
        _exit(-guard(log_fd, ends[0]));
    }
    (void)os_close(ends[0]);
    if (pid < 0) {
        (void)os_close(ends[1]);
        return pid;
    }
    *guard_process = (struct tail_guard){.pid = pid, .socket_fd = ends[1]};
    int error = wait_until_ready(ends[1]);
    if (error != 0) {
        (void)tail_guard_finish(guard_process);
    }
    return error;
}

static void tell(const struct tail_guard *guard_process, char message) {
    /* A guard that cannot be told any more shows at the socket, which is watched. */
    (void)os_send(guard_process->socket_fd, &message, sizeof message);
}

void tail_guard_arm(const struct tail_guard *guard_process) {
    tell(guard_process, MESSAGE_ARM);
}

int tail_guard_follow(const struct tail_guard *guard_process, int new_log_fd) {
    const char message = MESSAGE_FOLLOW;
    ssize_t size =
        os_send_descriptor(guard_process->socket_fd, &message, sizeof message, new_log_fd);
    return size < 0 ? (int)size : 0;
}

void tail_guard_let_go(const struct tail_guard *guard_process) {
    tell(guard_process, MESSAGE_LET_GO);
}

/* Whether the guard has let go of its end within the time that it takes if it does not have to wait
 * for the disk. */
static bool has_ended(const struct tail_guard *guard_process) {
    struct pollfd polled = {.fd = guard_process->socket_fd, .events = POLLIN};
    int64_t deadline_ms = os_now_ms() + FINISH_PATIENCE_MS;
    int64_t left_ms;
    while ((left_ms = deadline_ms - os_now_ms()) > 0) {
        int fired_count = os_poll(&polled, 1, (int)left_ms);
        if (fired_count < 0 || (polled.revents & POLLHUP) != 0) {
            return fired_count > 0;
        }
    }
    return false;
}

bool tail_guard_finish(struct tail_guard *guard_process) {
    (void)shutdown(guard_process->socket_fd, SHUT_WR);
    /* Somebody may have stopped it: then it would never end. */
    (void)kill(guard_process->pid, SIGCONT);
    bool is_done = has_ended(guard_process);
    (void)os_close(guard_process->socket_fd);
    while (is_done && waitpid(guard_process->pid, NULL, 0) < 0 && errno == EINTR) {
    }
    return is_done;
}
