/*
 * Command lines in GNU style from one table: parsing, checking, and the --help text.
 *
 * Each daemon lists its options once as option_spec entries that point at the fields of its own
 * configuration. The fields hold the defaults beforehand, and --help shows them. `--help` and
 * `--version` need no entry. -h is --help, and -p is --port where there is one. From the same
 * table, as `--help=table` prints it, //packaging makes manual pages, completion and the READMEs'
 * tables.
 *
 * Ownership: texts stay where they are, in argv. Threading: main thread only (getopt_long).
 */
#ifndef SERVER_RUNTIME_OPTIONS_H_
#define SERVER_RUNTIME_OPTIONS_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum option_kind {
    OPTION_FLAG,      /* value: bool *, no argument */
    OPTION_INTEGER,   /* value: int64_t *, a decimal number in lowest..highest; a default outside of
                         that is not shown: then the help text says what it is */
    OPTION_SECONDS,   /* value: int64_t * in milliseconds; "2", "0.25"; lowest..highest in ms */
    OPTION_TEXT,      /* value: const char **, not empty, no longer than a path may be */
    OPTION_TEXT_LIST, /* value: struct option_list *; may be given several times */
    OPTION_CHOICE,    /* value: int *, the index of the argument in choices */
};

/* As many addresses as the listener has room for (listener.h). */
enum { OPTION_LIST_CAPACITY = 16 };

/* The first one given replaces the default. */
struct option_list {
    const char *items[OPTION_LIST_CAPACITY];
    size_t count;
    bool given;
};

struct option_spec {
    const char *name;     /* without the dashes */
    const char *argument; /* its name in the help text, NULL for a flag */
    const char *help;     /* what it does; NULL: another spelling that the help leaves out */
    enum option_kind kind;
    void *value;
    int64_t lowest, highest;
    const char *const *choices; /* ends with NULL */
};

struct options {
    const char *program;    /* "numbers-server" */
    const char *arguments;  /* what may follow the options, for the usage line; NULL: nothing */
    const char *summary;    /* what the program is for: a sentence or two */
    const char *examples;   /* lines of their own */
    const char *exit_codes; /* what they mean, lines of their own; NULL: not shown */
    /* What --version prints behind the program's name and version.h's; NULL: nothing. */
    const char *version_details;
    const struct option_spec *specs;
    size_t spec_count;
};

enum options_outcome {
    OPTIONS_RUN,     /* go on */
    OPTIONS_SHOWN,   /* --help or --version was printed on standard output: exit 0 */
    OPTIONS_INVALID, /* wrong, or standard output failed: one clear line was printed: exit 2 */
};

/* first_argument_index receives the index in argv of what follows the options. */
enum options_outcome options_parse(const struct options *options, int argc, char **argv,
                                   int *first_argument_index);

/* For arguments that are numbers: reads all of text as a decimal one, as OPTION_INTEGER does. False
 * unless it is one from lowest to highest; then *number is of no use. */
bool options_read_number(const char *text, int64_t lowest, int64_t highest, int64_t *number);

/* For values that only the caller can judge: prints "PROGRAM: MESSAGE (see --help)". */
void options_complain(const struct options *options, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RUNTIME_OPTIONS_H_ */
