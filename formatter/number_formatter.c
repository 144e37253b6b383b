#include "formatter/number_formatter.h"

#include <string.h>

#include "formatter/kernels.h"

static const char *const kernel_names[] = {"scalar", NULL};

const char *const *number_formatter_kernel_names(void) {
    return kernel_names;
}

bool number_formatter_select(struct number_formatter *formatter, const char *kernel_name) {
    if (kernel_name && strcmp(kernel_name, "scalar") != 0)
        return false;
    formatter->kernel = number_formatter_format_scalar;
    formatter->kernel_name = "scalar";
    return true;
}

size_t number_formatter_format(const struct number_formatter *formatter, const uint32_t *numbers,
                               size_t count, char *lines) {
    formatter->kernel(numbers, count, lines);
    return count * NUMBER_FORMATTER_LINE_SIZE;
}
