/*
 * Where a running server's CPU time goes, and how much memory it has needed, as the kernel keeps
 * account of it: no profiler, and no cost to the server. The numbers server does the stages of its
 * work in threads of different names, and receiving is all that its loop asks of the kernel under
 * load, so the threads' times are the stages' times.
 *
 * Ownership: plain values. Threading: any thread.
 */
#ifndef BENCH_NUMBERS_STAGE_USAGE_H_
#define BENCH_NUMBERS_STAGE_USAGE_H_

#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

enum stage_kind {
    STAGE_RECEIVE, /* the loop's thread in the kernel */
    STAGE_PARSE,   /* the loop's thread outside: parsing, sorting into the stage */
    STAGE_INSERT,  /* the workers: looking for duplicates, formatting */
    STAGE_WRITE,   /* the log writer, with its syncing thread */
    STAGE_KIND_COUNT
};

extern const char *const stage_names[STAGE_KIND_COUNT];

struct stage_usage {
    double cpu_seconds[STAGE_KIND_COUNT]; /* since the process started */
    uint64_t peak_memory_size;            /* resident, in bytes */
};

/* Reads the account of a running process; what cannot be read is 0. */
struct stage_usage stage_usage_read(pid_t pid);

#ifdef __cplusplus
}
#endif

#endif /* BENCH_NUMBERS_STAGE_USAGE_H_ */
