/* Compiled once for each instruction set; BUILD.bazel says what its function is called. */
#include "bench/numbers/load_generator_kernel.h"

void LOAD_GENERATOR_FILL(const struct load_generator_keys *keys, uint32_t position,
                         uint32_t *numbers, size_t count) {
    load_fill(keys, position, numbers, count);
}
