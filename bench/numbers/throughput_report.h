/*
 * The tables and the plot of the end-to-end comparison.
 *
 * Ownership: borrows everything. Threading: one thread.
 */
#ifndef BENCH_NUMBERS_THROUGHPUT_REPORT_H_
#define BENCH_NUMBERS_THROUGHPUT_REPORT_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/series.h"
#include "bench/numbers/stage_usage.h"
#include "bench/numbers/throughput_round.h"

/* All rounds of one scenario. */
struct throughput_result {
    const struct throughput_scenario *scenario;
    struct series rates[CONTENDER_COUNT]; /* numbers a second */
    struct series server_cpu_ns[CONTENDER_COUNT];
    struct series sender_cpu_ns[CONTENDER_COUNT];
    struct series ratios;       /* server to baseline, within a round */
    struct series tuned_ratios; /* server to tuned baseline */
    struct series stage_cpu_ns[STAGE_KIND_COUNT];
    struct series peak_memory_mib; /* the server's */
};

/* What the machine can do in single stages, in numbers a second; 0 where it could not be measured.
 */
struct throughput_limits {
    double receive;
    double write_memory;
    double write_disk;
    double map_updates;
};

void throughput_print_round(const struct throughput_scenario *scenario, uint32_t round,
                            const struct round_figures figures[CONTENDER_COUNT]);
void throughput_print_results(const struct throughput_result *results, size_t count);

/* Where the server's CPU time goes, stage by stage, and its peak memory. */
void throughput_print_stages(const struct throughput_result *results, size_t count);

/* Compares the limits with the median rate of one scenario. */
void throughput_print_limits(const struct throughput_limits *limits,
                             const struct throughput_result *result);

/* Whether the plot can be written there, to be asked before the rounds, which take minutes. A plot
 * that is there stays as it is. Returns false after a message on standard error. */
bool throughput_check_plot(const char *path);

/* Returns false after a message on standard error. */
bool throughput_draw_results(const char *path, const struct throughput_settings *settings,
                             const struct throughput_result *results, size_t count);

#endif /* BENCH_NUMBERS_THROUGHPUT_REPORT_H_ */
