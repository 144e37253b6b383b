/*
 * When to run a kernel again.
 *
 * Where a kernel stops there is a record that it cannot take, which has to be read without it. The
 * next one may be for the kernel again. But where such records follow each other, a run before each
 * of them would be in vain: after each run in a row that took nothing the kernel rests for twice as
 * many records as before, up to a limit that makes what is left of the cost too small to matter.
 *
 * Threading: pure. Ownership: a value; all zeros is the beginning.
 */
#ifndef SERVER_RECORDS_KERNEL_REST_H_
#define SERVER_RECORDS_KERNEL_REST_H_

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { KERNEL_REST_COUNT_MAX = 64 };

struct kernel_rest {
    unsigned count;      /* records of the last rest, 0 before the first run */
    unsigned left_count; /* of those, how many are still to come */
};

static inline bool kernel_rest_is_over(const struct kernel_rest *rest) {
    return rest->left_count == 0;
}

/* Begins a rest, after a run that took something or nothing. */
static inline void kernel_rest_begin(struct kernel_rest *rest, bool is_taken) {
    if (is_taken || rest->count == 0) {
        rest->count = 1;
    } else if (rest->count < KERNEL_REST_COUNT_MAX) {
        rest->count *= 2;
    }
    rest->left_count = rest->count;
}

/* Says that during the rest a record was read without the kernel. */
static inline void kernel_rest_note_record(struct kernel_rest *rest) {
    rest->left_count--;
}

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RECORDS_KERNEL_REST_H_ */
