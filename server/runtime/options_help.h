/*
 * What a table of options is shown as, on standard output. For options.c alone.
 *
 * Ownership: keeps nothing. Threading: main thread.
 */
#ifndef SERVER_RUNTIME_OPTIONS_HELP_H_
#define SERVER_RUNTIME_OPTIONS_HELP_H_

#include "server/runtime/options.h"

/* The letter behind a single dash that stands for the option as well; '\0': none. */
char options_letter_of(const char *name);

/* The text of --help. */
void options_print_help(const struct options *options);

/* The same for programs, by --help=table: a line for each fact, its fields separated by tabs.
 *
 *   program NAME | version TEXT | arguments TEXT | summary LINE | example LINE | exit LINE
 *   option NAME LETTER ARGUMENT KIND DEFAULT CHOICES HELP
 *
 * KIND is flag, value, list or choice; CHOICES are separated by |; a field may be empty. */
void options_print_table(const struct options *options);

/* The text of --version. */
void options_print_version(const struct options *options);

#endif /* SERVER_RUNTIME_OPTIONS_HELP_H_ */
