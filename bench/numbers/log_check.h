/*
 * Checks the content of a numbers log: every line is nine digits and a newline, and no number is
 * there twice. Pieces are handed in one after the other; the whole file need not fit into memory.
 * What it does to the map, one thread with prefetching and huge pages, is as fast as a server can
 * be in the one stage of its work that waits for memory.
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

/* How far ahead the map's words are fetched, so that the memory answers many at a time. */
enum { LOG_CHECK_PREFETCH_COUNT = 32 };

/* Takes numbers that have been read already. LOG_CHECK_PREFETCH_COUNT further elements, any numbers
 * there may be, stand behind them. */
void log_check_numbers(struct log_check *check, const uint32_t *numbers, size_t count);

/* Takes the next line_count lines of ten bytes each. */
void log_check_lines(struct log_check *check, const char *lines, size_t line_count);

#ifdef __cplusplus
}
#endif

#endif /* BENCH_NUMBERS_LOG_CHECK_H_ */
