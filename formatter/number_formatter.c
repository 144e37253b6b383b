/* Chooses a kernel once. The only file that knows CPUs; it is compiled for the baseline of the
 * architecture. */
#include "formatter/number_formatter.h"

#include <stdbool.h>
#include <string.h>

#include "formatter/number_kernel.h"

struct number_kernel {
    const char *name;
    number_kernel_function *format;
    bool (*is_supported)(void);
};

static bool is_always_supported(void) {
    return true;
}

#if defined(__x86_64__)
static bool is_sse41_supported(void) {
    return __builtin_cpu_supports("sse4.1");
}

static bool is_avx2_supported(void) {
    return __builtin_cpu_supports("avx2");
}

static bool is_avx512vbmi_supported(void) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vbmi");
}
#endif

/* From the slowest to the best: the last one that the CPU runs is the default. */
static const struct number_kernel kernels[] = {
    {"scalar", number_kernel_scalar, is_always_supported},
#if defined(__x86_64__)
    {"sse41", number_kernel_sse41, is_sse41_supported},
    {"avx2", number_kernel_avx2, is_avx2_supported},
    {"avx512vbmi", number_kernel_avx512vbmi, is_avx512vbmi_supported},
#endif
#if defined(__aarch64__)
    {"neon", number_kernel_neon, is_always_supported},
#endif
};

enum { KERNEL_COUNT = sizeof kernels / sizeof kernels[0] };

/* The supported kernel with that index among the supported ones, or NULL. */
static const struct number_kernel *find_supported(size_t index) {
    for (size_t i = 0; i < KERNEL_COUNT; i++) {
        if (kernels[i].is_supported() && index-- == 0) {
            return &kernels[i];
        }
    }
    return NULL;
}

size_t number_formatter_supported_count(void) {
    size_t count = 0;
    while (find_supported(count) != NULL) {
        count++;
    }
    return count;
}

const char *number_formatter_supported_name(size_t index) {
    const struct number_kernel *kernel = find_supported(index);
    return kernel == NULL ? NULL : kernel->name;
}

enum number_formatter_select_status number_formatter_select(struct number_formatter *formatter,
                                                            const char *kernel_name) {
    if (kernel_name == NULL) {
        formatter->kernel = find_supported(number_formatter_supported_count() - 1);
        return NUMBER_FORMATTER_SELECTED;
    }
    for (size_t i = 0; i < KERNEL_COUNT; i++) {
        if (strcmp(kernels[i].name, kernel_name) == 0) {
            if (!kernels[i].is_supported()) {
                return NUMBER_FORMATTER_KERNEL_UNSUPPORTED;
            }
            formatter->kernel = &kernels[i];
            return NUMBER_FORMATTER_SELECTED;
        }
    }
    return NUMBER_FORMATTER_KERNEL_UNKNOWN;
}

const char *number_formatter_kernel_name(const struct number_formatter *formatter) {
    return formatter->kernel->name;
}

size_t number_formatter_format(const struct number_formatter *formatter, const uint32_t *numbers,
                               size_t count, char *lines) {
    formatter->kernel->format(numbers, count, lines);
    return count * NUMBER_FORMATTER_LINE_SIZE;
}
