/* Chooses a kernel once, and classifies what stands behind the lines that it found. The only file
 * that knows CPUs; it is compiled for the baseline of the architecture. */
#include "parser/line_parser.h"

#include <stdbool.h>
#include <string.h>

#include "parser/line_kernel.h"

struct line_kernel {
    const char *name;
    line_kernel_function *parse;
    bool (*is_supported)(void);
};

static bool is_always_supported(void) {
    return true;
}

#if defined(__x86_64__)
static bool is_ssse3_supported(void) {
    return __builtin_cpu_supports("ssse3");
}

static bool is_avx2_supported(void) {
    return __builtin_cpu_supports("avx2");
}

static bool is_avx512bw_supported(void) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw");
}

static bool is_avx512vbmi_supported(void) {
    return is_avx512bw_supported() && __builtin_cpu_supports("avx512vbmi") &&
           __builtin_cpu_supports("avx512vnni");
}
#endif

/* From the slowest to the best: the last one that the CPU runs is the default. */
static const struct line_kernel kernels[] = {
    {"scalar", line_kernel_scalar, is_always_supported},
#if defined(__x86_64__)
    {"ssse3", line_kernel_ssse3, is_ssse3_supported},
    {"avx2", line_kernel_avx2, is_avx2_supported},
    {"avx512bw", line_kernel_avx512bw, is_avx512bw_supported},
    {"avx512vbmi", line_kernel_avx512vbmi, is_avx512vbmi_supported},
#elif defined(__aarch64__)
    {"neon", line_kernel_neon, is_always_supported},
#endif
};

enum { KERNEL_COUNT = sizeof kernels / sizeof kernels[0] };

/* The supported kernel with that index among the supported ones, or NULL. */
static const struct line_kernel *find_supported(size_t index) {
    for (size_t i = 0; i < KERNEL_COUNT; i++) {
        if (kernels[i].is_supported() && index-- == 0) {
            return &kernels[i];
        }
    }
    return NULL;
}

size_t line_parser_supported_count(void) {
    size_t count = 0;
    while (find_supported(count) != NULL) {
        count++;
    }
    return count;
}

const char *line_parser_supported_name(size_t index) {
    const struct line_kernel *kernel = find_supported(index);
    return kernel == NULL ? NULL : kernel->name;
}

enum line_parser_select_status line_parser_select(struct line_parser *parser,
                                                  const char *kernel_name) {
    if (kernel_name == NULL) {
        parser->kernel = find_supported(line_parser_supported_count() - 1);
        return LINE_PARSER_SELECTED;
    }
    for (size_t i = 0; i < KERNEL_COUNT; i++) {
        if (strcmp(kernels[i].name, kernel_name) == 0) {
            if (!kernels[i].is_supported()) {
                return LINE_PARSER_KERNEL_UNSUPPORTED;
            }
            parser->kernel = &kernels[i];
            return LINE_PARSER_SELECTED;
        }
    }
    return LINE_PARSER_KERNEL_UNKNOWN;
}

const char *line_parser_kernel_name(const struct line_parser *parser) {
    return parser->kernel->name;
}

static const char terminate_line[LINE_PARSER_LINE_SIZE] = {'t', 'e', 'r', 'm', 'i',
                                                           'n', 'a', 't', 'e', '\n'};

/* Whether all of the size bytes are digits. */
static bool are_digits(const char *bytes, size_t size) {
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] < '0' || bytes[i] > '9') {
            return false;
        }
    }
    return true;
}

/* What the size bytes, at least one, are when they do not start with a digits line. */
static enum line_parser_stop classify_rest(const char *bytes, size_t size) {
    if (size >= LINE_PARSER_LINE_SIZE) {
        return memcmp(bytes, terminate_line, LINE_PARSER_LINE_SIZE) == 0 ? LINE_PARSER_TERMINATE
                                                                         : LINE_PARSER_INVALID;
    }
    return are_digits(bytes, size) || memcmp(bytes, terminate_line, size) == 0
               ? LINE_PARSER_NEEDS_MORE
               : LINE_PARSER_INVALID;
}

struct line_parser_result line_parser_parse(const struct line_parser *parser, const char *bytes,
                                            size_t size, uint32_t *numbers) {
    struct line_parser_result result;
    result.number_count = parser->kernel->parse(bytes, size, numbers);
    result.consumed_size = result.number_count * LINE_PARSER_LINE_SIZE;
    if (size == result.consumed_size) {
        result.stop = LINE_PARSER_NEEDS_MORE;
        return result;
    }
    result.stop = classify_rest(bytes + result.consumed_size, size - result.consumed_size);
    if (result.stop == LINE_PARSER_TERMINATE) {
        result.consumed_size += LINE_PARSER_LINE_SIZE;
    }
    return result;
}
