/*
 * The command line of the end-to-end comparison.
 *
 * Ownership: texts belong to the argument vector. Threading: one thread.
 */
#ifndef BENCH_THROUGHPUT_OPTIONS_H_
#define BENCH_THROUGHPUT_OPTIONS_H_

#include <stdbool.h>
#include <stddef.h>

#include "bench/throughput_round.h"

#define THROUGHPUT_SCENARIO_CAPACITY 16u

struct throughput_options {
    struct throughput_settings settings;
    const struct throughput_scenario *scenarios[THROUGHPUT_SCENARIO_CAPACITY];
    size_t scenario_count;
    const char *plot_path; /* NULL: no plot */
    bool log_dir_given;
    bool universe;
};

/*
 * Reads the command line into *options, which holds the defaults afterwards where nothing was
 * given; without --scenario it holds all scenarios. Returns -1 to go on, or the exit code of a
 * command line that is answered at once (a message or the help has been printed).
 */
int throughput_options_read(int argc, char **argv, struct throughput_options *options);

#endif /* BENCH_THROUGHPUT_OPTIONS_H_ */
