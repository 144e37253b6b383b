#include "bench/numbers/load_process.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "server/runtime/os.h"

/* What the child tells: smaller than PIPE_BUF, so it is written and read in one piece. */
struct report {
    enum load_client_status status;
    struct load_client_result result;
    double cpu_seconds;
};

static double own_cpu_seconds(void) {
    struct timespec used;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

static void run_child(pid_t parent, const struct load_client_options *options, int report_fd) {
    struct report report = {.status = LOAD_CLIENT_NO_MEMORY};
    process_die_with_parent(parent);
    report.status = load_client_run(options, &report.result);
    report.cpu_seconds = own_cpu_seconds();
    ssize_t written = write(report_fd, &report, sizeof report);
    _exit(written == (ssize_t)sizeof report ? EXIT_SUCCESS : EXIT_FAILURE);
}

/* Waits for the child's report and meanwhile empties the server's messages. */
static bool await_report(int report_fd, struct server_process *server, int64_t deadline_ms,
                         struct report *report) {
    struct pollfd pollfds[2] = {{.fd = report_fd, .events = POLLIN},
                                {.fd = server->error_fd, .events = POLLIN}};
    for (;;) {
        int64_t left_ms = deadline_ms - os_now_ms();
        int ready = left_ms <= 0 ? 0 : poll(pollfds, 2, (int)left_ms);
        if (ready == 0) {
            (void)fputs("the run took too long and was ended\n", stderr);
            return false;
        }
        if (ready < 0 && errno != EINTR) {
            perror("poll");
            return false;
        }
        if (ready > 0 && pollfds[1].revents != 0 && !server_process_read_messages(server)) {
            pollfds[1].fd = -1;
        }
        if (ready > 0 && pollfds[0].revents != 0) {
            return read(report_fd, report, sizeof *report) == (ssize_t)sizeof *report;
        }
    }
}

static bool judge(const struct report *report, uint32_t connection_count) {
    const struct load_client_result *result = &report->result;
    if (report->status != LOAD_CLIENT_DONE) {
        (void)fprintf(stderr, "the load client failed (status %d)\n", (int)report->status);
        return false;
    }
    if (result->confirmed_count == connection_count) {
        return true;
    }
    (void)fprintf(stderr,
                  "connections: %u confirmed, %u refused, %u reset, %u timed out: last error: %s\n",
                  result->confirmed_count, result->refused_count, result->reset_count,
                  result->timed_out_count, strerror(result->last_error));
    return false;
}

bool load_process_run(const struct load_client_options *options, struct server_process *server,
                      unsigned limit_seconds, struct load_measurement *measurement) {
    struct load_client_options child_options = *options;
    struct report report;
    int report_pipe[2];
    pid_t parent = getpid();
    child_options.port = server->port;
    if (pipe(report_pipe) != 0) {
        perror("pipe");
        return false;
    }
    struct stage_usage usage_before = stage_usage_read(server->pid);
    double server_cpu_before = server_process_cpu_seconds(server);
    int64_t deadline_ms = os_now_ms() + (int64_t)limit_seconds * 1000;
    pid_t pid = fork();
    if (pid == 0) {
        run_child(parent, &child_options, report_pipe[1]);
    }
    (void)close(report_pipe[1]);
    bool good = pid > 0 && await_report(report_pipe[0], server, deadline_ms, &report);
    double server_cpu_after = server_process_cpu_seconds(server);
    struct stage_usage usage = stage_usage_read(server->pid);
    for (int stage = 0; stage < STAGE_KIND_COUNT; stage++) {
        usage.cpu_seconds[stage] -= usage_before.cpu_seconds[stage];
    }
    (void)close(report_pipe[0]);
    if (pid < 0) {
        perror("fork");
        return false;
    }
    if (!good) {
        (void)kill(pid, SIGKILL);
    }
    (void)waitpid(pid, NULL, 0);
    if (!good || !judge(&report, options->source.cursor_count)) {
        return false;
    }
    *measurement = (struct load_measurement){report.result, report.cpu_seconds,
                                             server_cpu_after - server_cpu_before, usage};
    return true;
}
