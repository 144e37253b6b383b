/*
 * Which numbers the load generator sends: a pure function from a position in the run to a number.
 *
 * Every order is addressed by position instead of being drawn from a state, so that several
 * connections can divide one run between them, the same seed gives the same run, and blocks of
 * numbers can be computed by vector instructions.
 *
 * Ownership: the caller owns the generator and the arrays. Threading: a generator is read-only
 * after load_generator_init; any number of threads may fill from it.
 */
#ifndef BENCH_NUMBERS_LOAD_GENERATOR_H_
#define BENCH_NUMBERS_LOAD_GENERATOR_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The numbers are 0 .. LOAD_GENERATOR_RANGE - 1: nine decimal digits. */
#define LOAD_GENERATOR_RANGE 1000000000u

enum load_order {
    LOAD_ORDER_RANDOM,      /* uniform, repetitions happen by chance */
    LOAD_ORDER_SEQUENTIAL,  /* 0, 1, 2 ..., again from 0 after the last */
    LOAD_ORDER_PERMUTATION, /* pseudo-random order, all distinct within 10^9 positions */
};

struct load_generator_options {
    enum load_order order;
    uint64_t seed;
    uint32_t duplicates_percent; /* 0 .. 100: share of positions that repeat an earlier number */
    uint32_t first_index;        /* where in the order position 0 starts */
};

/* Keys derived once from the options; read by the kernels. */
struct load_generator_keys {
    enum load_order order;
    uint32_t duplicates_percent;
    uint32_t duplicate_key; /* which earlier number is repeated */
    uint32_t first_index;
    uint16_t round_keys[4]; /* the permutation's Feistel rounds */
    uint64_t random_key;
};

typedef void load_generator_kernel(const struct load_generator_keys *keys, uint32_t position,
                                   uint32_t *numbers, size_t count);

struct load_generator {
    struct load_generator_keys keys;
    load_generator_kernel *kernel;
};

/* Prepares a generator with the fastest kernel that this CPU runs. */
void load_generator_init(struct load_generator *generator,
                         const struct load_generator_options *options);

/*
 * Writes the numbers of positions position .. position + count - 1, which must not exceed
 * UINT32_MAX, to numbers[0 .. count - 1]. One call or many give the same numbers.
 */
void load_generator_fill(const struct load_generator *generator, uint32_t position,
                         uint32_t *numbers, size_t count);

/*
 * How many of the first count positions do not repeat an earlier position on purpose. In the orders
 * permutation and sequential this is the exact count of distinct numbers (up to 10^9 of them).
 */
uint32_t load_generator_fresh_count(uint32_t count, uint32_t duplicates_percent);

/* The kernels by name, for tests that compare them. They must all give the same numbers. */
struct load_generator_kernel_entry {
    const char *name;
    load_generator_kernel *kernel;
    bool supported; /* this CPU can run it */
};

/* Returns the kernels, fastest first, and their count. The array is static. */
const struct load_generator_kernel_entry *load_generator_kernels(size_t *count);

#ifdef __cplusplus
}
#endif

#endif /* BENCH_NUMBERS_LOAD_GENERATOR_H_ */
