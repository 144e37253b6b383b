/*
 * How much memory the process may have: the limits of its control groups and of its own.
 *
 * A process that takes more than its control group allows is killed without a word, at once or
 * whenever the pages are first used. Whoever takes much asks here before.
 *
 * Threading: no state; at the start, once.
 */
#ifndef SERVER_RUNTIME_MEMORY_LIMIT_H_
#define SERVER_RUNTIME_MEMORY_LIMIT_H_

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "server/runtime/logger.h"

#ifdef __cplusplus
extern "C" {
#endif

struct memory_limit {
    uint64_t size;         /* bytes; UINT64_MAX: none that is known */
    char source[PATH_MAX]; /* what sets it, for messages: a file, or the name of the limit */
};

/*
 * The lowest limit of the control groups that the process is in, of version 2 (memory.max) and 1
 * (memory.limit_in_bytes), each from its own group up to the top. They are looked for where systems
 * mount them, /sys/fs/cgroup; root, "" but in tests, stands before that and before /proc. In a
 * container the process's group may be out of sight: then the groups above it, which are the
 * container's, are asked.
 */
void memory_limit_of_control_groups(struct memory_limit *limit, const char *root);

/* The lower one of RLIMIT_AS and RLIMIT_DATA. */
void memory_limit_of_process(struct memory_limit *limit);

/* Whether the process may have size bytes of memory, and address space for them and for the stacks
 * of so many threads. If not, says how much it needs and what allows less. */
bool memory_limit_check(uint64_t size, uint64_t thread_count, const struct logger *logger);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RUNTIME_MEMORY_LIMIT_H_ */
