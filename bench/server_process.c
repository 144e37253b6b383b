#include "bench/server_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "server/runtime/os.h"

enum { START_LIMIT_MS = 10000 };

void process_die_with_parent(pid_t parent) {
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    /* The parent may have died between fork and prctl. */
    if (getppid() != parent) {
        _exit(EXIT_FAILURE);
    }
}

/* The child's side of the fork: becomes the server. */
static void run_server(pid_t parent, char *const *arguments, int output_fd, int error_fd) {
    process_die_with_parent(parent);
    int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null_fd < 0 || dup2(null_fd, STDIN_FILENO) < 0 ||
        dup2(output_fd < 0 ? null_fd : output_fd, STDOUT_FILENO) < 0 ||
        dup2(error_fd, STDERR_FILENO) < 0) {
        _exit(127);
    }
    (void)execv(arguments[0], arguments);
    (void)fprintf(stderr, "%s: %s\n", arguments[0], strerror(errno));
    _exit(127);
}

bool server_process_read_messages(struct server_process *server) {
    for (;;) {
        /* Of more text than fits, the later half is what tells how it ended. */
        if (server->messages_size == SERVER_PROCESS_MESSAGES_CAPACITY - 1) {
            size_t half = SERVER_PROCESS_MESSAGES_CAPACITY / 2;
            server->messages_size -= half;
            memmove(server->messages, server->messages + half, server->messages_size);
        }
        ssize_t got = read(server->error_fd, server->messages + server->messages_size,
                           SERVER_PROCESS_MESSAGES_CAPACITY - 1 - server->messages_size);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return got < 0 && errno == EAGAIN;
        }
        server->messages_size += (size_t)got;
        server->messages[server->messages_size] = '\0';
    }
}

/* Waits for more messages until the clock reaches deadline_ms. Returns false when there are none:
 * the time is over or the server has ended. */
static bool await_messages(struct server_process *server, int64_t deadline_ms) {
    for (;;) {
        int64_t left_ms = deadline_ms - os_now_ms();
        struct pollfd readable = {.fd = server->error_fd, .events = POLLIN};
        if (left_ms <= 0) {
            return false;
        }
        int ready = poll(&readable, 1, (int)left_ms);
        if (ready > 0) {
            return server_process_read_messages(server);
        }
        if (ready < 0 && errno != EINTR) {
            return false;
        }
    }
}

/* Finds the port in "... listening on ADDRESS:PORT\n". Returns 0 when the line is not there yet. */
static uint16_t find_port(const char *messages) {
    const char *found = strstr(messages, "listening on ");
    const char *line_end = found == NULL ? NULL : strchr(found, '\n');
    if (line_end == NULL) {
        return 0;
    }
    const char *digits = line_end;
    while (digits > found && digits[-1] != ':') {
        digits--;
    }
    unsigned long port = strtoul(digits, NULL, 10);
    return port > 65535 ? 0 : (uint16_t)port;
}

static void close_server(struct server_process *server) {
    (void)close(server->error_fd);
    server->error_fd = -1;
    server->pid = 0;
}

bool server_process_start(struct server_process *server, char *const *arguments, int output_fd) {
    int error_pipe[2];
    pid_t parent = getpid();
    int64_t deadline_ms = os_now_ms() + START_LIMIT_MS;
    *server = (struct server_process){.error_fd = -1};
    if (pipe2(error_pipe, O_CLOEXEC) != 0) {
        perror("pipe");
        return false;
    }
    server->pid = fork();
    if (server->pid == 0) {
        run_server(parent, arguments, output_fd, error_pipe[1]);
    }
    (void)close(error_pipe[1]);
    server->error_fd = error_pipe[0];
    if (server->pid < 0) {
        perror("fork");
        close_server(server);
        return false;
    }
    if (fcntl(server->error_fd, F_SETFL, O_NONBLOCK) != 0) {
        perror("fcntl");
    }

    bool running = true;
    while (server->port == 0 && running) {
        running = await_messages(server, deadline_ms);
        server->port = find_port(server->messages);
    }
    if (server->port != 0) {
        return true;
    }
    (void)fprintf(stderr, "%s did not start to listen:\n%s", arguments[0], server->messages);
    (void)kill(server->pid, SIGKILL);
    (void)waitpid(server->pid, NULL, 0);
    close_server(server);
    return false;
}

double server_process_cpu_seconds(const struct server_process *server) {
    clockid_t clock;
    struct timespec used;
    if (clock_getcpuclockid(server->pid, &clock) != 0 || clock_gettime(clock, &used) != 0) {
        return 0;
    }
    return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

bool server_process_stop(struct server_process *server, unsigned limit_seconds) {
    int64_t deadline_ms = os_now_ms() + (int64_t)limit_seconds * 1000;
    int status = 0;
    if (server->pid == 0) {
        return false;
    }
    (void)kill(server->pid, SIGTERM);
    while (await_messages(server, deadline_ms)) {
    }
    bool late = os_now_ms() >= deadline_ms;
    if (late) {
        (void)kill(server->pid, SIGKILL);
    }
    (void)waitpid(server->pid, &status, 0);
    bool good = !late && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (late) {
        (void)fprintf(stderr, "the server did not end within %u s of SIGTERM and was killed\n",
                      limit_seconds);
    } else if (WIFSIGNALED(status)) {
        (void)fprintf(stderr, "the server was ended by signal %d\n", WTERMSIG(status));
    } else if (!good) {
        (void)fprintf(stderr, "the server ended with exit code %d\n", WEXITSTATUS(status));
    }
    if (!good) {
        (void)fputs(server->messages, stderr);
    }
    close_server(server);
    return good;
}
