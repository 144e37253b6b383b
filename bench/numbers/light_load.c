/*
 * Purpose: what the numbers server costs when little is asked of it. Measures the CPU time of a
 * server without work, and then, with one client that sends a lone number now and then, how long
 * each takes from the send to the log file, and the CPU time of that.
 *
 * Threading: one thread; the server is a child process.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/built_program.h"
#include "bench/numbers/load_connect.h"
#include "bench/series.h"
#include "bench/server_process.h"
#include "bench/numbers/stage_usage.h"
#include "server/runtime/exit_code.h"
#include "server/runtime/options.h"
#include "server/runtime/os.h"

enum {
    PATH_CAPACITY = 4096,
    LINE_SIZE = 10,
    STOP_LIMIT_SECONDS = 10,
    /* How long a number is waited for: much longer than any promise. */
    ARRIVAL_LIMIT_MS = 5000,
};

struct settings {
    const char *server_path; /* NULL: the one built beside this program */
    const char *directory;
    int64_t idle_seconds;
    int64_t number_count;
    int64_t pause_ms; /* between two numbers */
};

static enum options_outcome read_options(struct settings *settings, int argc, char **argv) {
    const struct option_spec specs[] = {
        {"idle", "SECONDS", "how long to watch a server without work", OPTION_INTEGER,
         &settings->idle_seconds, 1, 3600, NULL},
        {"count", "NUMBER", "lone numbers to send", OPTION_INTEGER, &settings->number_count, 1,
         SERIES_CAPACITY, NULL},
        {"pause", "MILLISECONDS", "from one number to the next", OPTION_INTEGER,
         &settings->pause_ms, 1, 60000, NULL},
        {"memory-dir", "DIRECTORY", "where the log goes", OPTION_TEXT, &settings->directory, 0, 0,
         NULL},
        {"server", "FILE", "the server under test instead of the one built here", OPTION_TEXT,
         &settings->server_path, 0, 0, NULL},
    };
    const struct options options = {
        .program = "light_load",
        .summary = "Measures what the numbers server costs when little is asked of it.",
        .examples = "  light_load --idle=60\n"
                    "  light_load --count=20 --pause=1000\n",
        .version = "light_load (numbers) 1.0.0",
        .specs = specs,
        .spec_count = sizeof specs / sizeof specs[0],
    };
    int first_argument_index;
    return options_parse(&options, argc, argv, &first_argument_index);
}

/* Returns the socket, or -1 after a message. */
static int connect_to_server(uint16_t port) {
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(port),
                                  .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    const struct addrinfo server = {
        .ai_family = AF_INET, .ai_addr = (struct sockaddr *)&address, .ai_addrlen = sizeof address};
    int fd = load_connect(&server);
    if (fd < 0) {
        perror("connect");
    }
    return fd;
}

/* Waits until the log has so many bytes; watch_fd tells when it is written to. */
static bool await_log_size(const char *log_path, off_t size, int watch_fd) {
    int64_t deadline_ms = os_now_ms() + ARRIVAL_LIMIT_MS;
    struct stat status;
    while (stat(log_path, &status) == 0 && status.st_size < size) {
        char ignored[4096];
        struct pollfd watched = {.fd = watch_fd, .events = POLLIN};
        int64_t left_ms = deadline_ms - os_now_ms();
        if (left_ms <= 0 || (poll(&watched, 1, (int)left_ms) < 0 && errno != EINTR)) {
            return false;
        }
        /* What happened to the file does not matter: its size is looked at again. */
        (void)!read(watch_fd, ignored, sizeof ignored);
    }
    return true;
}

/* Sends the numbers one by one. Returns false after a message. */
static bool send_numbers(const struct settings *settings, int fd, const char *log_path,
                         int watch_fd, struct series *latencies_ms) {
    for (int64_t i = 0; i < settings->number_count; i++) {
        char line[LINE_SIZE + 1];
        (void)snprintf(line, sizeof line, "%09d\n", (int)i);
        int64_t start_ns = os_now_ns();
        if (send(fd, line, LINE_SIZE, MSG_NOSIGNAL) != LINE_SIZE ||
            !await_log_size(log_path, (off_t)(i + 1) * LINE_SIZE, watch_fd)) {
            (void)fprintf(stderr, "number %d did not reach the log\n", (int)i);
            return false;
        }
        series_add(latencies_ms, (double)(os_now_ns() - start_ns) / 1e6);
        (void)poll(NULL, 0, (int)settings->pause_ms);
    }
    return true;
}

/* A share of one processor, in percent. */
static double cpu_percent(double cpu_seconds, int64_t start_ns) {
    return cpu_seconds / ((double)(os_now_ns() - start_ns) / 1e9) * 100;
}

static bool measure(const struct settings *settings, const struct server_process *server,
                    const char *log_path, int watch_fd) {
    struct series latencies_ms = {0};
    double cpu_before = server_process_cpu_seconds(server);
    int64_t start_ns = os_now_ns();
    (void)poll(NULL, 0, (int)settings->idle_seconds * 1000);
    double idle_percent = cpu_percent(server_process_cpu_seconds(server) - cpu_before, start_ns);

    int fd = connect_to_server(server->port);
    if (fd < 0) {
        return false;
    }
    cpu_before = server_process_cpu_seconds(server);
    start_ns = os_now_ns();
    bool good = send_numbers(settings, fd, log_path, watch_fd, &latencies_ms);
    double light_percent = cpu_percent(server_process_cpu_seconds(server) - cpu_before, start_ns);
    (void)close(fd);
    if (good) {
        (void)printf("Idle for %d s: %.3f %% of a processor\n", (int)settings->idle_seconds,
                     idle_percent);
        (void)printf("%d lone numbers, one every %d ms: %.3f %% of a processor\n",
                     (int)settings->number_count, (int)settings->pause_ms, light_percent);
        (void)printf("From the send to the log file: median %.1f ms, least %.1f ms, greatest "
                     "%.1f ms\n",
                     series_median(&latencies_ms), series_min(&latencies_ms),
                     series_max(&latencies_ms));
        (void)printf("Peak memory: %.0f MiB\n",
                     (double)stage_usage_read(server->pid).peak_memory_size / (1024 * 1024));
    }
    return good;
}

static bool run(const struct settings *settings) {
    char server_path[PATH_CAPACITY];
    char log_path[PATH_CAPACITY];
    struct server_process server;
    (void)snprintf(log_path, sizeof log_path, "%s/light-load-%ld.log", settings->directory,
                   (long)getpid());
    if (!built_program_choose(server_path, sizeof server_path, settings->server_path,
                              "../../server/numbers/server")) {
        (void)fputs("the path of the server is too long\n", stderr);
        return false;
    }
    char *arguments[] = {server_path, "--port", "0", "--log", log_path, NULL};
    if (!server_process_start(&server, arguments, -1)) {
        return false;
    }
    int watch_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    bool good = watch_fd >= 0 && inotify_add_watch(watch_fd, log_path, IN_MODIFY) >= 0;
    if (good) {
        good = measure(settings, &server, log_path, watch_fd);
    } else {
        perror("inotify");
    }
    if (watch_fd >= 0) {
        (void)close(watch_fd);
    }
    good = server_process_stop(&server, STOP_LIMIT_SECONDS) && good;
    (void)unlink(log_path);
    return good;
}

int main(int argc, char **argv) {
    struct settings settings = {
        .directory = "/dev/shm", .idle_seconds = 10, .number_count = 50, .pause_ms = 100};
    switch (read_options(&settings, argc, argv)) {
    case OPTIONS_SHOWN:
        return EXIT_CODE_OK;
    case OPTIONS_INVALID:
        return EXIT_CODE_USAGE;
    case OPTIONS_RUN:
        break;
    }
    int error = os_enter_working_directory();
    if (error != 0) {
        (void)fprintf(stderr, "light_load: BUILD_WORKING_DIRECTORY: %s\n", strerror(-error));
        return EXIT_FAILURE;
    }
    return run(&settings) ? EXIT_SUCCESS : EXIT_FAILURE;
}
