#include "server/runtime/option_settings.h"

#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { VALUE_CAPACITY = PATH_MAX };

/* Of a URL with a login the login is hidden, up to the last @ before the path. */
static void write_text(char *line, const char *value) {
    const char *scheme_end = strstr(value, "://");
    const char *rest = scheme_end != NULL ? scheme_end + 3 : value;
    const char *login_end = NULL;
    if (scheme_end != NULL) {
        for (const char *at = rest; *at != '\0' && *at != '/'; at++) {
            login_end = *at == '@' ? at : login_end;
        }
    }
    if (login_end == NULL) {
        (void)snprintf(line, VALUE_CAPACITY, "%s", value);
    } else {
        (void)snprintf(line, VALUE_CAPACITY, "%.*s***%s", (int)(rest - value), value, login_end);
    }
}

/* The value as text. False: there is none to show. */
static bool write_value(char *line, const struct option_spec *spec) {
    line[0] = '\0';
    switch (spec->kind) {
    case OPTION_FLAG:
        return *(const bool *)spec->value;
    case OPTION_INTEGER: {
        int64_t number = *(const int64_t *)spec->value;
        (void)snprintf(line, VALUE_CAPACITY, "%" PRId64, number);
        return number >= spec->lowest && number <= spec->highest;
    }
    case OPTION_SECONDS:
        (void)snprintf(line, VALUE_CAPACITY, "%.15g", (double)*(const int64_t *)spec->value / 1000);
        return true;
    case OPTION_TEXT: {
        const char *text = *(const char *const *)spec->value;
        if (text != NULL) {
            write_text(line, text);
        }
        return text != NULL;
    }
    case OPTION_CHOICE:
        (void)snprintf(line, VALUE_CAPACITY, "%s", spec->choices[*(const int *)spec->value]);
        return true;
    case OPTION_TEXT_LIST:
        break;
    }
    return false;
}

/* Adds a line, if there is room for all of it. A newline in a value would be a line of its own. */
static size_t add(char *text, size_t size, const char *name, const char *value) {
    size_t room = OPTION_SETTINGS_CAPACITY - size;
    int added_size =
        snprintf(text + size, room, "--%s%s%s\n", name, value[0] != '\0' ? "=" : "", value);
    if (added_size < 0 || (size_t)added_size >= room) {
        text[size] = '\0';
        return size;
    }
    for (size_t index = size; index < size + (size_t)added_size - 1; index++) {
        text[index] = text[index] == '\n' ? ' ' : text[index];
    }
    return size + (size_t)added_size;
}

/* Another spelling is another name of the same value. */
static bool is_shown_before(const struct options *options, size_t spec_index) {
    size_t index = 0;
    while (index < spec_index && options->specs[index].value != options->specs[spec_index].value) {
        index++;
    }
    return index < spec_index;
}

void option_settings_write(const struct options *options, char *text) {
    char value[VALUE_CAPACITY];
    size_t size = 0;
    text[0] = '\0';
    for (size_t index = 0; index < options->spec_count; index++) {
        const struct option_spec *spec = &options->specs[index];
        if (is_shown_before(options, index)) {
            continue;
        }
        if (spec->kind == OPTION_TEXT_LIST) {
            const struct option_list *list = spec->value;
            for (size_t item = 0; item < list->count; item++) {
                write_text(value, list->items[item]);
                size = add(text, size, spec->name, value);
            }
        } else if (write_value(value, spec)) {
            size = add(text, size, spec->name, value);
        }
    }
}
