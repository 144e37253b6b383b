#include "formatter/number_formatter.h"
#include "formatter/number_kernel.h"

void number_kernel_scalar(const uint32_t *numbers, size_t count, char *lines) {
    for (size_t i = 0; i < count; i++) {
        char *line = lines + i * NUMBER_FORMATTER_LINE_SIZE;
        uint32_t rest = numbers[i];
        for (size_t digit_index = NUMBER_FORMATTER_DIGIT_COUNT; digit_index-- > 0;) {
            line[digit_index] = (char)('0' + rest % 10);
            rest /= 10;
        }
        line[NUMBER_FORMATTER_DIGIT_COUNT] = '\n';
    }
}
