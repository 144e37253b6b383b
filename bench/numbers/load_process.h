/*
 * One run of the load client in a child process of its own, so that its CPU time is known apart
 * from everything else and a run that hangs can be ended.
 *
 * Threading: one thread; the child lives within the call.
 */
#ifndef BENCH_NUMBERS_LOAD_PROCESS_H_
#define BENCH_NUMBERS_LOAD_PROCESS_H_

#include <stdbool.h>

#include "bench/numbers/load_client.h"
#include "bench/server_process.h"
#include "bench/numbers/stage_usage.h"

struct load_measurement {
    struct load_client_result result;
    double sender_cpu_seconds;
    double server_cpu_seconds;       /* used by the server during the run */
    struct stage_usage server_usage; /* the CPU seconds of the run; the memory since the start */
};

/*
 * Sends to the running server (options->port is ignored) and measures. Returns false, after a
 * message on standard error, if the run failed, not all connections were confirmed, or it took
 * longer than limit_seconds.
 */
bool load_process_run(const struct load_client_options *options, struct server_process *server,
                      unsigned limit_seconds, struct load_measurement *measurement);

#endif /* BENCH_NUMBERS_LOAD_PROCESS_H_ */
