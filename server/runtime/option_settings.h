/*
 * The options in force, as lines that a command line would take: "--port=4000". For whoever wants
 * to know how a daemon runs that somebody else has started.
 *
 * Threading: none inside; a function of its arguments.
 */
#ifndef SERVER_RUNTIME_OPTION_SETTINGS_H_
#define SERVER_RUNTIME_OPTION_SETTINGS_H_

#include <stddef.h>

#include "server/runtime/options.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { OPTION_SETTINGS_CAPACITY = 4096 };

/* Writes the lines to text (OPTION_SETTINGS_CAPACITY bytes), each with a newline, and a NUL behind.
 * Flags that are not set and options without a value are left out, as is what there is no room
 * for. What may be a password (between "://" and "@") is shown as ***. */
void option_settings_write(const struct options *options, char *text);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RUNTIME_OPTION_SETTINGS_H_ */
