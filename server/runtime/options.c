#include "server/runtime/options.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/runtime/escape.h"
#include "server/runtime/options_help.h"

enum {
    SPEC_CAPACITY = 62,
    MESSAGE_CAPACITY = 512,
    /* What getopt_long returns: the index of the spec, moved clear of all letters. */
    CODE_OF_FIRST_SPEC = 256,
    CODE_OF_HELP = CODE_OF_FIRST_SPEC + SPEC_CAPACITY,
    CODE_OF_VERSION,
};

static const char short_options[] = ":hp:";

void options_complain(const struct options *options, const char *format, ...) {
    char message[PATH_MAX + MESSAGE_CAPACITY];
    char line[MESSAGE_CAPACITY];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    (void)escape_message(line, sizeof line, message);
    (void)fprintf(stderr, "%s: %s (see --help)\n", options->program, line);
}

bool options_read_number(const char *text, int64_t lowest, int64_t highest, int64_t *number) {
    if (!isdigit((unsigned char)text[0]) && text[0] != '-') {
        return false;
    }
    char *end;
    errno = 0;
    *number = strtoll(text, &end, 10);
    return errno == 0 && end != text && *end == '\0' && *number >= lowest && *number <= highest;
}

/* Reads all of text as seconds with at most three decimals, into milliseconds. */
static bool read_seconds(const char *text, int64_t lowest_ms, int64_t highest_ms,
                         int64_t *value_ms) {
    char *end;
    errno = 0;
    if (!isdigit((unsigned char)text[0])) {
        return false;
    }
    long long seconds = strtoll(text, &end, 10);
    if (errno != 0 || seconds > INT32_MAX) {
        return false;
    }
    int64_t milliseconds = seconds * 1000;
    if (*end == '.') {
        end++;
        for (int64_t weight = 100; weight > 0 && isdigit((unsigned char)*end); weight /= 10) {
            milliseconds += (*end++ - '0') * weight;
        }
    }
    *value_ms = milliseconds;
    return *end == '\0' && milliseconds >= lowest_ms && milliseconds <= highest_ms;
}

static bool parse_choice(const struct option_spec *spec, const char *text) {
    for (int index = 0; spec->choices[index] != NULL; index++) {
        if (strcmp(spec->choices[index], text) == 0) {
            *(int *)spec->value = index;
            return true;
        }
    }
    return false;
}

static bool add_to_list(struct option_list *list, const char *text) {
    if (!list->given) {
        list->given = true;
        list->count = 0;
    }
    if (list->count == OPTION_LIST_CAPACITY) {
        return false;
    }
    list->items[list->count++] = text;
    return true;
}

/* "never|interval|always" */
static const char *choices_text(const struct option_spec *spec, char *text, size_t capacity) {
    size_t size = 0;
    text[0] = '\0';
    for (int index = 0; spec->choices[index] != NULL && size < capacity; index++) {
        size += (size_t)snprintf(text + size, capacity - size, "%s%s", index == 0 ? "" : "|",
                                 spec->choices[index]);
    }
    return text;
}

static bool store_number(const struct options *options, const struct option_spec *spec,
                         const char *text, bool is_seconds) {
    int64_t number = 0;
    bool is_read = is_seconds ? read_seconds(text, spec->lowest, spec->highest, &number)
                              : options_read_number(text, spec->lowest, spec->highest, &number);
    if (is_read) {
        *(int64_t *)spec->value = number;
        return true;
    }
    if (is_seconds) {
        /* %.15g is exact for times in milliseconds; %g alone keeps six digits. */
        options_complain(options, "--%s takes seconds from %.15g to %.15g, not '%s'", spec->name,
                         (double)spec->lowest / 1000, (double)spec->highest / 1000, text);
    } else {
        options_complain(options, "--%s takes a number from %" PRId64 " to %" PRId64 ", not '%s'",
                         spec->name, spec->lowest, spec->highest, text);
    }
    return false;
}

static bool check_text(const struct options *options, const struct option_spec *spec,
                       const char *text) {
    if (text[0] == '\0') {
        options_complain(options, "--%s takes a text that is not empty", spec->name);
        return false;
    }
    if (strlen(text) >= PATH_MAX) {
        options_complain(options, "--%s takes a text of at most %d bytes", spec->name,
                         PATH_MAX - 1);
        return false;
    }
    return true;
}

static bool store_value(const struct options *options, const struct option_spec *spec,
                        const char *text) {
    char choices[MESSAGE_CAPACITY];
    switch (spec->kind) {
    case OPTION_FLAG:
        *(bool *)spec->value = true;
        return true;
    case OPTION_INTEGER:
        return store_number(options, spec, text, false);
    case OPTION_SECONDS:
        return store_number(options, spec, text, true);
    case OPTION_TEXT:
        if (!check_text(options, spec, text)) {
            return false;
        }
        *(const char **)spec->value = text;
        return true;
    case OPTION_TEXT_LIST:
        if (!check_text(options, spec, text)) {
            return false;
        }
        if (!add_to_list(spec->value, text)) {
            options_complain(options, "--%s can be given %d times at most", spec->name,
                             OPTION_LIST_CAPACITY);
            return false;
        }
        return true;
    case OPTION_CHOICE:
        if (!parse_choice(spec, text)) {
            options_complain(options, "--%s takes %s, not '%s'", spec->name,
                             choices_text(spec, choices, sizeof choices), text);
            return false;
        }
        return true;
    }
    return false;
}

/* Whoever asked for a text must be able to rely on having all of it. */
static enum options_outcome show(const struct options *options,
                                 void (*print)(const struct options *options)) {
    print(options);
    if (fflush(stdout) != 0 || ferror(stdout) != 0) {
        options_complain(options, "cannot write to standard output: %s", strerror(errno));
        return OPTIONS_INVALID;
    }
    return OPTIONS_SHOWN;
}

/* Fills table (spec_count + 3 entries) for getopt_long. */
static void fill_getopt_table(const struct options *options, struct option *table) {
    for (size_t index = 0; index < options->spec_count; index++) {
        const struct option_spec *spec = &options->specs[index];
        table[index] = (struct option){
            .name = spec->name,
            .has_arg = spec->kind == OPTION_FLAG ? no_argument : required_argument,
            .val = CODE_OF_FIRST_SPEC + (int)index,
        };
    }
    table[options->spec_count] =
        (struct option){.name = "help", .has_arg = optional_argument, .val = CODE_OF_HELP};
    table[options->spec_count + 1] = (struct option){.name = "version", .val = CODE_OF_VERSION};
    table[options->spec_count + 2] = (struct option){0};
}

/* What getopt_long could not use: one letter behind a single dash, or else an argument. Letters
 * beyond ASCII come as negative numbers. */
static enum options_outcome refuse_option(const struct options *options, int letter,
                                          const char *argument) {
    if (letter == 0 || letter >= CODE_OF_FIRST_SPEC) {
        options_complain(options, "cannot use the option %s", argument);
    } else if (isgraph((unsigned char)letter)) {
        options_complain(options, "cannot use the option -%c", letter);
    } else {
        options_complain(options, "cannot use the option -\\x%02x", (unsigned char)letter);
    }
    return OPTIONS_INVALID;
}

/* The option that a code of getopt_long stands for; NULL: it has none. */
static const struct option_spec *find_spec(const struct options *options, int code) {
    if (code >= CODE_OF_FIRST_SPEC) {
        return &options->specs[code - CODE_OF_FIRST_SPEC];
    }
    for (size_t index = 0; index < options->spec_count; index++) {
        if (options_letter_of(options->specs[index].name) == code) {
            return &options->specs[index];
        }
    }
    return NULL;
}

/* A value of its own that looks like an option is one, before which the value was forgotten: no
 * file called --resume is made. Numbers may be negative. */
static bool is_forgotten(const struct option_spec *spec, const char *value, const char *argument) {
    return value == argument && value[0] == '-' && value[1] != '\0' &&
           (spec->kind == OPTION_TEXT || spec->kind == OPTION_TEXT_LIST);
}

/* Takes the option that getopt_long has just returned the code of; argument is the last one that it
 * has used. */
static enum options_outcome take_option(const struct options *options, int code,
                                        const char *argument) {
    if (code == CODE_OF_HELP && optarg != NULL) {
        return strcmp(optarg, "table") == 0 ? show(options, options_print_table)
                                            : refuse_option(options, 0, argument);
    }
    if (code == CODE_OF_HELP || code == 'h') {
        return show(options, options_print_help);
    }
    if (code == CODE_OF_VERSION) {
        return show(options, options_print_version);
    }
    if (code == ':') {
        options_complain(options, "%s needs a value", argument);
        return OPTIONS_INVALID;
    }
    if (code == '?') {
        return refuse_option(options, optopt, argument);
    }
    const struct option_spec *spec = find_spec(options, code);
    if (spec == NULL) {
        return refuse_option(options, code, argument);
    }
    if (is_forgotten(spec, optarg, argument)) {
        options_complain(options, "--%s needs a value; if '%s' is meant, write --%s=%s", spec->name,
                         optarg, spec->name, optarg);
        return OPTIONS_INVALID;
    }
    return store_value(options, spec, optarg) ? OPTIONS_RUN : OPTIONS_INVALID;
}

enum options_outcome options_parse(const struct options *options, int argc, char **argv,
                                   int *first_argument_index) {
    struct option table[SPEC_CAPACITY + 3];
    if (options->spec_count > SPEC_CAPACITY) {
        options_complain(options, "the program lists more options than fit its table");
        return OPTIONS_INVALID;
    }
    fill_getopt_table(options, table);
    opterr = 0;
    optind = 0; /* starts a fresh scan, for tests that parse more than once */
    int code;
    while ((code = getopt_long(argc, argv, short_options, table, NULL)) != -1) {
        enum options_outcome outcome = take_option(options, code, argv[optind - 1]);
        if (outcome != OPTIONS_RUN) {
            return outcome;
        }
    }
    if (options->arguments == NULL && optind < argc) {
        options_complain(options, "unexpected argument '%s'", argv[optind]);
        return OPTIONS_INVALID;
    }
    *first_argument_index = optind;
    return OPTIONS_RUN;
}
