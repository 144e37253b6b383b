#include "bench/numbers/throughput_round.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/numbers/load_process.h"
#include "bench/numbers/machine_limits.h"
#include "bench/server_process.h"

/* What the baselines receive at a time: as usual, and where it stores fastest (found by trying
 * 16 KiB to 4 MiB: the sender fills the socket during a long write, and the next receive then gets
 * it all at once). */
#define BASELINE_BUFFER_SIZE "65536"
#define TUNED_BUFFER_SIZE "1048576"

enum {
    STOP_LIMIT_SECONDS = 30,
    SILENCE_LIMIT_MS = 30000,
    BUFFER_SIZE = 256 * 1024,
};

void throughput_log_path(const char *directory, char path[THROUGHPUT_PATH_CAPACITY]) {
    (void)snprintf(path, THROUGHPUT_PATH_CAPACITY, "%s/throughput-%ld.log", directory,
                   (long)getpid());
}

struct load_client_options throughput_round_load(const struct throughput_settings *settings,
                                                 const struct throughput_scenario *scenario,
                                                 uint64_t seed) {
    return (struct load_client_options){
        .host = "127.0.0.1",
        .send_size = scenario->send_size,
        .timeout_ms = SILENCE_LIMIT_MS,
        .source = {.numbers = {.order = scenario->order,
                               .seed = seed,
                               .duplicates_percent = scenario->duplicates_percent},
                   .number_count = settings->number_count / scenario->count_divisor,
                   .cursor_count = scenario->connection_count,
                   .from_fd = -1,
                   .buffer_size = BUFFER_SIZE}};
}

bool throughput_server_start(const struct throughput_settings *settings, const char *log_path,
                             int output_fd, struct server_process *server) {
    char *arguments[6 + OPTION_LIST_CAPACITY] = {(char *)(uintptr_t)settings->server_path, "--port",
                                                 "0", "--log", (char *)(uintptr_t)log_path};
    for (size_t i = 0; i < settings->server_arguments.count; i++) {
        arguments[5 + i] = (char *)(uintptr_t)settings->server_arguments.items[i];
    }
    return server_process_start(server, arguments, output_fd);
}

static bool baseline_start(const struct throughput_settings *settings, const char *log_path,
                           bool discards, enum throughput_contender contender,
                           struct server_process *server) {
    char *path = (char *)(uintptr_t)settings->baseline_path;
    char *log = (char *)(uintptr_t)log_path;
    char *size = contender == CONTENDER_BASELINE ? BASELINE_BUFFER_SIZE : TUNED_BUFFER_SIZE;
    char *discarding[] = {path, "--port", "0", "--buffer-size", size, NULL};
    char *storing[] = {path, "--port", "0", "--buffer-size", size, "--log", log, NULL};
    return server_process_start(server, discards ? discarding : storing, -1);
}

/* A fast server that loses numbers would be no result: the log must have the expected size. */
static bool check_log(const char *path, uint64_t expected_lines) {
    struct stat status;
    if (stat(path, &status) != 0) {
        (void)fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return false;
    }
    if ((uint64_t)status.st_size == expected_lines * LOAD_LINE_SIZE) {
        return true;
    }
    (void)fprintf(stderr, "%s: the log has %jd bytes instead of %" PRIu64 "\n", path,
                  (intmax_t)status.st_size, expected_lines * LOAD_LINE_SIZE);
    return false;
}

static bool measure(const struct throughput_settings *settings,
                    const struct throughput_scenario *scenario, uint64_t seed,
                    struct server_process *server, struct round_figures *figures) {
    struct load_client_options load = throughput_round_load(settings, scenario, seed);
    struct load_measurement measurement;

    if (scenario->sent_before &&
        !load_process_run(&load, server, THROUGHPUT_ROUND_LIMIT_SECONDS, &measurement)) {
        return false;
    }
    if (!load_process_run(&load, server, THROUGHPUT_ROUND_LIMIT_SECONDS, &measurement)) {
        return false;
    }
    double lines = (double)measurement.result.sent_lines;
    figures->numbers_per_second = lines / measurement.result.seconds;
    figures->server_cpu_ns = measurement.server_cpu_seconds / lines * 1e9;
    figures->sender_cpu_ns = measurement.sender_cpu_seconds / lines * 1e9;
    for (int stage = 0; stage < STAGE_KIND_COUNT; stage++) {
        figures->stage_cpu_ns[stage] = measurement.server_usage.cpu_seconds[stage] / lines * 1e9;
    }
    figures->peak_memory_mib = (double)measurement.server_usage.peak_memory_size / (1024 * 1024);
    return true;
}

bool throughput_warm_memory(const char *log_path, uint32_t line_count) {
    return machine_limit_write(log_path, line_count) > 0;
}

bool throughput_round_run(const struct throughput_settings *settings,
                          const struct throughput_scenario *scenario,
                          enum throughput_contender contender, uint64_t seed,
                          struct round_figures *figures) {
    char log_path[THROUGHPUT_PATH_CAPACITY];
    struct server_process server;
    struct load_client_options load = throughput_round_load(settings, scenario, seed);
    bool is_server = contender == CONTENDER_SERVER;

    throughput_log_path(scenario->log_on_disk ? settings->disk_dir : settings->memory_dir,
                        log_path);
    if (!scenario->baseline_discards &&
        !throughput_warm_memory(log_path, load.source.number_count)) {
        (void)unlink(log_path);
        return false;
    }
    bool good = is_server ? throughput_server_start(settings, log_path, -1, &server)
                          : baseline_start(settings, log_path, scenario->baseline_discards,
                                           contender, &server);
    if (good) {
        good = measure(settings, scenario, seed, &server, figures);
        good = server_process_stop(&server, STOP_LIMIT_SECONDS) && good;
    }
    uint64_t expected_lines =
        is_server ? load_source_fresh_count(&load.source) : load.source.number_count;
    if (good && (is_server || !scenario->baseline_discards)) {
        good = check_log(log_path, expected_lines);
    }
    (void)unlink(log_path);
    return good;
}
