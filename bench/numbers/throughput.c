/*
 * Purpose: the end-to-end comparison. Each scenario is run against the server under test and
 * against the baseline in turn, A B A B, so that slow drifts of the machine hit both alike; what
 * counts is the ratio within a round.
 *
 * Threading: one thread; servers and senders are child processes.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/numbers/machine_limits.h"
#include "bench/progress.h"
#include "bench/numbers/throughput_options.h"
#include "bench/numbers/throughput_report.h"
#include "bench/numbers/throughput_round.h"
#include "bench/numbers/throughput_universe.h"
#include "server/runtime/exit_code.h"
#include "server/runtime/os.h"

/* Children die with this process (see server_process), so all that a signal leaves to do is to
 * remove the logs; their names are prepared because little is allowed in a handler. */
static char interrupted_logs[2][THROUGHPUT_PATH_CAPACITY];

static void on_interrupt(int signal_number) {
    (void)unlink(interrupted_logs[0]);
    (void)unlink(interrupted_logs[1]);
    _exit(128 + signal_number);
}

static void prepare_for_interrupt(const struct throughput_settings *settings) {
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action = {.sa_handler = on_interrupt};
    throughput_log_path(settings->memory_dir, interrupted_logs[0]);
    throughput_log_path(settings->disk_dir, interrupted_logs[1]);
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        if (sigaction(signals[i], &action, NULL) != 0) {
            perror("sigaction");
        }
    }
}

static void add_round(struct throughput_result *result,
                      const struct round_figures figures[CONTENDER_COUNT]) {
    for (int i = 0; i < CONTENDER_COUNT; i++) {
        series_add(&result->rates[i], figures[i].numbers_per_second);
        series_add(&result->server_cpu_ns[i], figures[i].server_cpu_ns);
        series_add(&result->sender_cpu_ns[i], figures[i].sender_cpu_ns);
    }
    const struct round_figures *server = &figures[CONTENDER_SERVER];
    series_add(&result->ratios,
               server->numbers_per_second / figures[CONTENDER_BASELINE].numbers_per_second);
    series_add(&result->tuned_ratios,
               server->numbers_per_second / figures[CONTENDER_TUNED_BASELINE].numbers_per_second);
    for (int stage = 0; stage < STAGE_KIND_COUNT; stage++) {
        series_add(&result->stage_cpu_ns[stage], server->stage_cpu_ns[stage]);
    }
    series_add(&result->peak_memory_mib, server->peak_memory_mib);
}

/* Runs every round of every scenario. Returns false when a run failed: then no figure counts. */
static bool run_scenarios(const struct throughput_options *options,
                          struct throughput_result *results) {
    const struct throughput_settings *settings = &options->settings;
    struct progress progress;
    uint64_t done = 0;
    progress_start(&progress, "rounds", options->scenario_count * settings->round_count, true);
    for (size_t i = 0; i < options->scenario_count; i++) {
        results[i].scenario = options->scenarios[i];
        for (uint32_t round = 1; round <= settings->round_count; round++) {
            struct round_figures figures[CONTENDER_COUNT];
            for (int contender = 0; contender < CONTENDER_COUNT; contender++) {
                if (!throughput_round_run(settings, options->scenarios[i],
                                          (enum throughput_contender)contender, round,
                                          &figures[contender])) {
                    return false;
                }
            }
            add_round(&results[i], figures);
            progress_finish(&progress);
            throughput_print_round(options->scenarios[i], round, figures);
            progress_update(&progress, ++done);
        }
    }
    progress_finish(&progress);
    return true;
}

/* Measures the single stages with as many numbers as a round has. */
static struct throughput_limits measure_limits(const struct throughput_settings *settings) {
    const struct throughput_scenario receive_only = {.name = "receive",
                                                     .order = LOAD_ORDER_PERMUTATION,
                                                     .connection_count = 5,
                                                     .send_size = 256 * 1024,
                                                     .count_divisor = 1,
                                                     .baseline_discards = true};
    struct throughput_limits limits = {0};
    struct round_figures figures;
    char path[THROUGHPUT_PATH_CAPACITY];
    if (throughput_round_run(settings, &receive_only, CONTENDER_TUNED_BASELINE, 1, &figures)) {
        limits.receive = figures.numbers_per_second;
    }
    throughput_log_path(settings->memory_dir, path);
    limits.write_memory = machine_limit_write(path, settings->number_count);
    (void)unlink(path);
    throughput_log_path(settings->disk_dir, path);
    limits.write_disk = machine_limit_write(path, settings->number_count);
    (void)unlink(path);
    limits.map_updates = machine_limit_map_updates(settings->number_count);
    return limits;
}

int main(int argc, char **argv) {
    static struct throughput_options options;
    static struct throughput_result results[THROUGHPUT_SCENARIO_CAPACITY];
    const struct throughput_settings *settings = &options.settings;
    switch (throughput_options_read(&options, argc, argv)) {
    case OPTIONS_SHOWN:
        return EXIT_CODE_OK;
    case OPTIONS_INVALID:
        return EXIT_CODE_USAGE;
    case OPTIONS_RUN:
        break;
    }
    int error = os_enter_working_directory();
    if (error != 0) {
        (void)fprintf(stderr, "throughput: BUILD_WORKING_DIRECTORY: %s\n", strerror(-error));
        return EXIT_FAILURE;
    }
    prepare_for_interrupt(settings);
    if (options.universe) {
        const char *directory = options.log_dir_given ? settings->disk_dir : settings->memory_dir;
        return throughput_universe_run(settings, directory, 1) ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    if (options.plot_path != NULL && !throughput_check_plot(options.plot_path)) {
        return EXIT_FAILURE;
    }
    if (!run_scenarios(&options, results)) {
        return EXIT_FAILURE;
    }
    throughput_print_results(results, options.scenario_count);
    throughput_print_stages(results, options.scenario_count);
    struct throughput_limits limits = measure_limits(settings);
    throughput_print_limits(&limits, &results[0]);
    if (options.plot_path != NULL &&
        !throughput_draw_results(options.plot_path, settings, results, options.scenario_count)) {
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
