#include "server/numbers/log/tail_guard.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "server/runtime/os.h"

/* The guard's descriptors: 0, 1 and 2 are /dev/null, and nothing else stays open. */
enum { GUARD_LOG_FD = 3, GUARD_PIPE_FD = 4, GUARD_FD_COUNT = 5 };

/* Lets go of everything that the server opened: its sockets must not outlive it, nor must the pipes
 * that others read its output from. Descriptors are moved about here alone and once, so the seam
 * (os.h) does not know how: a guard that fails at it ends, and has touched nothing. */
static int keep_only(int log_fd, int pipe_fd) {
    /* Both out of the way first, so that neither dup2 closes what the other one needs. */
    int log_copy_fd = fcntl(log_fd, F_DUPFD_CLOEXEC, GUARD_FD_COUNT);
    int pipe_copy_fd = fcntl(pipe_fd, F_DUPFD_CLOEXEC, GUARD_FD_COUNT);
    int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (log_copy_fd < 0 || pipe_copy_fd < 0 || null_fd < 0) {
        return -errno;
    }
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (dup2(null_fd, fd) < 0) {
            return -errno;
        }
    }
    if (dup2(log_copy_fd, GUARD_LOG_FD) < 0 || dup2(pipe_copy_fd, GUARD_PIPE_FD) < 0) {
        return -errno;
    }
    /* Does without close_range(2) where the kernel has none or a sandbox forbids it. */
    closefrom(GUARD_FD_COUNT);
    return 0;
}

static void cut_torn_line(int line_size) {
    off_t size = os_file_size(GUARD_LOG_FD);
    if (size > 0 && size % line_size != 0) {
        (void)os_ftruncate(GUARD_LOG_FD, size - size % line_size);
    }
}

/* The guard's whole life. 0, or a negative errno value if it cannot do its work. */
static int guard(int log_fd, int pipe_fd, int line_size) {
    (void)prctl(PR_SET_NAME, "numbers-guard");
    /* What is sent to the server's process group, kill -9 too, is not meant for the guard. Signals
     * that ask for an end are blocked as they are in the server (signals.h): it decides when it is
     * over. */
    (void)setsid();
    int error = keep_only(log_fd, pipe_fd);
    if (error != 0) {
        return error;
    }
    char mark;
    bool is_armed = false;
    ssize_t size;
    while ((size = os_read(GUARD_PIPE_FD, &mark, sizeof mark)) > 0) {
        is_armed = true;
    }
    /* Only the end of the stream tells that the server is gone. After an error it may be writing
     * still, and must not be cut short. */
    if (is_armed && size == 0) {
        cut_torn_line(line_size);
    }
    return 0;
}

int tail_guard_start(struct tail_guard *guard_process, int log_fd, int line_size) {
    /* Otherwise the pid of a guard that is gone could be a stranger's when it is made use of. */
    if (signal(SIGCHLD, SIG_DFL) == SIG_ERR) {
        return -errno;
    }
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return -errno;
    }
    pid_t pid = os_fork();
    if (pid == 0) {
        (void)os_close(ends[1]);
        _exit(-guard(log_fd, ends[0], line_size));
    }
    (void)os_close(ends[0]);
    if (pid < 0) {
        (void)os_close(ends[1]);
        return pid;
    }
    *guard_process = (struct tail_guard){.pid = pid, .pipe_fd = ends[1]};
    return 0;
}

/* Why a guard is gone already: its exit code is what errno was. */
static int find_reason(const struct tail_guard *guard_process) {
    siginfo_t info = {0};
    /* It stays to be waited for, so that its pid cannot become a stranger's. */
    int result = waitid(P_PID, (id_t)guard_process->pid, &info, WEXITED | WNOWAIT);
    bool is_known = result == 0 && info.si_code == CLD_EXITED && info.si_status != 0;
    return is_known ? -info.si_status : -EPIPE;
}

int tail_guard_arm(const struct tail_guard *guard_process) {
    ssize_t size = os_write(guard_process->pipe_fd, "a", 1);
    if (size == -EPIPE) {
        return find_reason(guard_process);
    }
    return size < 0 ? (int)size : 0;
}

void tail_guard_finish(struct tail_guard *guard_process) {
    (void)os_close(guard_process->pipe_fd);
    /* Somebody may have stopped it: then it would never end. */
    (void)kill(guard_process->pid, SIGCONT);
    while (waitpid(guard_process->pid, NULL, 0) < 0 && errno == EINTR) {
    }
}
