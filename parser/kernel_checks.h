/* The checks that every kernel of the parser goes through, in plain C so that they also run where
 * there is no GoogleTest: cross-compiled and under an emulator. For tests only. */
#ifndef PARSER_KERNEL_CHECKS_H_
#define PARSER_KERNEL_CHECKS_H_

#include <stddef.h>

#include "parser/line_parser.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { KERNEL_CHECK_MESSAGE_SIZE = 256 };

struct kernel_check {
    const char *name;
    /* Returns 1 when the parser passes; 0 with the first difference described in message, which has
     * room for KERNEL_CHECK_MESSAGE_SIZE bytes. */
    int (*run)(const struct line_parser *tested, char *message);
};

/* The check with that index, or NULL behind the last one. */
const struct kernel_check *kernel_check_at(size_t index);

#ifdef __cplusplus
}
#endif

#endif /* PARSER_KERNEL_CHECKS_H_ */
