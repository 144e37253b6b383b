#include "server/runtime/options_help.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "server/runtime/version.h"

enum { HELP_COLUMN = 32 };

static const char help_text[] = "show this text";
static const char version_help_text[] = "show the version";

char options_letter_of(const char *name) {
    if (strcmp(name, "help") == 0) {
        return 'h';
    }
    return strcmp(name, "port") == 0 ? 'p' : '\0';
}

/* Prints what the option is without being given, behind the prefix, and the suffix behind it;
 * nothing where there is no such value, or only the help text can say. */
static void print_default(const struct option_spec *spec, const char *prefix, const char *suffix) {
    const struct option_list *list = spec->value;
    switch (spec->kind) {
    case OPTION_FLAG:
        break;
    case OPTION_INTEGER:
        if (*(int64_t *)spec->value >= spec->lowest && *(int64_t *)spec->value <= spec->highest) {
            (void)printf("%s%" PRId64 "%s", prefix, *(int64_t *)spec->value, suffix);
        }
        break;
    case OPTION_SECONDS:
        (void)printf("%s%.15g%s", prefix, (double)*(int64_t *)spec->value / 1000, suffix);
        break;
    case OPTION_TEXT:
        if (*(const char **)spec->value != NULL) {
            (void)printf("%s%s%s", prefix, *(const char **)spec->value, suffix);
        }
        break;
    case OPTION_TEXT_LIST:
        if (list->count > 0) {
            (void)printf("%s%s%s", prefix, list->items[0], suffix);
        }
        break;
    case OPTION_CHOICE:
        (void)printf("%s%s%s", prefix, spec->choices[*(int *)spec->value], suffix);
        break;
    }
}

/* "  -p, --port=NUMBER", padded to the column where the explanations begin. */
static void print_option_name(const char *name, const char *argument) {
    char letter = options_letter_of(name);
    int width = letter == '\0' ? printf("      ") : printf("  -%c, ", letter);
    width += argument == NULL ? printf("--%s", name) : printf("--%s=%s", name, argument);
    if (width >= HELP_COLUMN) {
        (void)printf("\n");
        width = 0;
    }
    (void)printf("%*s", HELP_COLUMN - width, "");
}

void options_print_help(const struct options *options) {
    (void)printf("Usage: %s [OPTION]...%s%s\n\n%s\n\nOptions:\n", options->program,
                 options->arguments == NULL ? "" : " ",
                 options->arguments == NULL ? "" : options->arguments, options->summary);
    for (size_t index = 0; index < options->spec_count; index++) {
        const struct option_spec *spec = &options->specs[index];
        if (spec->help == NULL) {
            continue;
        }
        print_option_name(spec->name, spec->argument);
        (void)printf("%s", spec->help);
        print_default(spec, " (default ", ")");
        (void)printf("\n");
    }
    print_option_name("help", NULL);
    (void)printf("%s\n", help_text);
    print_option_name("version", NULL);
    (void)printf("%s\n\nExamples:\n%s", version_help_text, options->examples);
    if (options->exit_codes != NULL) {
        (void)printf("\nExit codes:\n%s", options->exit_codes);
    }
}

/* A line of the table for each line of the text, without the blanks that indent it. */
static void print_lines(const char *field, const char *text) {
    while (text != NULL && *text != '\0') {
        text += strspn(text, " ");
        size_t length = strcspn(text, "\n");
        (void)printf("%s\t%.*s\n", field, (int)length, text);
        text += length + (text[length] == '\n' ? 1 : 0);
    }
}

static void print_row(const struct option_spec *spec) {
    static const char *const kinds[] = {
        [OPTION_FLAG] = "flag",  [OPTION_INTEGER] = "value",  [OPTION_SECONDS] = "value",
        [OPTION_TEXT] = "value", [OPTION_TEXT_LIST] = "list", [OPTION_CHOICE] = "choice",
    };
    char letter[] = {options_letter_of(spec->name), '\0'};
    (void)printf("option\t%s\t%s\t%s\t%s\t", spec->name, letter,
                 spec->argument == NULL ? "" : spec->argument, kinds[spec->kind]);
    print_default(spec, "", "");
    (void)printf("\t");
    for (int index = 0; spec->kind == OPTION_CHOICE && spec->choices[index] != NULL; index++) {
        (void)printf("%s%s", index == 0 ? "" : "|", spec->choices[index]);
    }
    (void)printf("\t%s\n", spec->help);
}

void options_print_table(const struct options *options) {
    (void)printf("program\t%s\nversion\t%s\n", options->program, version_text());
    print_lines("arguments", options->arguments);
    print_lines("summary", options->summary);
    for (size_t index = 0; index < options->spec_count; index++) {
        if (options->specs[index].help != NULL) {
            print_row(&options->specs[index]);
        }
    }
    const struct option_spec common[] = {
        {"help", NULL, help_text, OPTION_FLAG, NULL, 0, 0, NULL},
        {"version", NULL, version_help_text, OPTION_FLAG, NULL, 0, 0, NULL},
    };
    for (size_t index = 0; index < sizeof common / sizeof common[0]; index++) {
        print_row(&common[index]);
    }
    print_lines("example", options->examples);
    print_lines("exit", options->exit_codes);
}

void options_print_version(const struct options *options) {
    (void)printf("%s %s\n", options->program, version_text());
    if (options->version_details != NULL) {
        (void)printf("%s\n", options->version_details);
    }
}
