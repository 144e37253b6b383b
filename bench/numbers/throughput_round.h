/*
 * One round of one scenario against one of the two contenders: start it, send, check the log's
 * size, stop it, remove the log.
 *
 * Threading: one thread; every child process ends within the call.
 */
#ifndef BENCH_NUMBERS_THROUGHPUT_ROUND_H_
#define BENCH_NUMBERS_THROUGHPUT_ROUND_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/numbers/load_client.h"
#include "bench/numbers/stage_usage.h"
#include "bench/numbers/throughput_scenarios.h"
#include "server/runtime/options.h"

#define THROUGHPUT_PATH_CAPACITY 4096u
/* No run is waited for longer than this. */
#define THROUGHPUT_ROUND_LIMIT_SECONDS 120u

struct throughput_settings {
    char server_path[THROUGHPUT_PATH_CAPACITY];
    char baseline_path[THROUGHPUT_PATH_CAPACITY];
    struct option_list server_arguments; /* added to every start */
    const char *memory_dir;              /* a directory on a memory file system */
    const char *disk_dir;
    uint32_t number_count; /* in a round */
    uint32_t round_count;
};

/* The server under test; the baseline, which receives 64 KiB at a time as such programs do; and the
 * same program with what it receives at a time tuned to store as fast as it can. */
enum throughput_contender {
    CONTENDER_SERVER,
    CONTENDER_BASELINE,
    CONTENDER_TUNED_BASELINE,
    CONTENDER_COUNT
};

struct round_figures {
    double numbers_per_second;             /* wall time from the first connect to the last FIN */
    double server_cpu_ns;                  /* a number */
    double sender_cpu_ns;                  /* a number */
    double stage_cpu_ns[STAGE_KIND_COUNT]; /* a number; of the server under test */
    double peak_memory_mib;
};

/* Returns false after a message on standard error; nothing is left running or lying about. */
bool throughput_round_run(const struct throughput_settings *settings,
                          const struct throughput_scenario *scenario,
                          enum throughput_contender contender, uint64_t seed,
                          struct round_figures *figures);

/* The load of a scenario. */
struct load_client_options throughput_round_load(const struct throughput_settings *settings,
                                                 const struct throughput_scenario *scenario,
                                                 uint64_t seed);

/* Writes the path of a log of this process in that directory. */
void throughput_log_path(const char *directory, char path[THROUGHPUT_PATH_CAPACITY]);

/* Starts the server under test with this log and its output to output_fd (-1: nowhere). */
struct server_process;
bool throughput_server_start(const struct throughput_settings *settings, const char *log_path,
                             int output_fd, struct server_process *server);

/* A virtual machine gives memory that nobody uses back to its host, and a file that grows then pays
 * for fetching it again, now and then ten times the cost of the write itself. This writes the log
 * full of other lines before the run: a contender truncates it when it starts, and then writes to
 * memory that has just been in use. Returns false after a message on standard error. */
bool throughput_warm_memory(const char *log_path, uint32_t line_count);

#endif /* BENCH_NUMBERS_THROUGHPUT_ROUND_H_ */
