#include "bench/numbers/throughput_universe.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "bench/numbers/load_process.h"
#include "bench/numbers/log_check.h"
#include "bench/progress.h"
#include "bench/server_process.h"

enum {
    RUN_LIMIT_SECONDS = 600,
    STOP_LIMIT_SECONDS = 120,
    /* A whole number of lines, read at a time. */
    READ_SIZE = 1000000,
};

#define LOG_SIZE ((uint64_t)LOAD_GENERATOR_RANGE * LOAD_LINE_SIZE)

static const struct throughput_scenario universe = {
    .name = "universe",
    .order = LOAD_ORDER_PERMUTATION,
    .connection_count = 5,
    .send_size = 256 * 1024,
    .count_divisor = 1,
};

static void show_progress(void *context, uint64_t sent_lines) {
    struct progress *progress = (struct progress *)context;
    progress_update(progress, sent_lines);
}

/* Reads as many bytes as asked for unless the file ends before. Returns -1 with errno set. */
static ssize_t read_fully(int fd, char *buffer, size_t size) {
    size_t done = 0;
    while (done < size) {
        ssize_t got = read(fd, buffer + done, size - done);
        if (got < 0 && errno != EINTR) {
            return -1;
        }
        if (got == 0) {
            break;
        }
        done += got > 0 ? (size_t)got : 0;
    }
    return (ssize_t)done;
}

/* Goes through the log. Returns its size in bytes, or -1 with errno set. */
static int64_t check_lines(int fd, struct log_check *check) {
    static char buffer[READ_SIZE];
    struct progress progress;
    int64_t size = 0;
    ssize_t got;
    progress_start(&progress, "checked", LOAD_GENERATOR_RANGE, true);
    while ((got = read_fully(fd, buffer, READ_SIZE)) > 0) {
        size += got;
        log_check_lines(check, buffer, (size_t)got / LOAD_LINE_SIZE);
        progress_update(&progress, (uint64_t)size / LOAD_LINE_SIZE);
    }
    progress_finish(&progress);
    return got < 0 ? -1 : size;
}

/* Judges the log as a whole: with 10^9 well-formed lines and no duplicate, no number is missing. */
static bool verify_log(const char *path) {
    struct log_check check;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || !log_check_open(&check)) {
        (void)fprintf(stderr, "%s: %s\n", path, strerror(errno));
        if (fd >= 0) {
            (void)close(fd);
        }
        return false;
    }
    int64_t size = check_lines(fd, &check);
    if (size < 0) {
        (void)fprintf(stderr, "%s: %s\n", path, strerror(errno));
    }
    bool good = (uint64_t)size == LOG_SIZE && check.line_count == LOAD_GENERATOR_RANGE &&
                check.duplicate_count == 0;
    (void)printf("Log: %" PRId64 " bytes, %" PRIu64 " good lines, %" PRIu64 " malformed, %" PRIu64
                 " duplicates: %s\n",
                 size, check.line_count, check.malformed_count, check.duplicate_count,
                 good ? "every number exactly once" : "WRONG");
    log_check_close(&check);
    (void)close(fd);
    return good;
}

/* A server that waits for room would only look slow. Returns false after a message. */
static bool check_room(const char *directory) {
    struct statvfs system;
    if (statvfs(directory, &system) != 0) {
        (void)fprintf(stderr, "%s: %s\n", directory, strerror(errno));
        return false;
    }
    uint64_t free_size = (uint64_t)system.f_bavail * system.f_frsize;
    if (free_size >= LOG_SIZE) {
        return true;
    }
    (void)fprintf(stderr, "%s has no room for a log of %" PRIu64 " bytes\n", directory, LOG_SIZE);
    return false;
}

static void print_figures(const struct load_measurement *measurement) {
    const struct load_client_result *result = &measurement->result;
    double lines = (double)result->sent_lines;
    (void)printf("Sent %" PRIu64 " numbers in %.2f s: %.1f million a second\n", result->sent_lines,
                 result->seconds, lines / result->seconds / 1e6);
    (void)printf("CPU: server %.2f s (%.2f ns a number), sender %.2f s (%.2f ns a number)\n",
                 measurement->server_cpu_seconds, measurement->server_cpu_seconds / lines * 1e9,
                 measurement->sender_cpu_seconds, measurement->sender_cpu_seconds / lines * 1e9);
}

bool throughput_universe_run(const struct throughput_settings *settings, const char *directory,
                             uint64_t seed) {
    char log_path[THROUGHPUT_PATH_CAPACITY];
    struct throughput_settings whole = *settings;
    struct server_process server;
    struct load_measurement measurement;
    struct progress progress;
    whole.number_count = LOAD_GENERATOR_RANGE;
    struct load_client_options load = throughput_round_load(&whole, &universe, seed);
    load.on_progress = show_progress;
    load.progress_context = &progress;
    if (!check_room(directory)) {
        return false;
    }
    throughput_log_path(directory, log_path);
    (void)fprintf(stderr, "warming memory up with a file of the log's size\n");
    if (!throughput_warm_memory(log_path, LOAD_GENERATOR_RANGE)) {
        (void)unlink(log_path);
        return false;
    }
    /* The server writes its reports to our standard output: ours must not come in between. */
    (void)fflush(stdout);
    if (!throughput_server_start(settings, log_path, STDOUT_FILENO, &server)) {
        (void)unlink(log_path);
        return false;
    }
    progress_start(&progress, "sent", LOAD_GENERATOR_RANGE, true);
    bool good = load_process_run(&load, &server, RUN_LIMIT_SECONDS, &measurement);
    progress_finish(&progress);
    good = server_process_stop(&server, STOP_LIMIT_SECONDS) && good;
    if (good) {
        print_figures(&measurement);
        good = verify_log(log_path);
    }
    (void)unlink(log_path);
    return good;
}
