/*
 * The programs that a measurement starts: those given on the command line, or those built together
 * with it, which lie at fixed places beside it.
 *
 * Ownership: the caller owns the path. Threading: any thread.
 */
#ifndef BENCH_BUILT_PROGRAM_H_
#define BENCH_BUILT_PROGRAM_H_

#include <stdbool.h>
#include <stddef.h>

/* Fills path, of `capacity` bytes, with `given`, or if that is NULL with `built`, relative to the
 * folder of this program. Returns false if it is too long. */
bool built_program_choose(char *path, size_t capacity, const char *given, const char *built);

#endif /* BENCH_BUILT_PROGRAM_H_ */
