/*
 * Checks the content of a numbers log: every line is nine digits and a newline, and no number is
 * there twice. Pieces are handed in one after the other; the whole file need not fit into memory.
 *
 * Ownership: the structure owns its map of 10^9 bits. Threading: one thread.
 */
#ifndef BENCH_NUMBERS_LOG_CHECK_H_
#define BENCH_NUMBERS_LOG_CHECK_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct log_check {
    uint64_t *seen;
    uint64_t line_count;      /* well-formed lines so far */
    uint64_t duplicate_count; /* lines whose number was there before */
    uint64_t malformed_count; /* lines of any other form */
};

/* Returns false when there is no memory for the map. */
bool log_check_open(struct log_check *check);
void log_check_close(struct log_check *check);

/* Takes the next line_count lines of ten bytes each. */
void log_check_lines(struct log_check *check, const char *lines, size_t line_count);

#ifdef __cplusplus
}
#endif

#endif /* BENCH_NUMBERS_LOG_CHECK_H_ */
