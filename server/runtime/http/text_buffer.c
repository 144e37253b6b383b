#include "server/runtime/http/text_buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "server/runtime/escape.h"

enum {
    VALUE_CAPACITY = 512, /* what is longer loses its middle */
    COUNT_CAPACITY = 24,
};

void text_buffer_init(struct text_buffer *text, char *bytes, size_t capacity) {
    *text = (struct text_buffer){.bytes = bytes, .capacity = capacity};
    bytes[0] = '\0';
}

void text_buffer_print(struct text_buffer *text, const char *format, ...) {
    size_t room = text->capacity - text->size;
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(text->bytes + text->size, room, format, arguments);
    va_end(arguments);
    if (size >= 0 && (size_t)size < room) {
        text->size += (size_t)size;
    } else {
        text->bytes[text->size] = '\0'; /* no piece stays in part */
        text->is_cut = true;
    }
}

void text_buffer_add_html(struct text_buffer *text, const char *value) {
    char visible[VALUE_CAPACITY];
    (void)escape_message(visible, sizeof visible, value);
    const char *rest = visible;
    while (*rest != '\0') {
        size_t plain_size = strcspn(rest, "&<>\"'");
        text_buffer_print(text, "%.*s", (int)plain_size, rest);
        rest += plain_size;
        if (*rest != '\0') {
            text_buffer_print(text, "&#%d;", (unsigned char)*rest++);
        }
    }
}

void text_buffer_add_count(struct text_buffer *text, unsigned long long count) {
    char digits[COUNT_CAPACITY];
    int size = snprintf(digits, sizeof digits, "%llu", count);
    for (int index = 0; index < size; index++) {
        bool begins_group = index > 0 && (size - index) % 3 == 0;
        text_buffer_print(text, "%s%c", begins_group ? "&#8239;" : "", digits[index]);
    }
}
