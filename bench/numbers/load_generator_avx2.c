#include "bench/numbers/load_generator_kernel.h"

void load_generator_fill_avx2(const struct load_generator_keys *keys, uint32_t position,
                              uint32_t *numbers, size_t count) {
    load_fill(keys, position, numbers, count);
}
