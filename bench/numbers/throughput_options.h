/*
 * The command line of the end-to-end comparison.
 *
 * Ownership: texts belong to the argument vector. Threading: one thread.
 */
#ifndef BENCH_NUMBERS_THROUGHPUT_OPTIONS_H_
#define BENCH_NUMBERS_THROUGHPUT_OPTIONS_H_

#include <stdbool.h>
#include <stddef.h>

#include "bench/numbers/throughput_round.h"
#include "server/runtime/options.h"

#define THROUGHPUT_SCENARIO_CAPACITY 16u

struct throughput_options {
    struct throughput_settings settings;
    const struct throughput_scenario *scenarios[THROUGHPUT_SCENARIO_CAPACITY];
    size_t scenario_count;
    const char *plot_path; /* NULL: no plot */
    bool log_dir_given;
    bool universe;
};

/* Reads the command line into *options, which holds the defaults where nothing was given, and all
 * scenarios without --scenario. Of the outcomes only OPTIONS_RUN means to go on. */
enum options_outcome throughput_options_read(struct throughput_options *options, int argc,
                                             char **argv);

#endif /* BENCH_NUMBERS_THROUGHPUT_OPTIONS_H_ */
