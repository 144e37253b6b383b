#include "bench/numbers/load_generator.h"

#include "bench/numbers/load_generator_kernel.h"

enum { KERNEL_COUNT = 3 };

const struct load_generator_kernel_entry *load_generator_kernels(size_t *count) {
    static struct load_generator_kernel_entry kernels[KERNEL_COUNT] = {
        {"avx512", load_generator_fill_avx512, false},
        {"avx2", load_generator_fill_avx2, false},
        {"portable", load_generator_fill_portable, true},
    };
#if defined(__x86_64__)
    __builtin_cpu_init();
    kernels[0].supported = __builtin_cpu_supports("avx512f") &&
                           __builtin_cpu_supports("avx512bw") &&
                           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    kernels[1].supported = __builtin_cpu_supports("avx2");
#endif
    *count = KERNEL_COUNT;
    return kernels;
}

void load_generator_init(struct load_generator *generator,
                         const struct load_generator_options *options) {
    uint64_t seed = options->seed;
    struct load_generator_keys *keys = &generator->keys;
    size_t count;
    const struct load_generator_kernel_entry *kernels = load_generator_kernels(&count);
    keys->order = options->order;
    keys->duplicates_percent = options->duplicates_percent;
    keys->first_index = options->first_index;
    keys->random_key = load_mix64(seed + 1);
    keys->duplicate_key = (uint32_t)load_mix64(keys->random_key + 1);
    for (size_t i = 0; i < 4; i++) {
        keys->round_keys[i] = (uint16_t)load_mix64(keys->random_key + 2 + i);
    }

    size_t chosen = 0;
    while (!kernels[chosen].supported) {
        chosen++;
    }
    generator->kernel = kernels[chosen].kernel;
}

void load_generator_fill(const struct load_generator *generator, uint32_t position,
                         uint32_t *numbers, size_t count) {
    generator->kernel(&generator->keys, position, numbers, count);
}

uint32_t load_generator_fresh_count(uint32_t count, uint32_t duplicates_percent) {
    uint32_t fresh = count - load_repeated_count(count, duplicates_percent);
    return fresh == 0 && count > 0 ? 1 : fresh;
}
