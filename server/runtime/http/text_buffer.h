/*
 * A text of bounded size that is put together piece by piece. What there is no room for is left
 * out, and the text knows that it is cut.
 *
 * Ownership: the bytes are the caller's. Threading: none inside.
 */
#ifndef SERVER_RUNTIME_HTTP_TEXT_BUFFER_H_
#define SERVER_RUNTIME_HTTP_TEXT_BUFFER_H_

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct text_buffer {
    char *bytes; /* ends with a NUL always */
    size_t capacity;
    size_t size; /* without the NUL */
    bool is_cut;
};

/* An empty text in bytes[0, capacity); capacity is 1 at least. */
void text_buffer_init(struct text_buffer *text, char *bytes, size_t capacity);

void text_buffer_print(struct text_buffer *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Adds what came from outside as HTML: text between tags, or an attribute's value in quotes. What
 * neither a terminal nor a log may be shown (escape.h) is not shown here either. */
void text_buffer_add_html(struct text_buffer *text, const char *value);

/* Adds a count with a thin space between groups of three digits, as HTML: "12 345 678". */
void text_buffer_add_count(struct text_buffer *text, unsigned long long count);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RUNTIME_HTTP_TEXT_BUFFER_H_ */
