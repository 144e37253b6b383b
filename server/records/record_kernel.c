/* Knows CPUs, the only file that does; it is compiled for the baseline of the architecture. */
#include "server/records/record_kernel.h"

#include <stdbool.h>

#if defined(__x86_64__)
static bool is_avx2_supported(void) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
           __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt");
}

static bool is_avx512bw_supported(void) {
    return is_avx2_supported() && __builtin_cpu_supports("avx512f") &&
           __builtin_cpu_supports("avx512bw");
}
#endif

/* Each needs what the one before it needs, and more. */
static const struct record_kernel kernels[] = {
    {"portable", record_kernel_portable},
#if defined(__x86_64__)
    {"avx2", record_kernel_avx2},
    {"avx512bw", record_kernel_avx512bw},
#endif
};

size_t record_kernel_count(void) {
    size_t count = 1;
#if defined(__x86_64__)
    count += is_avx2_supported() ? 1 : 0;
    count += is_avx512bw_supported() ? 1 : 0;
#endif
    return count;
}

const struct record_kernel *record_kernel_get(size_t index) {
    return &kernels[index];
}
